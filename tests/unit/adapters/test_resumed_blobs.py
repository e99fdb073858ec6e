"""A broken download goes on from the last good byte."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.domain.images import Descriptor
from ecr_steward.domain.names import Digest
from ecr_steward.errors import RegistryUnavailableError

CONTENT = bytes(range(256)) * 40
BLOB = Descriptor("a/b", Digest(f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"), len(CONTENT))
PATH = f"/v2/team-a/api/blobs/{BLOB.digest}"


def broken(content: bytes) -> Any:
    """The beginning of the blob, and then the connection is gone."""

    def answer(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        with suppress(BrokenPipeError):
            handler.wfile.write(content)
        handler.close_connection = True

    return answer


def rest(handler: Any) -> None:
    """What was asked for by Range, or less of it than that."""
    start = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
    handler.send_header("Content-Length", str(len(CONTENT) - start))
    handler.end_headers()
    handler.wfile.write(CONTENT[start : start + 3000])
    handler.close_connection = True


def read(client: DistributionClient) -> bytes:
    with client.read_blob("team-a/api", BLOB) as chunks:
        return b"".join(_all(chunks))


def _all(chunks: Any) -> Iterator[bytes]:
    yield from chunks


def test_each_byte_comes_once_when_the_connection_breaks_again_and_again(
    server: Any, client: DistributionClient
) -> None:
    server.on("GET", PATH, broken(CONTENT[:1000]), rest)

    assert read(client) == CONTENT
    asked = [each.headers.get("range") for each in server.received]
    assert asked == [None, "bytes=1000-", "bytes=4000-", "bytes=7000-", "bytes=10000-"]


def test_it_ends_when_nothing_comes_any_more(server: Any, client: DistributionClient) -> None:
    server.on("GET", PATH, broken(CONTENT[:1000]), broken(b""))

    with pytest.raises(RegistryUnavailableError):
        read(client)


def test_whoever_reads_begins_anew_when_the_registry_knows_no_range(server: Any, client: DistributionClient) -> None:
    server.on("GET", PATH, broken(CONTENT[:1000]), broken(CONTENT))

    with pytest.raises(RegistryUnavailableError, match="cut short after 1000 of"):
        read(client)
