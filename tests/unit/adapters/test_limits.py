"""Each limit of the clients: at its value all is well, one beyond it is not. docs/limits.md says the same of them."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from ecr_steward.adapters import limits
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of, parse_manifest
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST, Descriptor
from ecr_steward.domain.names import image_tag
from ecr_steward.errors import InvalidManifestError, RefusedByRegistryError, StewardError
from ecr_steward.rulebook.words import REGEX_CHARACTERS
from ecr_steward_cli.copying.layout import INDEX_BYTES
from ecr_steward_cli.rulebook_file import SIZE_LIMIT, VALUE_LIMIT

type Reply = Callable[..., Any]

PAGE = Path(__file__).parents[3] / "docs" / "limits.md"
ELSEWHERE = {
    "SIZE_LIMIT": SIZE_LIMIT,
    "VALUE_LIMIT": VALUE_LIMIT,
    "REGEX_CHARACTERS": REGEX_CHARACTERS,
    "INDEX_BYTES": INDEX_BYTES,
}
LAYER = {"mediaType": "a/b", "digest": f"sha256:{'b' * 64}", "size": 2}
IMAGE = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": LAYER, "layers": []}).encode()
DIGEST = digest_of(IMAGE)
TAG_PATH = "/v2/team-a/api/manifests/1"
TAGS_PATH = "/v2/team-a/api/tags/list"
REFERRERS_PATH = f"/v2/team-a/api/referrers/{DIGEST}"
BLOB = bytes(range(256)) * 40
ABOUT_BLOB = Descriptor("a/b", digest_of(BLOB), len(BLOB))
BLOB_PATH = f"/v2/team-a/api/blobs/{ABOUT_BLOB.digest}"


def in_words(name: str, value: float) -> str:
    """A limit as people write it."""
    if name.endswith("_SECONDS"):
        return f"{value} s"
    if name.endswith("BYTES") or name == "SIZE_LIMIT":
        return f"{value // 2**20} MiB" if value >= 2**20 else f"{value // 2**10} KiB"
    return f"{value:,}"


def test_the_page_and_the_code_agree_about_every_limit() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    named = {name: value for name, value in vars(limits).items() if name.isupper()} | ELSEWHERE

    assert told == {name: in_words(name, value) for name, value in named.items()}


def get(client: DistributionClient) -> None:
    client.get_manifest("team-a/api", image_tag("1"))


@pytest.mark.parametrize(("more", "said"), [(0, "is told"), (1, "very long explanation")])
def test_a_refusal_is_read_up_to_its_limit(
    server: Any, client: DistributionClient, reply_with: Reply, more: int, said: str
) -> None:
    told = b'{"errors": [{"code": "X", "message": "is told"}]}'
    server.on("GET", TAG_PATH, reply_with(400, told.ljust(limits.ERROR_BYTES + more)))

    with pytest.raises(StewardError, match=said):
        get(client)


@pytest.mark.parametrize("early", [b"", b"HTTP/1.1 100 Continue\r\nX-More: 1\r\n\r\n" * 100], ids=["", "after 100"])
@pytest.mark.parametrize("more", [0, 1])
def test_headers_are_read_up_to_their_limit(server: Any, client: DistributionClient, more: int, early: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(IMAGE)}\r\nX-Long: ".encode()
    body = b"\r\n\r\n" + IMAGE
    room = limits.HEADER_BYTES - len(early) - len(head) - len(b"\r\n\r\n") - len(b"\r\nX-Other: ")
    half = room // 2

    def answer(handler: Any) -> None:
        handler.wfile.write(early + head + b"x" * half + b"\r\nX-Other: " + b"x" * (room - half + more) + body)
        handler.close_connection = True

    server.on("GET", TAG_PATH, answer)

    if more:
        with pytest.raises(RefusedByRegistryError, match="headers are over the limit of 65536 bytes"):
            get(client)
    else:
        get(client)
    assert len(server.received) == 1


@pytest.mark.parametrize("part", [b"X", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_headers_are_given_up_when_they_drip(
    server: Any, client: DistributionClient, monkeypatch: pytest.MonkeyPatch, part: bytes
) -> None:
    def answer(handler: Any) -> None:
        for _ in range(200):
            handler.wfile.write(part)
            time.sleep(0.01)
        handler.close_connection = True

    server.on("GET", TAG_PATH, answer)
    monkeypatch.setattr(limits, "HEADER_SECONDS", 0.2)

    with pytest.raises(RefusedByRegistryError, match=r"headers took longer than 0.2 s"):
        get(client)


@pytest.mark.parametrize("more", [0, 1])
def test_a_manifest_has_layers_up_to_their_limit(more: int) -> None:
    layers = [LAYER] * (limits.CHILDREN + more)
    content = json.dumps(json.loads(IMAGE) | {"layers": layers}).encode()

    if more:
        with pytest.raises(InvalidManifestError, match="over the limit of 1000"):
            parse_manifest(content)
    else:
        assert len(parse_manifest(content).blobs) == 1 + limits.CHILDREN


def listed(first: int, count: int) -> bytes:
    entries = [{"mediaType": "a/b", "digest": f"sha256:{n:064x}", "size": 1} for n in range(first, first + count)]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()


@pytest.mark.parametrize("more", [0, 1])
def test_an_image_has_referrers_up_to_their_limit_over_all_pages(
    server: Any, client: DistributionClient, reply_with: Reply, more: int
) -> None:
    link = {"Link": f'<{REFERRERS_PATH}?last=1>; rel="next"'}
    second = listed(5000, limits.REFERRERS - 5000 + more)
    server.on("GET", REFERRERS_PATH, reply_with(200, listed(0, 5000), link), reply_with(200, second))

    if more:
        with pytest.raises(RefusedByRegistryError, match=f"more than {limits.REFERRERS} referrers of {DIGEST}"):
            client.referrers("team-a/api", DIGEST)
    else:
        assert len(client.referrers("team-a/api", DIGEST)) == limits.REFERRERS


@pytest.fixture
def two_pages(server: Any, reply_with: Reply) -> int:
    """Three tags on each of two pages; the bytes of both."""
    link = {"Link": f'<{TAGS_PATH}?last=c>; rel="next"'}
    pages = [json.dumps({"tags": list(tags)}).encode() for tags in ("abc", "def")]
    server.on("GET", TAGS_PATH, reply_with(200, pages[0], link), reply_with(200, pages[1]))
    return sum(map(len, pages))


@pytest.mark.parametrize("most", [6, 5])
def test_a_repository_has_tags_up_to_their_limit(
    two_pages: int, client: DistributionClient, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(limits, "IMAGE_TAGS", most)

    if most == 5:
        with pytest.raises(RefusedByRegistryError, match="more than 5 image tags of team-a/api"):
            list(client.image_tags("team-a/api"))
    else:
        assert "".join(client.image_tags("team-a/api")) == "abcdef"


@pytest.mark.parametrize("less", [0, 1])
def test_a_list_has_bytes_up_to_their_limit_over_all_pages(
    two_pages: int, client: DistributionClient, monkeypatch: pytest.MonkeyPatch, less: int
) -> None:
    monkeypatch.setattr(limits, "LIST_BYTES", two_pages - less)

    if less:
        with pytest.raises(RefusedByRegistryError, match=r"image tags of team-a/api are over the limit of \d+ bytes"):
            list(client.image_tags("team-a/api"))
    else:
        assert "".join(client.image_tags("team-a/api")) == "abcdef"


@pytest.mark.parametrize("entries_per_second", [1, 1e9])
def test_a_list_takes_no_longer_than_what_has_come_is_worth(
    two_pages: int, client: DistributionClient, monkeypatch: pytest.MonkeyPatch, entries_per_second: float
) -> None:
    monkeypatch.setattr(limits, "LIST_SECONDS", 0)
    monkeypatch.setattr(limits, "ENTRIES_PER_SECOND", entries_per_second)
    tags = client.image_tags("team-a/api")
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(limits, "LIST_SECONDS", 20)  # for the first page, before which nothing has come
        assert next(tags) == "a"

    if entries_per_second == 1:
        assert "".join(tags) == "bcdef"
    else:
        with pytest.raises(RefusedByRegistryError, match="took longer than 0 s"):
            list(tags)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param((1000, 8, False), marks=pytest.mark.slow),
        (999, 8, True),
        pytest.param((999, 7, False), marks=pytest.mark.slow),
    ],
)
def test_a_body_may_be_slow_or_stall_and_must_not_drip(
    server: Any,
    client: DistributionClient,
    stream_with: Reply,
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[int, int, bool],
) -> None:
    bytes_, parts, drips = case
    monkeypatch.setattr(limits, "DRIP_SECONDS", 0.3)
    monkeypatch.setattr(limits, "DRIP_BYTES", 1000)

    def slowly() -> Iterator[bytes]:
        for number in range(parts - 1):
            yield BLOB[number : number + 1]
            time.sleep(0.03)
        time.sleep(0.35)
        yield BLOB[parts - 1 : bytes_]
        time.sleep(0.1)
        yield BLOB[bytes_:]

    server.on("GET", BLOB_PATH, stream_with(slowly, {"Content-Length": str(len(BLOB))}))

    if drips:
        with pytest.raises(RefusedByRegistryError, match="an answer drips: 999 bytes"):
            read(client)
    else:
        assert read(client) == BLOB


def test_a_body_must_not_stall_again_and_again(
    server: Any, client: DistributionClient, stream_with: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DRIP_SECONDS", 0.1)

    def haltingly() -> Iterator[bytes]:
        for number in range(10):
            yield BLOB[number : number + 1]
            time.sleep(0.15)

    server.on("GET", BLOB_PATH, stream_with(haltingly, {"Content-Length": str(len(BLOB))}))

    with pytest.raises(RefusedByRegistryError, match="an answer drips"):
        read(client)


@pytest.mark.slow
def test_the_time_that_others_take_is_not_the_registrys(
    server: Any, client: DistributionClient, reply_with: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DRIP_SECONDS", 0.2)
    monkeypatch.setattr(limits, "BLOB_CHUNK_BYTES", 4096)
    server.on("GET", BLOB_PATH, reply_with(200, BLOB))

    with client.open_blob("team-a/api", ABOUT_BLOB) as chunks:
        for _ in chunks:
            time.sleep(0.3)


def read(client: DistributionClient) -> bytes:
    with client.read_blob("team-a/api", ABOUT_BLOB) as chunks:
        return b"".join(chunks)


def part(start: int, *, said: int | None = None) -> Callable[[Any], None]:
    """A hundred bytes of the blob, and then the connection is gone; it says that they begin at ``said``."""

    def answer(handler: Any) -> None:
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(BLOB) - start))
        handler.send_header("Content-Range", f"bytes {start if said is None else said}-{len(BLOB) - 1}/{len(BLOB)}")
        handler.end_headers()
        handler.wfile.write(BLOB[start : start + 100])
        handler.close_connection = True

    return answer


@pytest.mark.parametrize("less", [0, 1])
def test_a_download_goes_on_as_often_as_its_limit_says(
    server: Any, client: DistributionClient, monkeypatch: pytest.MonkeyPatch, less: int
) -> None:
    parts = -(-len(BLOB) // 100)
    server.on("GET", BLOB_PATH, *(part(100 * number) for number in range(parts)))
    monkeypatch.setattr(limits, "RESUMES", parts - 1 - less)

    if less:
        with pytest.raises(RefusedByRegistryError, match=f"cut short more than {parts - 2} times"):
            read(client)
    else:
        assert read(client) == BLOB


@pytest.mark.parametrize("said", [0, 99, 101])
def test_a_download_is_given_up_when_it_goes_on_elsewhere(server: Any, client: DistributionClient, said: int) -> None:
    server.on("GET", BLOB_PATH, part(0), part(100, said=said))

    with pytest.raises(RefusedByRegistryError, match="goes on elsewhere than after 100 bytes"):
        read(client)


@pytest.mark.parametrize(
    "before", [0, pytest.param(1, marks=pytest.mark.slow)], ids=["a new connection", "one that was used before"]
)
def test_a_chunk_may_leave_slower_than_a_connection_is_made(monkeypatch: pytest.MonkeyPatch, before: int) -> None:
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 0.2)
    size = 32 * 2**20  # more than the buffers of both ends hold

    def take_late(listener: socket.socket) -> None:
        taken, _ = listener.accept()
        with taken, taken.makefile("rb") as stream:
            for length, late in [*[(1, 0.0)] * before, (size, 0.6)]:
                time.sleep(late)
                while stream.readline() != b"\r\n":
                    pass
                stream.read(length)
                taken.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        taker = Thread(target=take_late, args=(listener,), daemon=True)
        taker.start()
        transport, url = Transport(), f"http://127.0.0.1:{listener.getsockname()[1]}/"
        for length in [*[1] * before, size]:
            headers = {"Content-Length": str(length)}
            with transport.exchange(
                "PUT", url, operation="x", headers=headers, body=[b"x" * length], repeatable=False
            ) as answer:
                assert answer.status == 201
        transport.close()
        taker.join()


def test_a_refusal_without_end_is_left_before_the_next_try(
    server: Any, client: DistributionClient, stream_with: Reply, reply_with: Reply
) -> None:
    sent = 0

    def flood() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield b"10000\r\n" + b"x" * 65536 + b"\r\n"

    def busy(handler: Any) -> None:
        original = handler.send_response
        handler.send_response = lambda _: original(503)
        stream_with(flood, {"Transfer-Encoding": "chunked"})(handler)

    server.on("GET", TAG_PATH, busy, reply_with(200, IMAGE))

    get(client)

    assert sent < 32 * 2**20
