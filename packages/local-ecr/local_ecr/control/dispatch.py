"""From an `X-Amz-Target` to an answer: find the operation, read, authorise, do, shape, and tell CloudTrail."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local_ecr.access.keys import RequestFacts, input_keys
from local_ecr.access.permissions import permissions_for
from local_ecr.control import protocol
from local_ecr.control.call import Call
from local_ecr.control.operations import handler_of
from local_ecr.errors import EcrError, invalid_parameter, server_error
from local_ecr.iam import API
from local_ecr.names import InvalidNameError, Registry, parse_repository_arn
from local_ecr.principals import Principal, read_signature, registry_of
from local_ecr.services import Services
from local_ecr.signatures import MISMATCH, is_signed_with
from local_ecr.trail import ApiCall, Sender, tell_trail

logger = logging.getLogger(__name__)

MAX_OPERATION = 128
"""No operation's name is longer; what else is asked for is remembered no longer."""


@dataclass(frozen=True)
class ApiRequest:
    target: str
    body: bytes
    authorization: str | None
    session_token: str | None
    facts: RequestFacts
    method: str = "POST"
    path_and_query: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case names; what a signature is of."""

    @property
    def operation(self) -> str:
        """What is asked for, whether or not there is such an operation."""
        return self.target.removeprefix(protocol.TARGET_PREFIX)[:MAX_OPERATION]


@dataclass
class ApiAnswer:
    """What goes back, and what the request log should say of it."""

    operation: str
    status: int = 200
    document: Mapping[str, Any] = field(default_factory=dict)
    error_code: str | None = None
    principal: Principal | None = None
    registry: Registry | None = None


def answer(ecr: Services, request: ApiRequest) -> ApiAnswer:
    """Answer one request of the JSON API; never raises."""
    result = ApiAnswer(request.operation)
    try:
        _call(ecr, request, result)
    except EcrError as refusal:
        _refuse(result, refusal)
    except Exception:
        logger.exception("%s failed", result.operation)
        _refuse(result, server_error())
    return result


def _call(ecr: Services, request: ApiRequest, result: ApiAnswer) -> None:
    model = protocol.operation_model(result.operation)
    scope = read_signature(request.authorization, request.session_token)
    result.principal = principal = ecr.principal_of(scope.credential)
    _require_signature(ecr, request, scope.credential.access_key_id)
    result.registry = own = registry_of(principal, scope.region)
    call_input = None
    try:
        ecr.throttle.require(principal.account, own.region, result.operation)
        handler = handler_of(result.operation)  # before all else, so that nobody mends an input in vain
        call_input = protocol.read_input(model, request.body)
        result.registry, repository_name = _addressed(own, call_input)
        names = [repository_name] if repository_name else call_input.get("repositoryNames", [])
        gives_resource_tags = result.operation == "CreateRepository" and bool(call_input.get("tags"))
        ecr.gate.require(
            API,
            principal,
            result.registry,
            permissions_for(result.registry, result.operation, names, gives_resource_tags=gives_resource_tags),
            input_keys(result.operation, call_input),
            facts=request.facts,
        )
        call = Call(ecr, result.operation, call_input, result.registry, principal, request.facts)
        result.document = protocol.write_output(model, handler(call))
    except EcrError as refusal:
        _refuse(result, refusal)
    tell_trail(ecr, _trailed(request, result, call_input))


def _require_signature(ecr: Services, request: ApiRequest, access_key_id: str) -> None:
    """Raises EcrError for a request that was signed with another secret than the one that its key has."""
    secret = ecr.secret_of(access_key_id)
    if secret is None or is_signed_with(secret, request.method, request.path_and_query, request.headers, request.body):
        return
    raise EcrError("InvalidSignatureException", MISMATCH)


def _addressed(own: Registry, call_input: Mapping[str, Any]) -> tuple[Registry, str | None]:
    """The registry and repository that a call is about."""
    resource_arn = call_input.get("resourceArn")
    if resource_arn is None:
        return Registry(call_input.get("registryId", own.account), own.region), call_input.get("repositoryName")
    try:
        registry, repository_name = parse_repository_arn(resource_arn)
    except InvalidNameError as cause:
        raise invalid_parameter("resourceArn", "Invalid ARN") from cause
    if registry.region != own.region:
        raise invalid_parameter("resourceArn", f"Invalid ARN: this is the endpoint of {own.region}")
    return registry, repository_name


def _refuse(result: ApiAnswer, refusal: EcrError) -> None:
    result.status = refusal.status
    result.error_code = refusal.code
    result.document = {"__type": refusal.code, "message": refusal.message, **refusal.members}


def _trailed(request: ApiRequest, result: ApiAnswer, call_input: Mapping[str, Any] | None) -> ApiCall:
    assert result.registry is not None and result.principal is not None  # noqa: S101  known before any refusal
    refused = result.error_code is not None
    return ApiCall(
        operation=result.operation,
        principal=result.principal,
        registry=result.registry,
        parameters=call_input,
        response=None if refused else result.document,
        error=(str(result.error_code), str(result.document["message"])) if refused else None,
        request_id=request.facts.id,
        sender=Sender(request.facts.source_ip, request.facts.user_agent),
    )
