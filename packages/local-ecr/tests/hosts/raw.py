"""HTTP as bytes on a socket: what no client library would send, or not so slowly."""

import socket
from dataclasses import dataclass

TIMEOUT = 10


@dataclass(frozen=True)
class Answer:
    status: int
    head: str
    body: str


def connect(port: int, host: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((host, port), timeout=TIMEOUT)


def exchange(port: int, request: bytes, host: str = "127.0.0.1") -> Answer:
    """Send a request on a connection of its own, which the server closes or this does."""
    with connect(port, host) as connection:
        connection.sendall(request)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> Answer:
    """One answer whose length is told, or whose end is that of the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    raw_head, _, body = received.partition(b"\r\n\r\n")
    head = raw_head.decode("latin-1").lower()
    length = next((int(line[15:]) for line in head.splitlines() if line.startswith("content-length:")), 0)
    while len(body) < length:
        body += _some(connection)
    return Answer(int(head.split()[1]), head, body.decode())


def _some(connection: socket.socket) -> bytes:
    piece = connection.recv(1 << 16)
    assert piece, "the connection ended within an answer"
    return piece


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])
