"""Both faces of ECR as one ASGI app: the JSON API by its `X-Amz-Target`, the data plane by its path."""

from __future__ import annotations

import json

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from local_ecr import requests
from local_ecr.access.keys import RequestFacts
from local_ecr.control import dispatch as control
from local_ecr.control.dispatch import ApiAnswer, ApiRequest
from local_ecr.control.operations import QUICK
from local_ecr.control.protocol import CONTENT_TYPE, TARGET_PREFIX
from local_ecr.data import dispatch as data
from local_ecr.data.dispatch import DataRequest
from local_ecr.names import Registry
from local_ecr.principals import Principal
from local_ecr.services import Services
from local_ecr.threads import in_thread

ERROR_TYPE_HEADER = "x-amzn-ErrorType"
QUICK_BODY = 128 * 1024  # a manifest of some hundred layers
MAX_API_BODY = 32 * 1024 * 1024  # the largest input is a layer part: 20 MiB, a third more in base64


def is_for_ecr(scope: Scope) -> bool:
    """Whether a request is ECR's: by its target, or by its path when it is not signed for another service.

    SES and API Gateway have paths below /v2/ too; their requests are signed, a registry's client is not.
    """
    if scope["type"] != "http":
        return False
    headers = dict(scope["headers"])
    if headers.get(b"x-amz-target", b"").startswith(TARGET_PREFIX.encode()):
        return True
    path: str = scope["path"]
    is_signed_call = headers.get(b"authorization", b"").startswith(b"AWS4-")
    return (path == "/v2" or path.startswith("/v2/")) and not is_signed_call


class EcrApp:
    def __init__(self, ecr: Services) -> None:
        self._ecr = ecr

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(f"only http is served, not {scope['type']}")
        if sum(name == b"host" for name, _ in scope["headers"]) > 1:  # each may mean another registry
            await PlainTextResponse("A request names one Host.", 400, {"connection": "close"})(scope, receive, send)
            return
        request = Request(scope, receive)
        path: str = scope["path"]  # never request.url, which a Host header shapes
        if "x-amz-target" not in request.headers and (path == "/v2" or path.startswith("/v2/")):
            response = await data.answer(
                self._ecr, request, lambda seen, status: self._note_data(request, seen, status)
            )
            if not path.startswith("/v2/_signed/"):  # at AWS that is S3, which has request ids of its own
                response.headers[requests.REQUEST_ID_HEADER] = requests.facts_of(request).id
        else:
            response = await self._api(request)
        await response(scope, receive, send)

    async def _api(self, request: Request) -> Response:
        try:
            body = await _read_body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            code = "RequestEntityTooLargeException"
            refusal = {"__type": code, "message": f"more than {MAX_API_BODY} bytes"}
            headers = {requests.REQUEST_ID_HEADER: requests.facts_of(request).id, ERROR_TYPE_HEADER: code}
            return Response(json.dumps(refusal), status_code=413, headers=headers, media_type=CONTENT_TYPE)
        asked = ApiRequest(
            target=request.headers.get("x-amz-target", ""),
            body=body,
            authorization=request.headers.get("authorization"),
            session_token=request.headers.get("x-amz-security-token"),
            facts=requests.facts_of(request),
            method=request.method,
            path_and_query=_target(request),
            headers=request.headers,
        )
        return self._answer_api(asked) if self._is_quick(asked) else await in_thread(self._answer_api, asked)

    def _is_quick(self, asked: ApiRequest) -> bool:
        """Whether a call is best answered where it was read: to hand it to a thread and back takes longer than it does.

        Nobody else is served meanwhile. So it must wait for no change that is under way, nor call what whoever made
        this LocalEcr gave it: that may take its time, or ask us something.
        """
        return (
            asked.operation in QUICK
            and len(asked.body) <= QUICK_BODY
            and self._ecr.calls_nobody
            and not self._ecr.store.is_changing
        )

    def _answer_api(self, asked: ApiRequest) -> Response:
        answer = control.answer(self._ecr, asked)
        self._note_api(asked, answer)
        headers = {requests.REQUEST_ID_HEADER: asked.facts.id}
        if answer.error_code:
            headers[ERROR_TYPE_HEADER] = answer.error_code
        return Response(
            json.dumps(answer.document), status_code=answer.status, headers=headers, media_type=CONTENT_TYPE
        )

    def _note_api(self, asked: ApiRequest, answer: ApiAnswer) -> None:
        self._note(answer.operation, answer.registry, answer.principal, answer.status, asked.facts)

    def _note_data(self, request: Request, seen: DataRequest, status: int) -> None:
        self._note(seen.operation, seen.registry, seen.principal, status, requests.facts_of(request))

    def _note(
        self,
        operation: str,
        registry: Registry | None,
        principal: Principal | None,
        status: int,
        facts: RequestFacts,
    ) -> None:
        self._ecr.requests.record(
            requests.Request(
                time=self._ecr.clock(),
                service="ecr",
                operation=operation,
                account=registry.account if registry else "",
                region=registry.region if registry else "",
                principal=principal.arn if principal else "",
                mutating=requests.is_mutating(operation),
                status=status,
                user_agent=facts.user_agent,
                request_id=facts.id,
            )
        )


def _target(request: Request) -> str:
    """Path and query as sent."""
    query: bytes = request.scope["query_string"]
    sent: bytes = request.scope["raw_path"] + (b"?" + query if query else b"")
    return sent.decode("latin-1")


async def _read_body(request: Request) -> bytes | None:
    """The whole body, or None when it is larger than any input can be."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_API_BODY:
            return None
    return bytes(body)
