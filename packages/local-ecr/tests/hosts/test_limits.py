"""Clients that are slow, or too many, keep nobody else waiting; a body has no end but the one of what it is for."""

import asyncio
from contextlib import ExitStack

import pytest

from local_ecr import LocalEcr, LocalEcrServer
from local_ecr import server as server_module
from tests.hosts.raw import connect, exchange, port_of, read_answer

PING = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
CALL = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"


@pytest.fixture
def port(shared_stand):
    return port_of(shared_stand.server.endpoint_url)


def test_others_are_served_when_many_clients_are_in_the_middle_of_a_request(port):
    with ExitStack() as stack:
        for number in range(100):
            slow = stack.enter_context(connect(port))
            slow.sendall(PING[:20] if number % 2 else CALL)
        assert exchange(port, PING).status == 401


def test_one_connection_more_is_refused_when_too_many_are_open(serve, monkeypatch):
    monkeypatch.setattr(server_module, "MOST_CONNECTIONS", 3)
    port = port_of(serve().endpoint_url)
    with ExitStack() as stack:
        for _ in range(2):
            connection = stack.enter_context(connect(port))
            connection.sendall(PING)
            assert read_answer(connection).status == 401
        with connect(port) as one_more:
            one_more.sendall(PING)
            assert read_answer(one_more).status == 503
        stack.close()
        while exchange(port, PING).status == 503:  # until the server has seen that they have gone
            pass


def test_a_client_that_waits_to_be_told_to_send_its_body_is_told(tmp_path):
    async def reads_to_the_end(_scope, receive, send):
        while (await receive()).get("more_body"):
            await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with (
        LocalEcrServer(LocalEcr(tmp_path), app=reads_to_the_end) as server,
        connect(port_of(server.endpoint_url)) as connection,
    ):
        connection.sendall(b"PUT / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert read_answer(connection).status == 100
        connection.sendall(b"{}")
        assert read_answer(connection).status == 204


def test_a_connection_ends_when_no_request_follows_an_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(server_module, "KEEP_ALIVE", 0.05)
    with LocalEcrServer(LocalEcr(tmp_path)) as server, connect(port_of(server.endpoint_url)) as connection:
        connection.sendall(PING)
        assert read_answer(connection).status == 401
        assert connection.recv(1) == b""
