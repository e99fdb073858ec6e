"""The pages of the documentation that the code knows best: `python -m local_ecr.tables DIRECTORY` writes them."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from botocore.model import OperationModel

from local_ecr.access.permissions import permissions_for
from local_ecr.control.operations import HANDLERS, REFUSED
from local_ecr.control.protocol import service_model
from local_ecr.data import routes
from local_ecr.names import DEFAULT_REGISTRY
from local_ecr.quirks import Quirks
from local_ecr.quotas.rates import MAX_REPOSITORIES, RATES
from local_ecr.requests import is_mutating

NOTE = "<!-- Written by `python -m local_ecr.tables docs`; a test compares it with the code. -->"

PATHS = {
    "catalog": "/v2/_catalog",
    "blob": "/v2/NAME/blobs/DIGEST",
    "uploads": "/v2/NAME/blobs/uploads/",
    "upload": "/v2/NAME/blobs/uploads/ID",
    "manifest": "/v2/NAME/manifests/REFERENCE",
    "tags": "/v2/NAME/tags/list",
    "referrers": "/v2/NAME/referrers/DIGEST",
}
"""A path of each kind of route, with capital letters for what varies."""


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    return {
        "operations.md": operations_page(),
        "quirks.md": quirks_page(),
        "quotas.md": quotas_page(),
        "access.md": access_page(),
    }


def operations_page() -> str:
    """Each operation of the API: implemented, or refused and why."""
    names = sorted(service_model().operation_names)
    done = [name for name in names if name in HANDLERS]
    rows = [(f"`{name}`", "implemented" if name in HANDLERS else "refused", REFUSED.get(name, "")) for name in names]
    about = f"""
        {len(done)} of the {len(names)} operations that botocore knows of Amazon ECR are implemented: a test of
        [`tests/operations`](../tests/operations) calls each of them with success and reads
        its effect back another way. The others are refused with `UnsupportedOperationException`, whose message
        is the reason below. No operation answers with HTML, with a status of 500, or never:
        [`test_every_operation.py`](../tests/test_every_operation.py) sends each of them nothing,
        the least that is valid, and anything.
    """
    return _page("Operations of the API", about, ("operation", "here", "why not"), rows)


def quirks_page() -> str:
    """Each known difference between ECR and the specification, with its switch and its source."""
    rows = [(f"`{name}`", what, _linked(source)) for name, what, source in Quirks.table()]
    about = """
        Where ECR is known to leave the OCI distribution specification, or does not give back what it was given.
        All are on by default. `--quirks none` turns all of them off and gives a plain registry; `--quirks
        ecr,-NAME` turns off one, `--quirks none,NAME` turns on one, and in Python it is `LocalEcr(folder,
        quirks=Quirks(NAME=False))`.
    """
    return _page("Quirks", about, ("quirk", "what ECR does", "source"), rows)


def quotas_page() -> str:
    """Each rate that AWS publishes, with its source, and which requests count."""
    also = {"UploadLayerPart": ["POST", "PUT"], "CompleteLayerUpload": ["POST"]}  # with a body; with `digest`
    rows = [
        (
            f"`{operation}`",
            f"{rate.per_second:,}",
            rate.quota_code,
            _linked(rate.source),
            ", ".join(
                f"`{method} {PATHS[kind]}`"
                for (kind, method), one in routes.OPERATIONS.items()
                if one.name == operation or (kind.startswith("upload") and method in also.get(operation, ()))
            ),
        )
        for operation, rate in RATES.items()
    ]
    about = """
        By default nothing is refused for being too much. `--quotas ecr` enforces AWS's default quotas, `--quotas 0.1` a
        tenth of these rates, so that a test meets a throttle after a few requests, and `--quotas
        ecr,PutImage=50,DescribeImages=20,repositories=500` others. In Python it is `LocalEcr(folder, quotas=Quotas(0.1,
        {"DescribeImages": 20}))`, and the fixture `local_ecr` takes `"quotas": "0.1"`.
    """
    head = ("operation", "requests a second", "quota", "source", "requests below /v2/ that count")
    more = "\n\n".join(_filled(paragraph) for paragraph in _ABOUT_QUOTAS)
    return f"{_page('Quotas', about, head, rows)}\n{more}\n"


_ABOUT_QUOTAS = (
    """
    **What counts.** Each account has in each region a bucket for each operation. It holds the requests of one second,
    and at least one, and is refilled by the registry's clock: a test that moves the clock refills it. The account is
    the caller's. A request below /v2/ counts as the operation that CloudTrail records for it; a POST with `digest`
    counts as three. A PATCH or PUT with a body counts as one `UploadLayerPart`, however long it is; ECR cuts it into
    several.
    """,
    """
    **What is answered.** One request too many is answered with 400 `ThrottlingException`, "Rate exceeded", and below
    /v2/ with 429 `TOOMANYREQUESTS` and the same words, before its input is read and access is decided. It changes
    nothing. No public record of ECR's 429 has a `Retry-After`, and none is sent.
    """,
    """
    **What has no rate.** AWS publishes no rate of other operations, among them `DescribeImages`, `ListImages`,
    `DescribeRepositories`, `BatchDeleteImage` and all that read or write settings. AWS throttles them, too
    ([mondoohq/mql#8450](https://github.com/mondoohq/mql/pull/8450)), but no public source says at which rate. Here they
    have no limit until `--quotas` names one.
    """,
    f"""
    **Repositories.** With any quotas but `none`, a registry has at most {MAX_REPOSITORIES:,} repositories (quota
    L-CFEB8E8D), or as many as `repositories=` says. One more is refused with `LimitExceededException`. A repository
    that replication makes is not refused. [limits.md](limits.md) has the quotas that are always enforced.
    """,
)


def access_page() -> str:
    """The IAM action that each operation and each request of the data plane asks for."""
    operations = [
        (f"`{name}`", *_asked(name, _names_repository(service_model().operation_model(name))))
        for name in sorted(service_model().operation_names)
    ]
    requests = [
        (f"`{method} {PATHS[kind]}`", *_asked(operation.name, kind != "catalog"))
        for (kind, method), operation in routes.OPERATIONS.items()
    ]
    first = _page(
        "Access",
        """
        The IAM action that a caller needs, by the service authorization reference for Amazon ECR. Repository
        policies and identity policies decide as at AWS; an account's root may everything in it. *changes* says
        whether the call is one that CloudTrail records as a write.
        """,
        ("operation", *_ASKED),
        operations,
    )
    about = """
        Every request needs a token of `GetAuthorizationToken`; `GET /v2/` needs nothing else. A POST with
        `digest` and a PUT with a body ask for `ecr:UploadLayerPart` as well, and a POST with `mount` for
        `ecr:GetDownloadUrlForLayer` on the repository that the blob comes from.
    """
    return f"{first}\n## Requests below /v2/\n\n{_filled(about)}\n\n{_table(('request', *_ASKED), requests)}"


_ASKED = ("IAM action", "resource", "changes")


def _asked(operation: str, names_repository: bool) -> tuple[str, str, str]:
    asked = permissions_for(DEFAULT_REGISTRY, operation, ["NAME"] if names_repository else [])
    actions = ", ".join(f"`{one.action}`" for one in asked)
    resources = ", ".join(dict.fromkeys(f"`{_resource(one.resource)}`" for one in asked))
    return actions, resources, "yes" if is_mutating(operation) else "no"


def _resource(arn: str) -> str:
    return arn.rpartition(":")[2]


def _names_repository(model: OperationModel) -> bool:
    return bool({"repositoryName", "resourceArn"} & set(model.input_shape.members if model.input_shape else ()))


def _page(title: str, about: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return f"{NOTE}\n\n# {title}\n\n{_filled(about)}\n\n{_table(head, rows)}"


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def _linked(source: str) -> str:
    """Threads of GitHub and pages of the user guide as links; anything else as it is."""
    return ", ".join(_link(one) for one in source.split(", "))


def _link(one: str) -> str:
    if one.startswith("github.com/") and " " not in one:
        owner_and_name = "/".join(one.split("/")[1:3])
        return f"[{owner_and_name}#{one.rpartition('/')[2]}](https://{one})"
    if one.startswith("AmazonECR/") and " " not in one:
        return f"[{one.rpartition('/')[2]}](https://docs.aws.amazon.com/{one})"
    return one


def main(arguments: Sequence[str] | None = None) -> None:
    """Write every page into a folder."""
    parser = argparse.ArgumentParser(prog="python -m local_ecr.tables", description=__doc__)
    parser.add_argument("directory", type=Path)
    directory: Path = parser.parse_args(arguments).directory
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (directory / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{directory / name}\n")


if __name__ == "__main__":
    main()
