"""From a request below /v2/ to its answer: authenticate, find the operation, authorise, do."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from local_ecr.data.auth import UnauthorizedError, authenticate, registry_named, unauthorized_response
from local_ecr.data.blobs import get_signed
from local_ecr.data.call import DataCall
from local_ecr.data.errors import error_response, unsupported
from local_ecr.data.routes import DataOperation, Route, operation_of, parse_path
from local_ecr.data.trail import Exchange, tell_of
from local_ecr.errors import EcrError, server_error
from local_ecr.names import Registry
from local_ecr.principals import Principal
from local_ecr.quirks import Quirks
from local_ecr.services import Services
from local_ecr.templates.on_push import PUSHES, create_on_push
from local_ecr.threads import in_thread
from local_ecr.trail import wants

logger = logging.getLogger(__name__)

PING = "Ping"


@dataclass
class DataRequest:
    """What the request log and the trail should say of a request, filled in as it becomes known."""

    operation: str = PING
    registry: Registry | None = None
    principal: Principal | None = None
    route: Route | None = None
    """Where an operation was found."""
    refusal: EcrError | None = None


@dataclass(frozen=True)
class Wanted:
    route: Route
    operation: DataOperation


async def answer(ecr: Services, request: Request, note: Callable[[DataRequest, int], None]) -> Response:
    """Answer one request; `note` is told what it was and how it ended, before the answer goes out."""
    path = request.scope["path"].removeprefix("/v2").removeprefix("/")
    seen = DataRequest()
    is_signed = path.startswith("_signed/")
    try:
        if is_signed:
            response = await _signed(ecr, request, path.removeprefix("_signed/"))
        else:
            response = await _call(ecr, request, path, seen)
    except UnauthorizedError:
        response = unauthorized_response(ecr, request, seen.registry)
    except EcrError as refusal:
        seen.refusal = refusal
        response = error_response(refusal, ecr.quirks)
    except ClientDisconnect:
        response = Response(status_code=400)  # nobody reads it
    except Exception:
        logger.exception("%s failed", seen.operation)
        response = error_response(server_error(), ecr.quirks)
    if seen.refusal is not None or response.status_code < 400:
        await _tell_trail(ecr, request, seen, response)
    response.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
    if request.method == "HEAD":
        response = Response(status_code=response.status_code, headers=dict(response.headers))
    if not is_signed:  # at AWS that is S3, whose requests are no requests to ECR
        note(seen, response.status_code)
    return response


async def _tell_trail(ecr: Services, request: Request, seen: DataRequest, response: Response) -> None:
    registry, principal, route = seen.registry, seen.principal, seen.route
    if registry is None or principal is None or route is None or not wants(ecr, seen.operation):
        return
    exchange = Exchange(
        ecr=ecr,
        request=request,
        operation=seen.operation,
        registry=registry,
        principal=principal,
        repository_name=route.repository_name,
        reference=route.reference,
        response=response,
        refusal=seen.refusal,
    )
    try:
        await in_thread(tell_of, exchange)
    except Exception:
        logger.exception("%s is done and in no trail", seen.operation)


async def _signed(ecr: Services, request: Request, payload: str) -> Response:
    if request.method not in {"GET", "HEAD"}:
        raise unsupported()
    return await get_signed(ecr, request, payload)


async def _call(ecr: Services, request: Request, path: str, seen: DataRequest) -> Response:
    seen.registry = registry_named(ecr, request)
    wanted = _find(path, request.method, ecr.quirks)
    if isinstance(wanted, Wanted):
        seen.operation = wanted.operation.name
    session = authenticate(ecr, request, seen.registry)
    seen.principal = session.principal
    registry = seen.registry or Registry(session.principal.account, session.region)
    seen.registry = registry
    if isinstance(wanted, EcrError):
        raise wanted
    if wanted is None:
        return Response(status_code=200)
    route = seen.route = wanted.route
    call = DataCall(ecr, request, registry, session.principal, route.repository_name, route.reference)
    await in_thread(_admit, call, wanted.operation.name)
    return await wanted.operation.handler(call)


def _admit(call: DataCall, operation: str) -> None:
    """Pass the gate; a repository that a push makes is there before, since its policy is asked, too."""
    call.throttle(operation)
    if operation in PUSHES:
        create_on_push(call.ecr, call.principal, call.registry, call.repository_name, operation, facts=call.facts)
    call.require(operation)


def _find(path: str, method: str, quirks: Quirks) -> Wanted | EcrError | None:
    """What is asked for, None for a ping; or the refusal, which only a caller that we know is told."""
    try:
        if path == "":
            return None if method in {"GET", "HEAD"} else unsupported()
        route = parse_path(path, quirks)
        return Wanted(route, operation_of(route, method, quirks))
    except EcrError as refusal:
        return refusal
