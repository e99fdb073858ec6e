"""In which words and shape each service refuses a call, before it looks at what is asked."""

from __future__ import annotations

from ecr_steward_sandbox.api_calls import ApiCall, HttpRequest, protocol_of
from ecr_steward_sandbox.identity.principals import (
    CredentialRefusedError,
    SessionEndedError,
    UnsignedRequestError,
    WrongSignatureError,
)
from ecr_steward_sandbox.moto_gateway import HttpAnswer

_DENIED = {"sns": "AuthorizationError", "sqs": "AccessDenied"}
"""Codes of services that say neither AccessDeniedException, in JSON, nor AccessDenied, in XML."""

_BAD_REQUESTS = frozenset({"dynamodb", "events", "secretsmanager"})
"""Services of the JSON protocol that refuse with status 400; botocore's models have no other status for them."""


def denied(request: HttpRequest, call: ApiCall, message: str) -> HttpAnswer:
    """The principal may not do this."""
    code = _DENIED.get(call.service) or ("AccessDeniedException" if _is_json(request, call) else "AccessDenied")
    return _answer(request, call, 400 if call.service in _BAD_REQUESTS else 403, code, message)


def credential_refused(request: HttpRequest, call: ApiCall, error: CredentialRefusedError) -> HttpAnswer:
    """Nobody may call with this key. STS API reference, "Common Error Types"; JSON services have names of their own."""
    is_query = not _is_json(request, call) or call.service == "sqs"
    if isinstance(error, UnsignedRequestError):
        code = "MissingAuthenticationToken" if is_query else "MissingAuthenticationTokenException"
    elif isinstance(error, SessionEndedError):
        code = "ExpiredToken" if is_query else "ExpiredTokenException"
    elif isinstance(error, WrongSignatureError):
        code = "SignatureDoesNotMatch" if is_query else "InvalidSignatureException"
    else:
        code = "InvalidClientTokenId" if is_query else "UnrecognizedClientException"
    return _answer(request, call, 400 if call.service in _BAD_REQUESTS else 403, code, str(error))


def _answer(request: HttpRequest, call: ApiCall, status: int, code: str, message: str) -> HttpAnswer:
    if _is_json(request, call):
        return HttpAnswer.error(status, code, message)
    return HttpAnswer.query_error(status, code, message)


def _is_json(request: HttpRequest, call: ApiCall) -> bool:
    return "x-amz-target" in request.headers or protocol_of(call.service) in ("rest-json", "")
