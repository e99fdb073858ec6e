"""A server that cannot end gives back what it holds all the same."""

import socket
import threading
from urllib.parse import urlsplit

import pytest
import urllib3

from local_ecr import LocalEcr, LocalEcrServer, Quirks, background, prompt_server
from local_ecr import server as server_module


def test_sockets_and_store_are_closed_when_the_server_does_not_end(tmp_path, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    async def holds_the_loop(_scope, _receive, send):
        begun.set()
        go_on.wait(20)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    server = LocalEcrServer(LocalEcr(tmp_path / "ecr"), app=holds_the_loop)
    server.start()
    port = int(server.endpoint_url.rpartition(":")[2])
    asks = threading.Thread(target=lambda: urllib3.request("GET", server.endpoint_url, retries=False, timeout=20))
    asks.start()
    try:
        assert begun.wait(10)
        monkeypatch.setattr(server_module, "STOP_TIMEOUT", 0.05)

        with pytest.raises(TimeoutError, match="did not end"):
            server.stop()

        socket.create_server(("127.0.0.1", port)).close()
        LocalEcr(tmp_path / "ecr").close()
    finally:
        go_on.set()
        asks.join(20)
        server._thread.join(20)


def test_nothing_is_logged_when_the_server_ends_in_the_middle_of_an_upload(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(prompt_server, "GRACE", 0.05)
    with LocalEcrServer(LocalEcr(tmp_path / "ecr", authorize=False, quirks=Quirks.none())) as server:
        registry = server.registry_url("111122223333", "us-east-1")
        begun = urllib3.request("POST", f"{registry}/v2/team/app/blobs/uploads/", retries=False)
        assert begun.status == 202
        host = urlsplit(registry)
        upload = urlsplit(begun.headers["location"]).path
        with socket.create_connection((host.hostname, host.port), timeout=10) as client:
            head = (
                f"PATCH {upload} HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
            )
            client.sendall(head.encode())
            assert client.recv(100).startswith(b"HTTP/1.1 100 ")  # whoever takes the body waits for it now
            client.sendall(b"half")
            server.stop()
    assert caplog.text == ""


def test_the_folder_is_free_when_the_background_does_not_end(tmp_path, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def step():
        begun.set()
        return not go_on.wait(20)

    ecr = LocalEcr(tmp_path / "ecr")
    ecr.background.work(step)
    ecr.background.wake()
    try:
        assert begun.wait(10)
        monkeypatch.setattr(background, "CLOSING_TIMEOUT", 0.05)

        with pytest.raises(TimeoutError, match="did not end"):
            ecr.close()

        monkeypatch.undo()
        LocalEcr(tmp_path / "ecr").close()
    finally:
        go_on.set()
