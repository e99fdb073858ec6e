"""What reads what a stranger wrote, as functions of bytes: a target returns, or it has found a fault.

Each says what must hold of whatever is taken, and lets only those errors pass that its subject names in its docstring.
`fuzz.py` gives them to atheris, and `test_targets.py` to hypothesis.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from local_ecr import Policy, Quirks
from local_ecr.control.documents import check_registry_policy, check_repository_policy, without_lists_of_one
from local_ecr.control.protocol import read_input, service_model
from local_ecr.data.streaming import UnsatisfiableRangeError, read_range
from local_ecr.data.uploads import read_content_range
from local_ecr.errors import EcrError
from local_ecr.hosts import Authority, registry_of
from local_ecr.iam import Call, UnsupportedPolicyError, judge
from local_ecr.images.conversion import accepted_types, convert_manifest
from local_ecr.images.manifest import InvalidManifestError, read_manifest
from local_ecr.images.media_types import MANIFESTS
from local_ecr.lifecycle.grammar import check_lifecycle_policy
from local_ecr.lifecycle.plan import ImageFacts, plan
from local_ecr.lifecycle.policy import read_policy
from local_ecr.names import (
    InvalidNameError,
    Registry,
    is_digest,
    is_image_tag,
    is_repository_name,
    parse_digest,
    parse_repository_arn,
)
from local_ecr.principals import Credential, account_principal, read_signature
from local_ecr.principals import registry_of as own_registry_of
from local_ecr.state.content import ContentStore
from local_ecr.strict_json import InvalidJsonError, read_json
from local_ecr.tokens import ExpiredTokenError, InvalidTokenError, Signer, basic_password

ROOT = Path("/nowhere/registry")


def text_of(data: bytes) -> str:
    """As a header or a path reaches us: any bytes are some text, and none has half a surrogate pair."""
    return data.decode("utf-8", "replace")


def fuzz_json(data: bytes) -> None:
    with contextlib.suppress(InvalidJsonError):
        document = read_json(data)
        assert read_json(json.dumps(document, allow_nan=False, ensure_ascii=False).encode()) == document


def fuzz_manifest(data: bytes) -> None:
    kinds = [None, *sorted(MANIFESTS)]
    media_type = kinds[data[0] % len(kinds)] if data else None
    with contextlib.suppress(InvalidManifestError):
        manifest = read_manifest(data[1:], media_type)
        assert manifest.digest == f"sha256:{hashlib.sha256(data[1:]).hexdigest()}"
        assert not (manifest.layers and manifest.images)
        assert all(0 <= one.size < 1 << 63 and is_digest(one.digest) for one in (*manifest.layers, *manifest.images))
        converted = convert_manifest(manifest.body, manifest.media_type, MANIFESTS - {manifest.media_type})
        assert converted is None or read_manifest(converted.body, converted.media_type).layers is not None


def fuzz_names(data: bytes) -> None:
    text = text_of(data)
    content, registry = ContentStore(ROOT), Registry("111122223333", "us-east-1")
    with contextlib.suppress(InvalidNameError):
        path = content.blob_path(registry, parse_digest(text))
        assert path == Path(*path.parts) and path.parts[:-3] == (*ROOT.parts, "111122223333", "us-east-1")
    with contextlib.suppress(InvalidNameError):
        account, _, region = text.partition("/")
        other = Registry.parse(account, region)
        assert content.upload_path(other, "id").parts == (*ROOT.parts, account, region, "uploads", "id")
    with contextlib.suppress(InvalidNameError):
        owner, name = parse_repository_arn(text)
        assert owner.repository_arn(name).partition("repository/")[2] == name
    if is_repository_name(text, 1):
        assert text.isascii() and ".." not in text and not text.startswith("/") and len(text) <= 256
    if is_image_tag(text):
        assert text.isascii() and "/" not in text and text[0] not in ".-"


def fuzz_ranges(data: bytes) -> None:
    size, header = data[0] if data else 0, data[1:].decode("latin-1")
    with contextlib.suppress(UnsatisfiableRangeError):
        wanted = read_range(header, size)
        assert wanted is None or 0 <= wanted[0] <= wanted[1] < size
    with contextlib.suppress(EcrError):
        begins, length = read_content_range(header)
        assert (begins is None) == (length is None)
        assert begins is None or begins >= 0


def fuzz_quirks(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        quirks = Quirks.parse(text_of(data))
        switched = [name for name in Quirks.names() if getattr(quirks, name)]
        assert Quirks.parse(",".join(["none", *switched])) == quirks


def fuzz_lifecycle(data: bytes) -> None:
    with contextlib.suppress(EcrError):
        written = check_lifecycle_policy(text_of(data))
        assert check_lifecycle_policy(written) == written
        facts = [
            ImageFacts(number, parse_digest(f"sha256:{number:064x}"), ("v1",), 0.0, "STANDARD") for number in (1, 2)
        ]
        steps = plan(facts, read_policy(written), 1e10)
        assert len({step.image.id for step in steps}) == len(steps)


NOW = datetime(2026, 11, 24, tzinfo=UTC)
CALL = Call(
    action="ecr:BatchGetImage",
    resource="arn:aws:ecr:us-east-1:111122223333:repository/team/app",
    principal=account_principal(Credential("111122223333")).in_policies,
    context={"aws:UserAgent": "a" * 100, "aws:SourceIp": "127.0.0.1", "aws:CurrentTime": NOW.isoformat()},
)


def fuzz_policies(data: bytes) -> None:
    text = text_of(data)
    with contextlib.suppress(EcrError):
        written = check_repository_policy(text, reformat=True)
        assert json.loads(written) == without_lists_of_one(json.loads(text))
        assert check_repository_policy(written, reformat=True) == written
    with contextlib.suppress(EcrError):
        check_registry_policy(text, actions=None, reformat=True)
    with contextlib.suppress(InvalidJsonError):
        document = read_json(text)
        if isinstance(document, dict):
            policy = Policy("fuzzed", document)
            judge(CALL, [policy], [policy])
            with contextlib.suppress(UnsupportedPolicyError):
                assert policy.statements is not None


@cache
def signer() -> Signer:
    return Signer(b"k" * 32, lambda: NOW)


def fuzz_tokens(data: bytes) -> None:
    header = data.decode("latin-1")
    password = basic_password(header)
    assert password is None or header[:6].lower() == "basic "
    for given in (header, text_of(data), password or ""):
        for read in (signer().read_password, signer().read_page_token, signer().read_download):
            try:
                read(given)
            except (InvalidTokenError, ExpiredTokenError):
                continue
            raise AssertionError("a token that nobody signed was taken")


def fuzz_signature(data: bytes) -> None:
    with contextlib.suppress(EcrError):
        scope = read_signature(data.decode("latin-1"), None)
        registry = own_registry_of(account_principal(scope.credential), scope.region)
        assert len(registry.account) == 12 and "/" not in registry.region


def fuzz_api_input(data: bytes) -> None:
    operations = sorted(service_model().operation_names)
    operation = service_model().operation_model(operations[(data[0] if data else 0) % len(operations)])
    with contextlib.suppress(EcrError):
        members = read_input(operation, data[1:])
        assert set(members) <= set(operation.input_shape.members)


def fuzz_headers(data: bytes) -> None:
    text = data.decode("latin-1")
    assert all(one == one.strip().lower() for one in accepted_types([text]))
    authority = Authority.parse(text)
    if authority is not None:
        registry = registry_of(authority.name)
        assert Authority.parse(str(authority)) == authority
        assert registry is None or registry.account in authority.name


TARGETS: dict[str, Callable[[bytes], None]] = {
    name.removeprefix("fuzz_"): target for name, target in sorted(globals().items()) if name.startswith("fuzz_")
}
