"""JSON that comes in and goes out, and refusals that say what would be right."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from ecr_steward_sandbox.control_token import HEADER, ControlToken

type Endpoint = Callable[[Request], Awaitable[Response]]


def app_of(endpoints: Mapping[str, Endpoint], token: ControlToken) -> Starlette:
    """An API of endpoints by `METHOD /path`, below /_sandbox. All but GET needs the token."""
    routes = []
    for named, endpoint in endpoints.items():
        method, path = named.split(" ", 1)
        asked = endpoint if method == "GET" else _with_token(endpoint, token)
        routes.append(Route(path, asked, methods=[method]))
    return Starlette(routes=[Mount("/_sandbox", routes=routes)], exception_handlers={HTTPException: _refused})


def _with_token(endpoint: Endpoint, token: ControlToken) -> Endpoint:
    async def answer_with_token(request: Request) -> Response:
        if not token.is_in(request.headers.get(HEADER)):
            raise HTTPException(
                403,
                f"{request.method} needs the token of this sandbox: send the header that is in {token.file}, with "
                f"curl -H @{token.file}; `ecr-steward sandbox` does so by itself",
            )
        return await endpoint(request)

    return answer_with_token


async def body_of(request: Request, expected: str) -> Any:
    """The body's JSON. Raises HTTPException."""
    body = await request.body()
    if not body.strip():
        raise HTTPException(400, f"the body is empty; {expected}")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as cause:
        raise HTTPException(400, f"the body is no JSON: {cause}; {expected}") from cause


def answer(document: object, status: int = 200) -> JSONResponse:
    """A document of ours as an answer."""
    return _JsonLine(plain(document), status)


def page(document: object) -> JSONResponse:
    """The same, laid out for a person."""
    return _JsonPage(plain(document))


class _JsonPage(JSONResponse):
    def render(self, content: Any) -> bytes:
        return json.dumps(content, indent=2).encode() + b"\n"


class _JsonLine(JSONResponse):
    """A terminal goes on below it."""

    def render(self, content: Any) -> bytes:
        return super().render(content) + b"\n"


async def _refused(request: Request, error: Exception) -> Response:
    """What no endpoint answered: no such path, no such method, or a body that cannot be read."""
    assert isinstance(error, HTTPException)  # noqa: S101 Starlette hands over what this is the handler of
    said = error.detail
    if error.status_code in (404, 405):
        said = f"{error.detail}: {request.method} {request.url.path}; GET /_sandbox/ lists what there is"
    refusal = answer({"error": said}, error.status_code)
    refusal.headers.update(error.headers or {})
    return refusal


def plain(value: Any) -> Any:
    """A value as JSON knows it; without what a dataclass does not show either."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value) if field.repr}
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return value
