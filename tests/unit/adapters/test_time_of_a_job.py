"""A job has no longer than its invocation: no try, wait or silence of a registry goes on after that.

What its time cuts short ends with OutOfTimeError; what is left to a registry ends with another error.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any

import pytest

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.adapters.transport import PATIENT, Transport
from ecr_steward.domain.images import Descriptor
from ecr_steward.errors import OutOfTimeError, RegistryUnavailableError

LIST = "/v2/team-a/api/tags/list"
BLOB = Descriptor("a/b", digest_of(b"blob"), 4)
SECONDS = 0.5
"""That a job has here; each test would take several times as long if nobody looked at them."""


def job(url: str, seconds: float = SECONDS, **changes: Any) -> DistributionClient:
    """A client of a job that has so many seconds."""
    transport = Transport(**changes).for_job(countdown(seconds))
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
        lambda client: list(client.image_tags("team-a/api")),
        lambda client: client.get_manifest("team-a/api", BLOB.digest),
        lambda client: client.upload_blob("team-a/api", [b"blob"], BLOB),
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


def test_a_job_waits_as_long_as_a_job_without_an_end_when_the_connection_was_used_near_an_end(
    server: Any, stream_with: Any
) -> None:
    def late() -> Iterator[bytes]:
        time.sleep(0.6)
        yield b'{"tags": []}'

    server.on("GET", LIST, stream_with(lambda: [b'{"tags": []}'], {"Content-Length": "12"}), stream_with(late, {}))
    transport = Transport()
    for seconds in (0.4, 60.0):
        made = transport.for_job(countdown(seconds))
        client = DistributionClient(server.url, lambda: "Basic c2VjcmV0", transport=made)

        assert list(client.image_tags("team-a/api")) == []
