"""A registry that lies, stalls or floods: what its client does then. The ids are of advisories."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ecr_steward.adapters import limits
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST
from ecr_steward.domain.names import Digest, image_tag
from ecr_steward.errors import (
    DigestMismatchError,
    ImageNotFoundError,
    InvalidManifestError,
    PermanentError,
    RefusedByRegistryError,
    RegistryUnavailableError,
)

type Reply = Callable[..., Any]

IMAGE = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/json", "digest": f"sha256:{'b' * 64}", "size": 2},
        "layers": [],
    }
).encode()
IMAGE_DIGEST = digest_of(IMAGE)
IMAGE_PATH = f"/v2/team-a/api/manifests/{IMAGE_DIGEST}"
REFERRERS_PATH = f"/v2/team-a/api/referrers/{IMAGE_DIGEST}"
OF_AN_IMAGE = {"Content-Type": OCI_MANIFEST}
OF_AN_INDEX = {"Content-Type": OCI_INDEX}


def referrers(*digests: str) -> bytes:
    entries = [{"mediaType": OCI_MANIFEST, "digest": digest, "size": 1} for digest in digests]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()


def test_another_manifest_is_refused_when_it_comes_under_the_pinned_digest(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # CVE-2025-24882
    server.on("GET", IMAGE_PATH, reply_with(200, IMAGE + b" ", OF_AN_IMAGE))

    with pytest.raises(DigestMismatchError, match=str(digest_of(IMAGE + b" "))):
        client.get_manifest("team-a/api", IMAGE_DIGEST)


@pytest.mark.parametrize("told", [None, str(IMAGE_DIGEST), str(digest_of(IMAGE, "sha512"))])
def test_the_digest_is_reckoned_from_the_bytes_when_a_tag_is_asked_for(
    server: Any, client: DistributionClient, reply_with: Reply, told: str | None
) -> None:
    said = {"Docker-Content-Digest": told} if told else {}
    server.on("GET", "/v2/team-a/api/manifests/1.4.2", reply_with(200, IMAGE, OF_AN_IMAGE | said))

    assert client.get_manifest("team-a/api", image_tag("1.4.2")).digest == IMAGE_DIGEST


@pytest.mark.parametrize("lie", [f"sha256:{'0' * 64}", f"sha512:{'0' * 128}", "sha256:../../x", ""])
def test_a_manifest_is_refused_when_the_header_lies_about_a_tag(
    server: Any, client: DistributionClient, reply_with: Reply, lie: str
) -> None:
    said = OF_AN_IMAGE | {"Docker-Content-Digest": lie}
    server.on("GET", "/v2/team-a/api/manifests/1.4.2", reply_with(200, IMAGE, said))

    with pytest.raises((DigestMismatchError, RefusedByRegistryError), match="says that its digest is"):
        client.get_manifest("team-a/api", image_tag("1.4.2"))


def test_an_endless_manifest_is_left_when_it_passes_4_mib(
    server: Any, client: DistributionClient, stream_with: Reply
) -> None:  # CVE-2017-11468
    sent = 0

    def flood() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield b"10000\r\n" + b" " * 65536 + b"\r\n"

    server.on("GET", IMAGE_PATH, stream_with(flood, {**OF_AN_IMAGE, "Transfer-Encoding": "chunked"}))

    with pytest.raises(InvalidManifestError, match="limit of 4194304"):
        client.get_manifest("team-a/api", IMAGE_DIGEST)
    assert sent < 3 * limits.MANIFEST_BYTES


def test_a_compressed_manifest_is_refused_when_it_would_have_to_be_inflated(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # CVE-2026-44432
    bomb = gzip.compress(IMAGE)
    server.on("GET", IMAGE_PATH, reply_with(200, bomb, {**OF_AN_IMAGE, "Content-Encoding": "gzip"}))

    with pytest.raises(DigestMismatchError):
        client.get_manifest("team-a/api", IMAGE_DIGEST)
    assert server.received[0].headers["accept-encoding"] == "identity"


def test_a_manifest_is_fetched_elsewhere_without_the_login_when_the_registry_redirects(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # registry.k8s.io sends everybody to the registry that is nearest
    other = new_server()
    there = {"Location": other.url + IMAGE_PATH}
    found = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": str(IMAGE_DIGEST)}
    for method in ("GET", "HEAD"):
        server.on(method, IMAGE_PATH, reply_with(307, b"", there))
        other.on(method, IMAGE_PATH, reply_with(200, IMAGE, found))

    assert client.get_manifest("team-a/api", IMAGE_DIGEST).content == IMAGE
    assert client.digest_of("team-a/api", IMAGE_DIGEST) == IMAGE_DIGEST
    assert other.logins == []


def test_a_manifest_is_verified_when_it_comes_from_elsewhere(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    other = new_server()
    server.on("GET", IMAGE_PATH, reply_with(307, b"", {"Location": other.url + IMAGE_PATH}))
    other.on("GET", IMAGE_PATH, reply_with(200, IMAGE + b" ", {"Content-Type": OCI_MANIFEST}))

    with pytest.raises(DigestMismatchError):
        client.get_manifest("team-a/api", IMAGE_DIGEST)


def test_nobody_follows_when_a_manifest_is_redirected_without_end(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    server.on("GET", IMAGE_PATH, reply_with(307, b"", {"Location": IMAGE_PATH}))

    with pytest.raises(RefusedByRegistryError, match="redirected more than"):
        client.get_manifest("team-a/api", IMAGE_DIGEST)
    assert len(server.received) == limits.REDIRECTS + 1


def test_a_put_is_no_success_when_the_registry_stored_something_else(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    server.on("PUT", IMAGE_PATH, reply_with(201, b"", {"Docker-Content-Digest": f"sha256:{'0' * 64}"}))

    with pytest.raises(DigestMismatchError, match="stored as"):
        client.put_manifest("team-a/api", IMAGE_DIGEST, IMAGE, OCI_MANIFEST)


def test_a_put_is_no_success_when_the_registry_stored_nothing(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    server.on("PUT", IMAGE_PATH, reply_with(201))
    server.on("HEAD", IMAGE_PATH, reply_with(404), reply_with(200))

    with pytest.raises(RefusedByRegistryError, match="is not there"):
        client.put_manifest("team-a/api", IMAGE_DIGEST, IMAGE, OCI_MANIFEST)
    assert client.put_manifest("team-a/api", IMAGE_DIGEST, IMAGE, OCI_MANIFEST) == IMAGE_DIGEST


def test_nothing_is_sent_when_the_manifest_is_not_what_it_is_put_as(server: Any, client: DistributionClient) -> None:
    with pytest.raises(DigestMismatchError):
        client.put_manifest("team-a/api", Digest(f"sha256:{'0' * 64}"), IMAGE, OCI_MANIFEST)
    with pytest.raises(InvalidManifestError):
        client.put_manifest("team-a/api", IMAGE_DIGEST, IMAGE, OCI_INDEX)
    with pytest.raises(InvalidManifestError, match="limit"):
        client.put_manifest("team-a/api", image_tag("1"), IMAGE + b" " * limits.MANIFEST_BYTES, OCI_MANIFEST)
    assert server.received == []


def test_all_pages_are_read_when_there_are_several(server: Any, client: DistributionClient, reply_with: Reply) -> None:
    one, two = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
    link = {**OF_AN_INDEX, "Link": f'<{REFERRERS_PATH}?last=1>; rel="next"'}
    server.on(
        "GET", REFERRERS_PATH, reply_with(200, referrers(one), link), reply_with(200, referrers(two), OF_AN_INDEX)
    )

    assert [found.digest.value for found in client.referrers("team-a/api", IMAGE_DIGEST)] == [one, two]


def test_pages_are_left_when_they_lead_back(server: Any, client: DistributionClient, reply_with: Reply) -> None:
    link = {**OF_AN_INDEX, "Link": f'<{REFERRERS_PATH}?last=1>; rel="next"'}
    server.on("GET", REFERRERS_PATH, reply_with(200, referrers(), link))

    with pytest.raises(RefusedByRegistryError, match="without end"):
        client.referrers("team-a/api", IMAGE_DIGEST)
    assert len(server.received) == 2


def test_pages_are_left_when_they_never_end(
    server: Any, client: DistributionClient, reply_with: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:  # oras-go#1215
    def page(number: int) -> Any:
        return reply_with(200, referrers(), {**OF_AN_INDEX, "Link": f'<{REFERRERS_PATH}?last={number}>; rel="next"'})

    server.on("GET", REFERRERS_PATH, *(page(number) for number in range(20)))
    monkeypatch.setattr(limits, "PAGES", 10)

    with pytest.raises(RefusedByRegistryError, match="without end"):
        client.referrers("team-a/api", IMAGE_DIGEST)
    assert len(server.received) == 10


def test_referrers_are_refused_when_there_are_too_many(
    server: Any, client: DistributionClient, reply_with: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = [f"sha256:{number:064x}" for number in range(3)]
    link = {**OF_AN_INDEX, "Link": f'<{REFERRERS_PATH}?last=1>; rel="next"'}
    server.on("GET", REFERRERS_PATH, reply_with(200, referrers(*digests), link), reply_with(200, referrers(digests[0])))
    monkeypatch.setattr(limits, "REFERRERS", 3)

    with pytest.raises(RefusedByRegistryError, match="more than 3 referrers"):
        client.referrers("team-a/api", IMAGE_DIGEST)


def test_the_fallback_tag_is_read_when_there_is_no_referrers_api(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    signature = f"sha256:{'5' * 64}"
    server.on("GET", f"/v2/team-a/api/manifests/sha256-{'a' * 64}", reply_with(200, referrers(signature), OF_AN_INDEX))

    subject = Digest(f"sha256:{'a' * 64}")
    assert [found.digest.value for found in client.referrers("team-a/api", subject)] == [signature]


def test_there_are_no_referrers_when_there_is_neither_api_nor_tag_nor_repository(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    assert client.referrers("team-a/api", IMAGE_DIGEST) == ()

    unknown = json.dumps({"errors": [{"code": "NAME_UNKNOWN", "message": "no such repository"}]}).encode()
    server.on("GET", REFERRERS_PATH, reply_with(404, unknown))
    assert client.referrers("team-a/api", IMAGE_DIGEST) == ()


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"errors": 5}', b'{"errors": ["x"]}', b'{"errors": [{"code": 7}]}']
)
def test_a_refusal_is_still_understood_when_its_body_is_nonsense(
    server: Any, client: DistributionClient, reply_with: Reply, body: bytes
) -> None:
    server.on("GET", IMAGE_PATH, reply_with(404, body))

    with pytest.raises(ImageNotFoundError):
        client.get_manifest("team-a/api", IMAGE_DIGEST)


def test_a_refusal_is_left_when_its_explanation_is_endless(
    server: Any, client: DistributionClient, stream_with: Reply
) -> None:
    sent = 0

    def flood() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield b"10000\r\n" + b"x" * 65536 + b"\r\n"

    def refuse(handler: Any) -> None:
        original = handler.send_response
        handler.send_response = lambda _: original(400)
        stream_with(flood, {"Transfer-Encoding": "chunked"})(handler)

    server.on("GET", IMAGE_PATH, refuse)

    with pytest.raises(PermanentError, match="very long explanation"):
        client.get_manifest("team-a/api", IMAGE_DIGEST)
    assert sent < 8 * 1024 * 1024


def test_it_is_to_be_tried_again_when_nobody_listens(new_server: Any, transport: Transport) -> None:
    gone = new_server()
    url = gone.url
    gone.__exit__()

    with pytest.raises(RegistryUnavailableError):
        DistributionClient(url, lambda: "Basic x", transport=transport).get_manifest("team-a/api", IMAGE_DIGEST)


def test_a_manifest_is_given_up_when_it_drips_for_ever(
    server: Any, client: DistributionClient, stream_with: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(100):
            yield b" "
            time.sleep(0.02)

    server.on("GET", IMAGE_PATH, stream_with(drip, {**OF_AN_IMAGE, "Content-Length": "1000"}))
    monkeypatch.setattr(limits, "SMALL_ANSWER_SECONDS", 0.2)

    with pytest.raises(RegistryUnavailableError, match="took longer"):
        client.get_manifest("team-a/api", IMAGE_DIGEST)
