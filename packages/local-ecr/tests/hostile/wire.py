"""HTTP as bytes on a socket, so that nothing on the way tidies what a test sends; and the form of every answer."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

API_TYPE = "application/x-amz-json-1.1"
TARGET = "AmazonEC2ContainerRegistry_V20150921."


def signature(key: str = "111122223333", region: str = "us-east-1") -> str:
    """An `Authorization` header of the JSON API; nobody verifies how it was signed."""
    scope = f"{key}/20261124/{region}/ecr/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


SIGNATURE = signature()
MOST_SECONDS = 10.0
"""An answer that takes longer than this is a hang, on the slowest machine."""

OCI_CODES = frozenset(
    {"BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DENIED", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN",
     "MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "TAG_INVALID",
     "TOOMANYREQUESTS", "UNAUTHORIZED", "UNSUPPORTED"}
)  # fmt: skip
"""The distribution specification's error codes; TAG_INVALID is of its first version, and ECR's."""

NOT_HTTP = b"Invalid HTTP request received."
"""What the HTTP parser says itself."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_of_connection(self) -> bool:
        """Whether it was refused before it had become a request of either face: in one line of text, and closed."""
        of_text = self.headers["Content-Type"] == "text/plain; charset=utf-8" and self.headers["Connection"] == "close"
        return self.status in {400, 403, 408, 431, 501} and of_text and "x-amzn-RequestId" not in self.headers

    @property
    def code(self) -> str:
        """The error's code, of either face."""
        document = self.json()
        return str(document["errors"][0]["code"] if "errors" in document else document["__type"])


Header = tuple[str | bytes, str | bytes]


def request_bytes(method: str, target: str | bytes, headers: Iterable[Header] = (), body: bytes = b"") -> bytes:
    """A request as it is written: nothing is added to it, or escaped in it."""
    lines = [_raw(method) + b" " + _raw(target) + b" HTTP/1.1"]
    lines += [_raw(name) + b": " + _raw(value) for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _raw(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


@dataclass(frozen=True)
class Wire:
    """One port of a server. Every request has a connection of its own."""

    port: int
    token: str = ""
    host: str = "127.0.0.1"

    def send(
        self,
        method: str,
        target: str | bytes,
        *,
        body: bytes = b"",
        headers: Iterable[Header] = (),
        token: str | None = None,
        chunks: bytes = b"",
    ) -> Answer:
        """A request of /v2/ with a token, unless that is empty, and a length, unless there are chunks instead.

        The answer is in form.
        """
        token = self.token if token is None else token
        authorization = [("Authorization", f"Basic {token}")] if token else []
        has_length = not chunks and (body or method in {"PUT", "POST", "PATCH"})
        length = [("Content-Length", str(len(body)))] if has_length else []
        whole = [("Host", self.host), *authorization, *length, *headers]
        answer = self.exchange(request_bytes(method, target, whole, body or chunks), method)
        require_oci_form(answer)
        return answer

    def with_host(self, host: str) -> Self:
        """The same port under another name."""
        return replace(self, host=host)

    def call(self, operation: str, body: bytes | Any, *headers: Header) -> Answer:
        """A call of the JSON API. The answer is in form."""
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = dict([("Content-Type", API_TYPE), ("Authorization", SIGNATURE), *headers])
        whole = [("Host", "localhost"), ("X-Amz-Target", TARGET + operation), ("Content-Length", str(len(body)))]
        answer = self.exchange(request_bytes("POST", "/", [*whole, *given.items()], body), "POST")
        require_api_form(answer)
        return answer

    def exchange(self, request: bytes, method: str = "GET", *, ends_early: bool = False) -> Answer:
        """Send these bytes, read one answer. `ends_early`: nothing more will come from here, and that is said."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=MOST_SECONDS) as connection:
            answer = exchange_on(connection, request, method, ends_early=ends_early)
        require_calm(answer, method)
        return answer


def exchange_on(connection: socket.socket, request: bytes, method: str, *, ends_early: bool = False) -> Answer:
    """One exchange on an open connection. Raises http.client.RemoteDisconnected when it is closed without a word."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent: the answer is there
        connection.sendall(request)
    if ends_early:
        connection.shutdown(socket.SHUT_WR)
    found = http.client.HTTPResponse(connection, method=method)
    try:
        found.begin()
        return Answer(found.status, found.headers, found.read())
    finally:
        found.close()


def require_calm(answer: Answer, method: str = "GET") -> None:
    """No server error, no web page, and no body where there is none."""
    assert answer.status < 500 or (answer.status == 501 and method == "CONNECT"), answer.body
    is_of_storage = answer.headers.get("Content-Type") == "application/xml"  # as S3 refuses
    assert is_of_storage or not answer.body.lstrip().startswith(b"<"), answer.body[:200]
    assert "html" not in answer.headers.get("Content-Type", "")
    if method == "HEAD":
        assert answer.body == b""


def require_oci_form(answer: Answer) -> None:
    """A refusal of /v2/ has the specification's JSON: except 401, which ECR says in one line, and 416, as S3 may."""
    if answer.status < 400 or not answer.body or answer.is_of_connection:
        return
    if answer.status == 401:
        assert answer.body == b"Not Authorized\n"
        assert answer.headers["Www-Authenticate"].startswith('Basic realm="http://127.0.0.1:')
        return
    [error] = answer.json()["errors"]
    assert error["code"] in OCI_CODES
    assert isinstance(error["message"], str) and error["message"]


def require_api_form(answer: Answer) -> None:
    """A refusal of the JSON API has AWS's JSON."""
    if answer.status == 200 or answer.is_of_connection:
        return
    document = answer.json()
    assert answer.headers["Content-Type"] == API_TYPE
    assert answer.headers["x-amzn-ErrorType"] == document["__type"]
    assert isinstance(document["message"], str) and document["message"]
