"""Client processes that call the JSON API as fast as they are answered.

Requests are made and signed by botocore before the time is taken: an SDK takes longer over a call than the servers do,
on the same processors, and would be most of what is measured.
"""

from __future__ import annotations

import functools
import http
import json
import multiprocessing
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import httptools
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lab.images import BLOB, BLOB_DIGEST, MANIFEST, small_manifest
from lab.peers import ACCOUNT, REGION, SECRET, client_at

DESCRIBED = 10  # images in the repository that is described

Span = tuple[float, float]
"""When something began and ended, by the clock that all processes share."""
Request = tuple[Mapping[str, str], bytes]
"""Headers and body."""
Work = Callable[[str, str, int], Span]
"""Of an endpoint, a repository's name and a number of calls."""


class Callers:
    """Processes that stay, so that no figure has the start of one in it."""

    def __init__(self, pool: ProcessPoolExecutor, endpoint: str, count: int) -> None:
        self._pool = pool
        self._endpoint = endpoint
        self._count = count

    def rate(self, work: Work, name: str, calls: int) -> float:
        """Calls per second of all processes together, `calls` by each, from the first beginning to the last end."""
        names = [f"{name}-{number}" for number in range(self._count)]
        spans = list(self._pool.map(functools.partial(_work_on, work, self._endpoint, calls), names))
        return calls * self._count / (max(end for _, end in spans) - min(begin for begin, _ in spans))


@contextmanager
def callers(endpoint: str, count: int) -> Iterator[Callers]:
    """Processes for as long as the block runs."""
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield Callers(pool, endpoint, count)


def put_images(endpoint: str, repository_name: str, calls: int) -> Span:
    """PutImage of so many images, each with a tag, into a new repository."""
    _make_repository(endpoint, repository_name)
    return _timed(endpoint, [_put_image(endpoint, repository_name, number) for number in range(calls)])


def describe_images(endpoint: str, repository_name: str, calls: int) -> Span:
    """DescribeImages of a new and small repository, so many times."""
    _make_repository(endpoint, repository_name)
    _timed(endpoint, [_put_image(endpoint, repository_name, number) for number in range(DESCRIBED)])
    found = client_at(endpoint).describe_images(repositoryName=repository_name)["imageDetails"]
    if len(found) != DESCRIBED:
        raise RuntimeError(f"{len(found)} images are described, not {DESCRIBED}")
    return _timed(endpoint, [_request(endpoint, "DescribeImages", {"repositoryName": repository_name})] * calls)


def _work_on(work: Work, endpoint: str, calls: int, name: str) -> Span:
    return work(endpoint, name, calls)


def _make_repository(endpoint: str, name: str) -> None:
    """A repository that has the blob."""
    client, named = client_at(endpoint), {"repositoryName": name}
    client.create_repository(**named)
    upload = {**named, "uploadId": client.initiate_layer_upload(**named)["uploadId"]}
    client.upload_layer_part(**upload, partFirstByte=0, partLastByte=len(BLOB) - 1, layerPartBlob=BLOB)
    client.complete_layer_upload(**upload, layerDigests=[BLOB_DIGEST])


def _put_image(endpoint: str, repository_name: str, number: int) -> Request:
    given = {
        "repositoryName": repository_name,
        "imageManifest": small_manifest(number),
        "imageManifestMediaType": MANIFEST,
        "imageTag": f"v{number}",
    }
    return _request(endpoint, "PutImage", given)


def _request(endpoint: str, operation: str, given: Mapping[str, Any]) -> Request:
    headers = {
        "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
        "User-Agent": "Boto3",
    }
    body = json.dumps(given).encode()
    request = AWSRequest("POST", f"{endpoint}/", headers, body)
    SigV4Auth(Credentials(ACCOUNT, SECRET), "ecr", REGION).add_auth(request)
    return dict(request.headers.items()), body


def _timed(endpoint: str, asked: Sequence[Request]) -> Span:
    """Send one request after the other over one connection, if the server keeps it open."""
    where = urlsplit(endpoint)
    heads = ["".join(f"{name}: {value}\r\n" for name, value in headers.items()) for headers, _ in asked]
    whole = [
        f"POST / HTTP/1.1\r\nHost: {where.netloc}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        for head, (_, body) in zip(heads, asked, strict=True)
    ]
    with ExitStack() as open_:
        connection = None
        begun = time.monotonic()
        for request in whole:
            if connection is None:
                connection = open_.enter_context(socket.create_connection((where.hostname, where.port), timeout=60))
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request)
            if not _succeeded(connection):
                open_.close()
                connection = None
        return begun, time.monotonic()


class _Answer:
    """What a parser tells: http.client would take as long to read a head as a server takes to answer."""

    def __init__(self) -> None:
        self.body = b""
        self.is_complete = False

    def on_body(self, piece: bytes) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        self.is_complete = True


def _succeeded(connection: socket.socket) -> bool:
    """Read an answer; whether the connection stays open. Raises RuntimeError for any answer but 200."""
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    while not answer.is_complete:
        received = connection.recv(65_536)
        if not received:
            raise RuntimeError("the server closed the connection")
        parser.feed_data(received)
    if parser.get_status_code() != http.HTTPStatus.OK:
        raise RuntimeError(f"{parser.get_status_code()}: {answer.body[:200]!r}")
    return parser.should_keep_alive()
