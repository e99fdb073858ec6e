"""A registry whose blobs are wrong, endless or cut short, or that takes an upload badly."""

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.images import Descriptor
from ecr_steward.domain.names import Digest
from ecr_steward.errors import (
    DigestMismatchError,
    RegistryUnavailableError,
)

type Reply = Callable[..., Any]

SECRET = "Basic c2VjcmV0"
BLOB = b"all of it" * 1000
BLOB_DESCRIPTOR = Descriptor("application/octet-stream", digest_of(BLOB), len(BLOB))
BLOB_PATH = f"/v2/team-a/api/blobs/{BLOB_DESCRIPTOR.digest}"
UPLOADS = "/v2/team-a/api/blobs/uploads/"
UPLOAD = UPLOADS + "1"


def read(client: DistributionClient, blob: Descriptor = BLOB_DESCRIPTOR) -> bytes:
    with client.open_blob("team-a/api", blob) as chunks:
        return b"".join(chunks)


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


@pytest.mark.slow
def test_a_blob_is_to_be_tried_again_when_no_byte_comes(
    server: Any, client: DistributionClient, stream_with: Reply
) -> None:
    def stall() -> Iterator[bytes]:
        yield BLOB[:10]
        time.sleep(1.5)

    server.on("GET", BLOB_PATH, stream_with(stall, {"Content-Length": str(len(BLOB))}))

    with pytest.raises(RegistryUnavailableError, match="ReadTimeoutError"):
        read(client)


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
    assert arranged.methods(UPLOAD).count("DELETE") == 1  # its own connection: it may overtake the broken PATCH


def test_a_copy_is_cancelled_when_the_source_is_cut_in_mid_blob(
    arranged: Any, new_server: Any, client: DistributionClient, transport: Transport, stream_with: Reply
) -> None:
    source = new_server()
    source.on("GET", BLOB_PATH, stream_with(lambda: iter([BLOB[:100]]), {"Content-Length": str(len(BLOB))}))
    from_there = DistributionClient(source.url, lambda: "Basic b3RoZXI=", transport=transport)

    with pytest.raises(RegistryUnavailableError, match="cut short"):
        client.have_blob("team-a/api", BLOB_DESCRIPTOR, lambda: from_there.read_blob("team-a/api", BLOB_DESCRIPTOR))

    assert "PUT" not in arranged.methods(UPLOAD)
    assert arranged.methods(UPLOAD).count("DELETE") == 1  # its own connection: it may overtake the broken PATCH
    assert set(source.logins) == {"Basic b3RoZXI="}
    assert set(arranged.logins) == {SECRET}


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


SHA512 = Descriptor("application/octet-stream", digest_of(BLOB, "sha512"), len(BLOB))


@pytest.mark.parametrize(
    "case",
    [
        (digest_of(BLOB), 200, ""),
        (digest_of(BLOB), 404, "not found by its own digest: this registry does not keep blobs by sha512"),
        (digest_of(b"another"), 200, "was stored as"),
    ],
    ids=["it is found by both", "it is found by sha256 alone", "another blob"],
)
def test_a_sha512_blob_arrives_when_a_registry_that_names_all_by_sha256_finds_it_by_both(
    arranged: Any, client: DistributionClient, reply_with: Reply, case: tuple[Digest, int, str]
) -> None:
    stored, found, says = case
    arranged._answers["PUT", UPLOAD] = [reply_with(201, b"", {"Docker-Content-Digest": stored.value})]
    arranged.on("HEAD", f"/v2/team-a/api/blobs/{SHA512.digest}", reply_with(found))

    if not says:
        client.upload_blob("team-a/api", [BLOB], SHA512)
    else:
        with pytest.raises(DigestMismatchError, match=says):
            client.upload_blob("team-a/api", [BLOB], SHA512)
