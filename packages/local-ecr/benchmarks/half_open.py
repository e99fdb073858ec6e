"""How long a request takes while many clients are in the middle of theirs: half of them in the head, half in the body.

Ends with 1 when the slowest of the requests took longer than the target.
"""

import argparse
import http.client
import socket
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from local_ecr import LocalEcr, LocalEcrServer

TARGET = 1.0  # seconds
HEAD = b"POST / HTTP/1.1\r\nHost: local"
BODY = HEAD + b"host\r\nContent-Length: 100000\r\n\r\n"


def seconds_of_a_request(port: int) -> float:
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/v2/")
        status = connection.getresponse().status
    finally:
        connection.close()
    if status != 401:
        raise RuntimeError(f"an answer of {status}: the server took the request for one too many")
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=400)
    parser.add_argument("--requests", type=int, default=50)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalEcrServer(LocalEcr(Path(folder))) as server,
        ExitStack() as stack,
    ):
        port = urlsplit(server.endpoint_url).port or 0
        alone = max(seconds_of_a_request(port) for _ in range(options.requests))
        for number in range(options.connections):
            half_open = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            half_open.sendall(BODY if number % 2 else HEAD)
        beside = max(seconds_of_a_request(port) for _ in range(options.requests))
    is_met = beside - alone <= TARGET
    sys.stdout.write(
        f"slowest of {options.requests} requests: {1000 * alone:.1f} ms alone, {1000 * beside:.1f} ms beside "
        f"{options.connections} half-open connections; at most {TARGET:g} s more: {'met' if is_met else 'MISSED'}\n"
    )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
