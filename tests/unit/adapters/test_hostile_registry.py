"""A registry that lies, stalls, floods or steals: what its client does then. The ids are of advisories."""

import gzip
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from urllib3 import HTTPResponse

from ecr_steward.adapters import limits
from ecr_steward.adapters.blobs import redirect_target
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.adapters.transport import Origin, Transport
from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST, Descriptor
from ecr_steward.domain.names import Digest, image_tag
from ecr_steward.errors import (
    AccessDeniedError,
    DigestMismatchError,
    ImageNotFoundError,
    InvalidManifestError,
    PermanentError,
    RefusedByRegistryError,
    RegistryUnavailableError,
)

type Reply = Callable[..., Any]

SECRET = "Basic c2VjcmV0"
BLOB = b"all of it" * 1000
BLOB_DESCRIPTOR = Descriptor("application/octet-stream", digest_of(BLOB), len(BLOB))
BLOB_PATH = f"/v2/team-a/api/blobs/{BLOB_DESCRIPTOR.digest}"
UPLOADS = "/v2/team-a/api/blobs/uploads/"
UPLOAD = UPLOADS + "1"
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


def read(client: DistributionClient, blob: Descriptor = BLOB_DESCRIPTOR) -> bytes:
    with client.open_blob("team-a/api", blob) as chunks:
        return b"".join(chunks)


def secrets_seen_by(server: Any) -> list[str]:
    return [request.headers["authorization"] for request in server.received if "authorization" in request.headers]


# ---------------------------------------------------------------- manifests


def test_another_manifest_is_refused_when_it_comes_under_the_pinned_digest(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # CVE-2025-24882
    server.on("GET", IMAGE_PATH, reply_with(200, IMAGE + b" ", OF_AN_IMAGE))

    with pytest.raises(DigestMismatchError, match=str(digest_of(IMAGE + b" "))):
        client.get_manifest("team-a/api", IMAGE_DIGEST)


def test_the_digest_is_reckoned_from_the_bytes_when_the_header_lies_about_a_tag(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    lie = {**OF_AN_IMAGE, "Docker-Content-Digest": f"sha256:{'0' * 64}"}
    server.on("GET", "/v2/team-a/api/manifests/1.4.2", reply_with(200, IMAGE, lie))

    assert client.get_manifest("team-a/api", image_tag("1.4.2")).digest == IMAGE_DIGEST


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


def test_a_manifest_is_not_fetched_elsewhere_when_the_registry_redirects(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    other = new_server()
    server.on("GET", IMAGE_PATH, reply_with(307, b"", {"Location": other.url + IMAGE_PATH}))

    with pytest.raises(RefusedByRegistryError, match="307"):
        client.get_manifest("team-a/api", IMAGE_DIGEST)
    assert other.received == []


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


# ---------------------------------------------------------------- secrets


def test_no_password_leaves_when_the_challenge_names_another_realm(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # CVE-2026-33540, CVE-2026-48978
    thief = new_server()
    challenge = {"WWW-Authenticate": f'Bearer realm="{thief.url}/token",service="x"'}
    server.on("GET", IMAGE_PATH, reply_with(401, b"", challenge))

    with pytest.raises(AccessDeniedError, match="ecr:BatchGetImage"):
        client.get_manifest("team-a/api", IMAGE_DIGEST)
    assert thief.received == []


def test_the_login_stays_behind_when_a_blob_is_stored_elsewhere(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # GHSA-vh4v-2xq2-g5cg: another port of the same host is another origin
    store = new_server()
    server.on("GET", BLOB_PATH, reply_with(307, b"", {"Location": f"{store.url}/stored?X-Amz-Signature=1"}))
    store.on("GET", "/stored", reply_with(200, BLOB))

    assert read(client) == BLOB
    assert secrets_seen_by(server) == [SECRET]
    assert secrets_seen_by(store) == []


def test_the_login_is_not_taken_up_again_when_the_way_leads_back(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # go-containerregistry#2337
    other = new_server()
    server.on("GET", BLOB_PATH, reply_with(307, b"", {"Location": f"{other.url}/there"}))
    other.on("GET", "/there", reply_with(302, b"", {"Location": f"{server.url}/back"}))
    server.on("GET", "/back", reply_with(200, BLOB))

    assert read(client) == BLOB
    assert secrets_seen_by(server) == [SECRET]
    assert [request.path for request in server.received] == [BLOB_PATH, "/back"]


def test_the_login_is_kept_when_a_blob_moves_within_the_registry(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    server.on("GET", BLOB_PATH, reply_with(307, b"", {"Location": "/elsewhere"}))
    server.on("GET", "/elsewhere", reply_with(200, BLOB))

    assert read(client) == BLOB
    assert secrets_seen_by(server) == [SECRET, SECRET]


def test_redirects_are_followed_five_times_and_no_more(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    hops = [reply_with(307, b"", {"Location": BLOB_PATH})] * limits.REDIRECTS
    server.on("GET", BLOB_PATH, *hops, reply_with(200, BLOB), *hops, hops[0])

    assert read(client) == BLOB
    with pytest.raises(RefusedByRegistryError, match="more than 5 times"):
        read(client)


def test_a_redirect_is_refused_when_it_leaves_encryption_or_http() -> None:
    def leading_to(location: str) -> HTTPResponse:
        return HTTPResponse(headers={"Location": location})

    assert redirect_target(leading_to("http://127.0.0.1/blob"), "http://registry/blob") == "http://127.0.0.1/blob"
    with pytest.raises(RefusedByRegistryError, match="not encrypted"):
        redirect_target(leading_to("http://127.0.0.1/blob"), "https://registry/blob")
    with pytest.raises(RefusedByRegistryError, match="no URL of a registry"):
        redirect_target(leading_to("file:///etc/passwd"), "http://registry/blob")


def test_neither_login_nor_content_leave_when_the_upload_is_elsewhere(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # CVE-2026-50151
    thief = new_server()
    server.on("POST", UPLOADS, reply_with(202, b"", {"Location": f"{thief.url}{UPLOAD}"}))

    with pytest.raises(RefusedByRegistryError, match="another server"):
        client.upload_blob("team-a/api", [BLOB], BLOB_DESCRIPTOR)
    assert thief.received == []


def test_neither_login_nor_content_leave_when_the_upload_moves_elsewhere_half_way(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # CVE-2026-50151
    thief = new_server()
    server.on("POST", UPLOADS, reply_with(202, b"", {"Location": UPLOAD}))
    server.on("PATCH", UPLOAD, reply_with(202, b"", {"Location": f"{thief.url}{UPLOAD}"}))
    server.on("DELETE", UPLOAD, reply_with(204))

    with pytest.raises(RefusedByRegistryError, match="another server"):
        client.upload_blob("team-a/api", [BLOB], BLOB_DESCRIPTOR)
    assert thief.received == []
    assert server.methods(UPLOAD) == ["PATCH", "DELETE"]


def test_no_page_is_asked_for_when_it_is_elsewhere(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:  # CVE-2026-85732
    thief = new_server()
    link = {**OF_AN_INDEX, "Link": f'<{thief.url}{REFERRERS_PATH}?last=x>; rel="next"'}
    server.on("GET", REFERRERS_PATH, reply_with(200, referrers(), link))

    with pytest.raises(RefusedByRegistryError, match="another server"):
        client.referrers("team-a/api", IMAGE_DIGEST)
    assert thief.received == []


def test_the_login_is_in_no_error_when_the_registry_repeats_it(
    server: Any, client: DistributionClient, reply_with: Reply, caplog: pytest.LogCaptureFixture
) -> None:  # GHSA-c37v-3c8w-crq8
    said = json.dumps({"errors": [{"code": "DENIED", "message": f"{SECRET} is not welcome\r\nforged log line"}]})
    server.on("GET", IMAGE_PATH, reply_with(403, said.encode()))
    server.on("POST", UPLOADS, reply_with(500, SECRET.encode()))

    with pytest.raises(AccessDeniedError) as denied:
        client.get_manifest("team-a/api", IMAGE_DIGEST)
    with pytest.raises(RegistryUnavailableError) as broken:
        client.upload_blob("team-a/api", [BLOB], BLOB_DESCRIPTOR)

    told = f"{denied.value!r} {broken.value!r} {caplog.text}"
    assert "c2VjcmV0" not in told
    assert "is not welcome" in told
    assert "\n" not in str(denied.value)


def test_a_presigned_url_is_in_no_error_when_the_store_refuses(
    server: Any, new_server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    store = new_server()
    server.on("GET", BLOB_PATH, reply_with(307, b"", {"Location": f"{store.url}/stored?X-Amz-Signature=canary"}))
    store.on("GET", "/stored", reply_with(403, b"<Error/>"))

    with pytest.raises(AccessDeniedError) as error:
        read(client)
    assert "canary" not in repr(error.value)
    assert "/stored" in str(error.value)


def test_a_url_with_a_password_is_no_origin() -> None:
    with pytest.raises(RefusedByRegistryError) as error:
        Origin.of("https://user:canary@registry/")
    assert "canary" not in str(error.value)
    for url in ("ftp://registry/", "registry", "http://", "http://[::1"):
        with pytest.raises(RefusedByRegistryError):
            Origin.of(url)


# ---------------------------------------------------------------- blobs


@pytest.mark.parametrize(
    "content", [BLOB[:-1] + b"!", BLOB[:-1], BLOB + b"!", b""], ids=["other", "short", "long", "nothing"]
)
def test_a_blob_is_not_handed_on_whole_when_it_is_not_what_its_digest_says(
    server: Any, client: DistributionClient, reply_with: Reply, content: bytes
) -> None:
    server.on("GET", BLOB_PATH, reply_with(200, content))
    got = b""

    with (
        pytest.raises(DigestMismatchError, match=str(BLOB_DESCRIPTOR.digest)),
        client.open_blob("team-a/api", BLOB_DESCRIPTOR) as chunks,
    ):
        for chunk in chunks:
            got += chunk
    assert len(got) < len(BLOB)


def test_an_endless_blob_is_left_at_its_size(server: Any, client: DistributionClient, stream_with: Reply) -> None:
    def flood() -> Iterator[bytes]:
        while True:
            yield b"10000\r\n" + b"x" * 65536 + b"\r\n"

    server.on("GET", BLOB_PATH, stream_with(flood, {"Transfer-Encoding": "chunked"}))

    with pytest.raises(DigestMismatchError, match=f"more than the {len(BLOB)} bytes"):
        read(client)


@pytest.mark.parametrize("framing", [{"Content-Length": str(len(BLOB))}, {"Transfer-Encoding": "chunked"}])
def test_a_blob_is_to_be_tried_again_when_the_connection_is_cut(
    server: Any, client: DistributionClient, stream_with: Reply, framing: dict[str, str]
) -> None:
    part = BLOB[:100] if "Content-Length" in framing else b"64\r\n" + BLOB[:100] + b"\r\n"
    server.on("GET", BLOB_PATH, stream_with(lambda: iter([part]), framing))

    with pytest.raises(RegistryUnavailableError, match="cut short"):
        read(client)


def test_a_blob_is_to_be_tried_again_when_no_byte_comes(
    server: Any, client: DistributionClient, stream_with: Reply
) -> None:
    def stall() -> Iterator[bytes]:
        yield BLOB[:10]
        time.sleep(1.5)

    server.on("GET", BLOB_PATH, stream_with(stall, {"Content-Length": str(len(BLOB))}))

    with pytest.raises(RegistryUnavailableError, match="ReadTimeoutError"):
        read(client)


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


@pytest.fixture
def arranged(server: Any, reply_with: Reply) -> Any:
    """A server that takes an upload, cancels included."""
    server.on("POST", UPLOADS, reply_with(202, b"", {"Location": f"{UPLOAD}?state=1"}))
    server.on("PATCH", UPLOAD, reply_with(201, b"", {"Location": f"{UPLOAD}?state=2"}))
    server.on("PUT", UPLOAD, reply_with(201, b"", {"Docker-Content-Digest": BLOB_DESCRIPTOR.digest.value}))
    server.on("DELETE", UPLOAD, reply_with(204))
    return server


def test_a_blob_is_uploaded_in_one_stream_when_all_is_well(arranged: Any, client: DistributionClient) -> None:
    client.upload_blob("team-a/api", (BLOB[i : i + 1000] for i in range(0, len(BLOB), 1000)), BLOB_DESCRIPTOR)

    post, patch, put = arranged.received
    assert post.path == UPLOADS
    assert patch.body == BLOB
    assert patch.path == f"{UPLOAD}?state=1"
    assert put.path == f"{UPLOAD}?state=2&digest={str(BLOB_DESCRIPTOR.digest).replace(':', '%3A')}"


def test_an_empty_blob_is_uploaded_too(arranged: Any, client: DistributionClient, reply_with: Reply) -> None:
    empty = Descriptor("text/plain", Digest(f"sha256:{hashlib.sha256().hexdigest()}"), 0)
    arranged.on("PUT", UPLOAD, reply_with(201))

    with pytest.raises(DigestMismatchError, match="stored as"):
        client.upload_blob("team-a/api", [], empty)  # the first answer still tells of the other blob
    client.upload_blob("team-a/api", [], empty)


@pytest.mark.parametrize("content", [BLOB[:-1] + b"!", BLOB[:-1], BLOB + b"!"], ids=["other", "short", "long"])
def test_an_upload_is_cancelled_when_the_bytes_are_wrong(
    arranged: Any, client: DistributionClient, content: bytes
) -> None:
    with pytest.raises(DigestMismatchError):
        client.upload_blob("team-a/api", [content], BLOB_DESCRIPTOR)

    assert "PUT" not in arranged.methods(UPLOAD)
    assert arranged.methods(UPLOAD)[-1] == "DELETE"


def test_a_copy_is_cancelled_when_the_source_is_cut_in_mid_blob(
    arranged: Any, new_server: Any, client: DistributionClient, transport: Transport, stream_with: Reply
) -> None:
    source = new_server()
    source.on("GET", BLOB_PATH, stream_with(lambda: iter([BLOB[:100]]), {"Content-Length": str(len(BLOB))}))
    from_there = DistributionClient(source.url, lambda: "Basic b3RoZXI=", transport=transport)

    with pytest.raises(RegistryUnavailableError, match="cut short"):
        from_there.copy_blob("team-a/api", client, "team-a/api", BLOB_DESCRIPTOR)

    assert "PUT" not in arranged.methods(UPLOAD)
    assert arranged.methods(UPLOAD)[-1] == "DELETE"
    assert set(secrets_seen_by(source)) == {"Basic b3RoZXI="}
    assert set(secrets_seen_by(arranged)) == {SECRET}


def test_the_first_error_is_told_when_the_upload_cannot_even_be_cancelled(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    server.on("POST", UPLOADS, reply_with(202, b"", {"Location": UPLOAD}))
    server.on("DELETE", UPLOAD, reply_with(405))

    with pytest.raises(DigestMismatchError) as error:
        client.upload_blob("team-a/api", [BLOB + b"!"], BLOB_DESCRIPTOR)
    assert "could not be cancelled" in error.value.__notes__[0]


def test_an_upload_is_to_be_tried_again_when_it_was_answered_too_early(
    arranged: Any, client: DistributionClient, reply_with: Reply
) -> None:
    def early(handler: Any) -> None:
        reply_with(202, b"", {"Location": UPLOAD, "Connection": "close"})(handler)
        handler.close_connection = True

    early.is_early = True  # type: ignore[attr-defined]
    arranged._answers["PATCH", UPLOAD] = [early]
    size = 50_000_000
    large = Descriptor("application/octet-stream", BLOB_DESCRIPTOR.digest, size)

    with pytest.raises(RegistryUnavailableError):
        client.upload_blob("team-a/api", (b"x" * 100_000 for _ in range(size // 100_000 - 1)), large)
    assert "PUT" not in arranged.methods(UPLOAD)


def test_an_upload_is_no_success_when_another_blob_was_stored(
    arranged: Any, client: DistributionClient, reply_with: Reply
) -> None:
    arranged._answers["PUT", UPLOAD] = [reply_with(201, b"", {"Docker-Content-Digest": f"sha256:{'0' * 64}"})]

    with pytest.raises(DigestMismatchError, match="stored as"):
        client.upload_blob("team-a/api", [BLOB], BLOB_DESCRIPTOR)


# ---------------------------------------------------------------- referrers


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


# ---------------------------------------------------------------- broken answers


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
        DistributionClient(url, lambda: SECRET, transport=transport).get_manifest("team-a/api", IMAGE_DIGEST)
