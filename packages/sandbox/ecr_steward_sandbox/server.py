"""One port for everything: requests go to ECR, to the control API or to the rest of AWS."""

from __future__ import annotations

import logging
import re

from anyio import CapacityLimiter, to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from ecr_steward_sandbox.api_calls import HttpRequest
from ecr_steward_sandbox.aws_api import AwsApi
from ecr_steward_sandbox.moto_gateway import HttpAnswer
from local_ecr import LocalEcr, is_for_ecr

logger = logging.getLogger(__name__)

MAX_BODY = 32 * 1024 * 1024
MAX_THREADS = 200  # requests in progress; an invocation holds one for as long as it runs, and may ask for others

_ENDPOINT = re.compile(r"[a-z0-9-]+(\.[a-z]{2,4}(-[a-z]+)+-[0-9])?\.amazonaws\.com")


def is_endpoint(name: str) -> bool:
    """Whether a host name is an AWS service's own, such as sqs.us-east-1.amazonaws.com or sts.amazonaws.com.

    What customers name themselves (a bucket, a load balancer, a function's URL) has more labels: whoever owns such a
    name must not get in by it.
    """
    return _ENDPOINT.fullmatch(name) is not None


class SandboxApp:
    """ASGI app of the sandbox."""

    def __init__(self, ecr: LocalEcr, api: AwsApi, control: ASGIApp) -> None:
        self._ecr = ecr
        self._api = api
        self._control = control
        self._limiter: CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            raise NotImplementedError(f"only http is served, not {scope['type']}")
        path: str = scope["path"]
        if self._is_registry_port(scope) or is_for_ecr(scope) or _is_signed_for_ecr(scope):
            await self._ecr.app(scope, receive, send)
        elif path == "/_sandbox" or path.startswith("/_sandbox/"):
            await self._control(scope, receive, send)
        else:
            await self._aws(scope, receive, send)

    async def _aws(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        if body is None:
            return
        if len(body) > MAX_BODY:
            answer = HttpAnswer.error(413, "RequestEntityTooLargeException", f"more than {MAX_BODY} bytes")
        else:
            if self._limiter is None:
                self._limiter = CapacityLimiter(MAX_THREADS)
            answer = await to_thread.run_sync(self._answer, _http_request(scope, body), limiter=self._limiter)
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        is_head = scope["method"] == "HEAD"
        await send({"type": "http.response.body", "body": b"" if is_head else answer.body})

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        try:
            return self._api.answer(request)
        except NotImplementedError as error:
            return HttpAnswer.error(501, "NotImplementedException", str(error))
        except Exception as error:  # a server answers: the log has the trace, the client the reason
            logger.exception("%s %s", request.method, request.path)
            return HttpAnswer.error(500, "InternalFailure", f"The sandbox cannot do this: {error!r}")

    def _is_registry_port(self, scope: Scope) -> bool:
        server = scope.get("server")
        return server is not None and self._ecr.registry_at(server[1]) is not None


def _is_signed_for_ecr(scope: Scope) -> bool:
    authorization = dict(scope["headers"]).get(b"authorization", b"")
    return b"/ecr/aws4_request" in authorization


async def _read_body(receive: Receive) -> bytes | None:
    """The body, cut once it is over the limit; None when the client has gone."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if len(body) <= MAX_BODY:
            body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def _http_request(scope: Scope, body: bytes) -> HttpRequest:
    target = scope["raw_path"].decode("latin-1")
    if scope["query_string"]:
        target += "?" + scope["query_string"].decode("latin-1")
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return HttpRequest(scope["method"], target, headers, body)
