"""A client that is slow, endless or one of too many is cut off, and keeps nobody else waiting."""

import asyncio
import threading
import time
from contextlib import suppress

import pytest

from local_ecr import LocalEcr, LocalEcrServer
from local_ecr import server as server_module
from local_ecr.limits import Limits
from tests.hosts.raw import connect, exchange, port_of, read_answer

BRIEF = Limits(head_seconds=0.3, body_seconds=0.3, body_bytes_per_second=1000)
PING = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
CALL = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Of a server that is soon impatient."""
    with LocalEcrServer(LocalEcr(tmp_path_factory.mktemp("brief")), limits=BRIEF) as server:
        yield port_of(server.endpoint_url)


@pytest.fixture
def usual_port(shared_stand):
    return port_of(shared_stand.server.endpoint_url)


def drip(connection, data, stop):
    """Send a byte every 50 ms, until it is enough for either side."""
    with suppress(OSError):
        for byte in data:
            if stop.wait(0.05):
                return
            connection.sendall(bytes([byte]))


def answer_to_dripping(port, at_once, slowly):
    """What the server says to a client that sends a part at once and the rest a byte at a time; seconds it took."""
    stop, began = threading.Event(), time.monotonic()
    with connect(port) as connection:
        connection.sendall(at_once)
        dripping = threading.Thread(target=drip, args=(connection, slowly, stop))
        dripping.start()
        try:
            return read_answer(connection), time.monotonic() - began
        finally:
            stop.set()
            dripping.join()


@pytest.mark.parametrize(
    ("at_once", "slowly", "what"),
    [
        (b"", PING * 3, "head"),
        (PING[:20], b"x" * 1000, "head"),
        (CALL, b"x" * 1000, "body"),
        (CALL.replace(b"Content-Length: 100000", b"Transfer-Encoding: chunked"), b"1\r\nx\r\n" * 100, "body"),
    ],
)
def test_a_client_is_cut_off_when_it_sends_a_byte_at_a_time(port, at_once, slowly, what):
    answer, seconds = answer_to_dripping(port, at_once, slowly)
    assert answer.status == 408
    assert answer.body == f"The {what} of the request came too slowly."
    assert 0.25 < seconds < 2


def test_a_client_is_cut_off_when_it_says_nothing_at_all(port):
    with connect(port) as connection:
        assert read_answer(connection).status == 408


def test_a_client_is_cut_off_when_its_second_request_is_slow(port):
    with connect(port) as connection:
        connection.sendall(PING)
        assert read_answer(connection).status == 401
        connection.sendall(PING[:20])
        assert read_answer(connection).status == 408


@pytest.mark.slow
def test_a_connection_stays_when_its_client_rests_between_requests(port):
    with connect(port) as connection:
        for _ in range(2):
            connection.sendall(PING)
            assert read_answer(connection).status == 401
            time.sleep(0.5)


@pytest.mark.slow
def test_a_body_is_taken_when_it_is_slow_but_fast_enough(port):
    with connect(port) as connection:
        connection.sendall(CALL.replace(b"100000", b"3000"))
        for _ in range(10):
            connection.sendall(b"x" * 300)
            time.sleep(0.1)
        assert read_answer(connection).status == 400, "a call without an operation, read to its end"


@pytest.fixture(scope="module")
def idle_port(tmp_path_factory):
    """Of a server that is soon impatient, and takes longer than that to read a body."""

    async def slow_to_read(_scope, receive, send):
        await asyncio.sleep(0.8)
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with LocalEcrServer(LocalEcr(tmp_path_factory.mktemp("idle")), limits=BRIEF, app=slow_to_read) as server:
        yield port_of(server.endpoint_url)


@pytest.mark.slow
def test_a_client_is_not_cut_off_when_it_waits_to_be_told_to_send_its_body(idle_port):
    with connect(idle_port) as connection:
        connection.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert read_answer(connection).status == 100
        connection.sendall(b"{}")
        assert read_answer(connection).status == 204


@pytest.mark.slow
def test_a_client_is_not_cut_off_when_nobody_reads_what_it_sends(idle_port):
    size = 32 * 1024 * 1024  # more than any buffer on the way
    with connect(idle_port) as connection:
        connection.sendall(f"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode() + bytes(size))
        assert read_answer(connection).status == 204


@pytest.mark.slow
def test_a_client_is_not_cut_off_when_it_has_begun_its_next_request_before_the_answer(idle_port):
    with connect(idle_port) as connection:
        connection.sendall(PING + PING[:20])
        assert read_answer(connection).status == 204
        connection.sendall(PING[20:])
        assert read_answer(connection).status == 204


def test_others_are_served_at_once_when_many_clients_are_slow(usual_port):
    slow = [connect(usual_port) for _ in range(100)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall(PING[:20] if number % 2 else CALL)
        began = time.monotonic()
        assert exchange(usual_port, PING).status == 401
        assert time.monotonic() - began < 1
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /v2/ HTTP/1.1\r\nX: " + b"a" * (64 * 1024) + b"\r\n\r\n",
        b"GET /v2/ HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
        b"GET /v2/" + b"a" * (64 * 1024) + b" HTTP/1.1\r\n\r\n",
        b"GET /v2/ HTTP/1.1\r\nX: " + b"a" * 1_000_000,  # it never ends
        b"GET /v2/ HTTP/1.1\r\n" + b"a" * 1_000_000,
    ],
    ids=["one header", "many headers", "the path", "an endless header", "an endless name"],
)
def test_a_request_is_refused_when_its_head_is_huge(usual_port, request_):
    answer = exchange(usual_port, request_)
    assert answer.status == 431
    assert answer.body == "A request has at most 65536 bytes of headers."


def test_a_request_is_served_when_its_head_is_large(usual_port):
    head = b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (63 * 1024) + b"\r\n\r\n"
    assert exchange(usual_port, head).status == 401


def test_trailers_are_refused_when_they_do_not_end(usual_port):
    request = CALL.replace(b"Content-Length: 100000", b"Transfer-Encoding: chunked") + b"0\r\n" + b"a: b\r\n" * 50_000
    assert exchange(usual_port, request).status == 431


def test_one_connection_more_is_refused_when_too_many_are_open(serve):
    port = port_of(serve(limits=Limits(connections=3)).endpoint_url)
    open_ones = [connect(port) for _ in range(3)]
    try:
        for connection in open_ones:
            connection.sendall(PING)
            assert read_answer(connection).status == 401
        with connect(port) as one_more:
            assert read_answer(one_more).status == 503
        open_ones.pop().close()
        while exchange(port, PING).status == 503:
            time.sleep(0.05)
    finally:
        for connection in open_ones:
            connection.close()


@pytest.mark.parametrize(
    ("request_bytes", "rest"),
    [(PING, b"\r\n"), (PING.replace(b"\r\n\r\n", b"\r\nContent-Length: 4\r\n\r\n"), b"rest")],
)
def test_a_connection_ends_when_no_request_follows_what_came_after_an_answer(
    tmp_path, monkeypatch, request_bytes, rest
):
    monkeypatch.setattr(server_module, "KEEP_ALIVE", 0.2)
    with LocalEcrServer(LocalEcr(tmp_path)) as server, connect(port_of(server.endpoint_url)) as connection:
        connection.sendall(request_bytes)
        assert read_answer(connection).status == 401
        connection.sendall(rest)
        connection.settimeout(2)
        assert connection.recv(1) == b""
