"""A job has no longer than its invocation: no try, wait or silence of a registry goes on after that.

What its time cuts short ends with OutOfTimeError; what is left to a registry ends with another error. A list has a time
of its own, which is none of the job's: it ends with RefusedByRegistryError.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any

import pytest

from ecr_steward.adapters import limits
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.adapters.patience import PATIENT
from ecr_steward.adapters.token_servers import ChallengedLogin
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.deadline import Deadline
from ecr_steward.domain.images import Descriptor
from ecr_steward.errors import OutOfTimeError, RefusedByRegistryError, RegistryUnavailableError

LIST = "/v2/team-a/api/tags/list"
BLOB = Descriptor("a/b", digest_of(b"blob"), 4)
SECONDS = 0.5
"""That a job has here; each test would take several times as long if nobody looked at them."""


def job(url: str, seconds: float = SECONDS, **changes: Any) -> DistributionClient:
    """A client of a job that has so many seconds."""
    transport = Transport(**changes).for_job(Deadline(countdown(seconds)))
    return DistributionClient(url, lambda: "Basic c2VjcmV0", transport=transport)


def countdown(seconds: float) -> Callable[[], float]:
    """What is left of so many seconds, from now on."""
    ends_at = time.monotonic() + seconds
    return lambda: ends_at - time.monotonic()


@pytest.fixture
def silent() -> Iterator[str]:
    """A registry that takes every connection, reads every request and never says a word."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def listen() -> None:
            while True:
                try:
                    stack.callback(listener.accept()[0].close)
                except OSError:
                    return

        Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda client: list(client.image_tags("team-a/api")), marks=pytest.mark.slow),
        lambda client: client.get_manifest("team-a/api", BLOB.digest),
        pytest.param(lambda client: client.upload_blob("team-a/api", [b"blob"], BLOB), marks=pytest.mark.slow),
    ],
    ids=["a list", "a manifest", "an upload, which is not asked for twice"],
)
def test_a_job_ends_in_time_when_a_registry_is_silent(silent: str, ask: Callable[[DistributionClient], Any]) -> None:
    with pytest.raises(OutOfTimeError):
        ask(job(silent))


def test_no_try_is_begun_when_its_pause_would_end_after_the_job(server: Any, reply_with: Any) -> None:
    server.on("GET", LIST, reply_with(500))

    with pytest.raises(OutOfTimeError):
        list(
            job(server.url, retries=PATIENT.new(total=4, backoff_factor=0.2, backoff_jitter=0)).image_tags("team-a/api")
        )

    assert 1 < len(server.received) < 5


def test_nobody_waits_when_a_registry_wants_to_be_asked_after_the_job(server: Any, reply_with: Any) -> None:
    server.on("GET", LIST, reply_with(429, b"", {"Retry-After": "20"}))
    left = countdown(10)

    with pytest.raises(OutOfTimeError):
        list(job(server.url, 10).image_tags("team-a/api"))

    assert len(server.received) == 1
    assert left() > 0


def test_nothing_is_asked_when_the_time_is_over(server: Any) -> None:
    with pytest.raises(OutOfTimeError):
        list(job(server.url, seconds=0).image_tags("team-a/api"))

    assert server.received == []


def test_a_job_ends_in_time_when_an_answer_does_not_go_on(server: Any, stream_with: Any) -> None:
    def stalling() -> Iterator[bytes]:
        yield b"bl"
        time.sleep(1.5)

    server.on("GET", f"/v2/team-a/api/blobs/{BLOB.digest}", stream_with(stalling, {"Content-Length": "4"}))

    with pytest.raises(OutOfTimeError), job(server.url).open_blob("team-a/api", BLOB) as chunks:
        list(chunks)


@pytest.mark.slow
def test_a_job_ends_in_time_when_an_answer_comes_slowly(server: Any, stream_with: Any) -> None:
    def slowly() -> Iterator[bytes]:
        for _ in range(8):
            yield b" "
            time.sleep(0.2)

    server.on("GET", LIST, stream_with(slowly, {"Content-Length": "8"}))

    with pytest.raises(OutOfTimeError):
        list(job(server.url).image_tags("team-a/api"))


def test_an_unavailable_registry_is_named_as_such_when_there_is_time_left(server: Any, reply_with: Any) -> None:
    server.on("GET", LIST, reply_with(500))

    with pytest.raises(RegistryUnavailableError):
        list(job(server.url, 20, retries=PATIENT.new(total=1)).image_tags("team-a/api"))


@pytest.mark.slow
def test_a_job_waits_as_long_as_a_job_without_an_end_when_the_connection_was_used_near_an_end(
    server: Any, stream_with: Any
) -> None:
    def late() -> Iterator[bytes]:
        time.sleep(0.6)
        yield b'{"tags": []}'

    server.on("GET", LIST, stream_with(lambda: [b'{"tags": []}'], {"Content-Length": "12"}), stream_with(late, {}))
    transport = Transport()
    for seconds in (0.4, 60.0):
        made = transport.for_job(Deadline(countdown(seconds)))
        client = DistributionClient(server.url, lambda: "Basic c2VjcmV0", transport=made)

        assert list(client.image_tags("team-a/api")) == []


def dripping(part: bytes, head: bytes = b"") -> Callable[[Any], None]:
    """An answer that comes byte by byte, and falls silent before the last one."""

    def answer(handler: Any) -> None:
        handler.wfile.write(head)
        for byte in part:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.05)
        time.sleep(2)
        handler.close_connection = True

    return answer


def cut_slowly(handler: Any) -> None:
    """An answer whose connection breaks after a while, each time that it is asked for."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
    time.sleep(0.2)
    handler.close_connection = True


ANSWERS = {
    "a head": dripping(b"HTTP"),
    "a body": dripping(b"    ", b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"),
    "a body that ends with its connection": dripping(b"    ", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
    "a broken connection after the other": cut_slowly,
}


@pytest.mark.parametrize(
    "answer",
    [pytest.param(answer, id=name, marks=[pytest.mark.slow] * (name != "a body")) for name, answer in ANSWERS.items()],
)
@pytest.mark.parametrize(
    "ask",
    [
        lambda client: list(client.image_tags("team-a/api")),
        pytest.param(lambda client: client.referrers("team-a/api", BLOB.digest), marks=pytest.mark.slow),
    ],
    ids=["image tags", "referrers"],
)
def test_a_list_ends_by_its_own_time_when_its_page_drips(
    server: Any, monkeypatch: pytest.MonkeyPatch, ask: Callable[[DistributionClient], Any], answer: Any
) -> None:
    monkeypatch.setattr(limits, "LIST_SECONDS", 0.3)
    for path in (LIST, f"/v2/team-a/api/referrers/{BLOB.digest}"):
        server.on("GET", path, answer)

    with pytest.raises(RefusedByRegistryError, match="took longer than 0 s, and there is more to come"):
        ask(job(server.url, 60, retries=PATIENT.new(total=0)))


def test_a_page_ends_by_its_own_time_when_those_before_came_fast(
    server: Any, reply_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SMALL_ANSWER_SECONDS", 0.3)
    link = {"Link": f'<{LIST}?n=2>; rel="next"'}
    server.on("GET", LIST, reply_with(200, b'{"tags": ["a", "b", "c", "d"]}', link), cut_slowly)

    with pytest.raises(RefusedByRegistryError, match="and there is more to come"):
        list(job(server.url, 60).image_tags("team-a/api"))


def test_a_list_is_left_at_once_when_its_registry_wants_to_be_asked_after_its_time(
    server: Any, reply_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIST_SECONDS", 5)
    server.on("GET", LIST, reply_with(503, b"", {"Retry-After": "10"}))

    with pytest.raises(RefusedByRegistryError, match="and there is more to come"):
        list(job(server.url, 60).image_tags("team-a/api"))

    assert len(server.received) == 1


def test_a_job_ends_when_its_time_is_over_before_that_of_a_list(silent: str) -> None:
    with pytest.raises(OutOfTimeError):
        list(job(silent, 0.2).image_tags("team-a/api"))


def test_a_login_ends_by_its_own_time_when_its_token_drips(
    server: Any, reply_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TOKEN_SECONDS", 0.3)
    challenge = {"WWW-Authenticate": f'Bearer realm="{server.url}/token",service="x"'}
    server.on("GET", LIST, reply_with(401, b"", challenge))
    server.on("GET", "/token", dripping(b"    ", b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"))
    login = ChallengedLogin(server.url, (), lambda: None, Transport())
    client = DistributionClient(
        server.url, login.authorization, challenged=login.challenged, transport=Transport(), is_ecr=False
    )

    with pytest.raises(RegistryUnavailableError, match=r"/token gave no token within 0.3 s"):
        list(client.image_tags("team-a/api"))
