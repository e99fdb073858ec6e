"""moto's services behind our own server: one request at a time, on behalf of the right account."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape

from werkzeug.datastructures import Headers
from werkzeug.test import Client

from ecr_steward_sandbox.api_calls import ApiCall, HttpRequest
from ecr_steward_sandbox.delivery.stores import MOTO_LOCK
from ecr_steward_sandbox.deploy import ACCOUNT_HEADER, moto_app

MAX_WAIT_SECONDS = 20  # SQS's limit for a long poll
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class HttpAnswer:
    """An answer; `headers` in order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def json(cls, status: int, document: object, headers: Mapping[str, str] | None = None) -> HttpAnswer:
        """An answer of a JSON service."""
        given = {"Content-Type": "application/x-amz-json-1.1", **(headers or {})}
        return cls(status, tuple(given.items()), json.dumps(document).encode())

    @classmethod
    def error(cls, status: int, code: str, message: str) -> HttpAnswer:
        """An error in the shape that AWS's JSON services use."""
        return cls.json(status, {"__type": code, "message": message}, {"x-amzn-ErrorType": code})

    @classmethod
    def query_error(cls, status: int, code: str, message: str) -> HttpAnswer:
        """A refusal in the shape that AWS's older, query services use."""
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(code)}</Code>"
            f"<Message>{escape(message)}</Message></Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
        )
        return cls(status, (("Content-Type", "text/xml"),), body.encode())


class MotoGateway:
    """Asks moto."""

    def __init__(self) -> None:
        self._client = Client(moto_app())
        self._closing = threading.Event()

    def answer(self, request: HttpRequest, call: ApiCall, account: str) -> HttpAnswer:
        """Have moto answer as this account."""
        if call.service == "sqs" and call.operation == "ReceiveMessage":
            return self._receive(request, account)
        answer = self._ask(request, account)
        is_page = any(name.lower() == "content-type" and "text/html" in value for name, value in answer.headers)
        if answer.status >= 400 and is_page and call.service != "s3" and not answer.body.startswith(b"{"):
            # What Flask says where moto has nothing; a client of AWS expects no page.
            return HttpAnswer.error(501, "NotImplementedException", f"moto has no {call.service}:{call.operation}")
        return answer

    def close(self) -> None:
        """End long polls."""
        self._closing.set()

    def _ask(self, request: HttpRequest, account: str) -> HttpAnswer:
        headers = Headers(list(request.headers.items()))
        headers[ACCOUNT_HEADER] = account
        with MOTO_LOCK:
            response = self._client.open(
                request.target,
                base_url=f"http://{request.headers.get('host', 'localhost')}",
                method=request.method,
                headers=headers,
                data=request.body,
                buffered=True,
            )
        kept = tuple((name, value) for name, value in response.headers.items() if name.lower() != "content-length")
        return HttpAnswer(response.status_code, kept, response.data)

    def _receive(self, request: HttpRequest, account: str) -> HttpAnswer:
        """A long poll must not hold moto's lock: nobody could send the message that it waits for."""
        once, seconds = _without_wait(request)
        deadline = time.monotonic() + min(seconds, MAX_WAIT_SECONDS)
        while True:
            answer = self._ask(once, account)
            is_empty = answer.status == 200 and b'"Messages"' not in answer.body and b"<Message>" not in answer.body
            if not is_empty or time.monotonic() >= deadline or self._closing.wait(POLL_SECONDS):
                return answer


def _without_wait(request: HttpRequest) -> tuple[HttpRequest, float]:
    """The same request asked for at once, and how long its sender wants to wait."""
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        fields = dict(parse_qsl(request.body.decode()))
        seconds = fields.get("WaitTimeSeconds", "0")
        body = urlencode({**fields, "WaitTimeSeconds": "0"}).encode()
    else:
        document = json.loads(request.body)
        seconds = document.get("WaitTimeSeconds", 0)
        body = json.dumps({**document, "WaitTimeSeconds": 0}).encode()
    headers = {**request.headers, "content-length": str(len(body))}
    return replace(request, body=body, headers=headers), float(seconds)
