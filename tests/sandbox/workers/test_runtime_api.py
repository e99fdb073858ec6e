"""The Runtime API of one worker, without the worker."""

import socket
from contextlib import closing

from ecr_steward_sandbox.workers.runtime_api import RuntimeApi

REQUEST = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: here\r\n\r\n"


def test_an_answer_of_several_packets_does_not_wait_for_the_workers_acknowledgement() -> None:
    """Nagle's algorithm would make each invocation wait for up to 40 ms."""
    with closing(RuntimeApi()) as api:
        host, _, port = api.address.partition(":")
        with socket.create_connection((host, int(port))) as worker:
            worker.sendall(REQUEST)
            api.reports.get(timeout=10)  # it listens
            [connection] = api._connections

            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
