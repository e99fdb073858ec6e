"""The sandbox's own HTTP API below /_sandbox/: what happened, is it over, and let this happen."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import Enum
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from sandbox.clock import ClockError, parse_duration
from sandbox.delivery.schedules import ScheduleDisabledError
from sandbox.deploy.not_simulated import PROPERTIES
from sandbox.not_simulated import RUNNING
from sandbox.scan_reports import post_scans

if TYPE_CHECKING:
    from sandbox.sandbox import Sandbox

DEFAULT_TIMEOUT = 30.0
MAX_TIMEOUT = 600.0
MAX_WAITERS = 100  # who ask at once whether the sandbox is idle; the next one waits for a place

ROUTES = {
    "GET requests": "API calls so far, those to ECR among them",
    "GET invocations": "runs of functions so far, with their logs",
    "GET events": "events so far, by bus",
    "GET deliveries": "deliveries so far; ?fate=lost for those that ended nowhere",
    "GET decisions": "who was allowed what, or refused it, by which statement; ?refused=true for refusals alone",
    "GET deployment": "logical ids, names and ARNs of what was deployed; ?account= for another than the hub",
    "GET not-simulated": "what is not as at AWS, and why",
    "GET idle": "answers when nothing is under way; ?timeout=seconds, then 408 and what is",
    "POST events": "put an event, or a list of them, on the default bus as an AWS service does",
    "POST scans": "what a scanner found in an image, or a list of that: repository, digest, type, status, findings",
    "POST schedules/NAME": "fire a schedule now",
    "GET clock": "the sandbox's time, and how many seconds it is ahead of the real one",
    "POST clock": '{"move": "13h"} lets so much time pass at once; whole numbers of s, m, h or d',
    "GET trail": "whether CloudTrail events are emitted",
    "POST trail": '{"enabled": false} for a registry without a trail',
}


def control_app(sandbox: Sandbox) -> Starlette:
    """The API of one sandbox."""

    @cache
    def waiters() -> CapacityLimiter:
        # Their own: the threads that everybody shares answer ECR, which those who wait may be waiting for.
        return CapacityLimiter(MAX_WAITERS)

    async def index(_: Request) -> Response:
        return _json({"endpoint_url": sandbox.endpoint_url, "routes": ROUTES})

    async def requests(_: Request) -> Response:
        entries = [*sandbox.requests.entries(), *sandbox.local_ecr.requests.entries()]
        return _json(sorted(entries, key=lambda request: request.time))

    async def invocations(_: Request) -> Response:
        return _json(sandbox.invocations)

    async def events(_: Request) -> Response:
        return _json(sandbox.events)

    async def deliveries(request: Request) -> Response:
        fate = request.query_params.get("fate")
        return _json([one for one in sandbox.deliveries if fate in (None, one.fate.value)])

    async def decisions(request: Request) -> Response:
        only_refused = request.query_params.get("refused") == "true"
        return _json([one for one in sandbox.decisions if not (only_refused and one.is_allowed)])

    async def deployment(request: Request) -> Response:
        account = request.query_params.get("account", sandbox.account)
        if account not in sandbox.deployments:
            return _json({"error": f"no stack in {account}; there are: {', '.join(sandbox.deployments)}"}, 404)
        resources = sandbox.deployments[account].resources.values()
        return _json({one.logical_id: {"type": one.type, "name": one.physical_id, "arn": one.arn} for one in resources})

    async def not_simulated(_: Request) -> Response:
        return _json({"running": RUNNING, "properties": {" ".join(key): why for key, why in PROPERTIES.items()}})

    async def idle(request: Request) -> Response:
        try:
            timeout = min(float(request.query_params.get("timeout", DEFAULT_TIMEOUT)), MAX_TIMEOUT)
        except ValueError:
            return _json({"error": "timeout is a number of seconds"}, 400)
        try:
            await to_thread.run_sync(sandbox.wait_until_idle, timeout, limiter=waiters())
        except TimeoutError as error:
            return _json({"idle": False, "error": str(error)}, 408)
        return _json({"idle": True})

    async def put_events(request: Request) -> Response:
        document = await _body(request)
        given = document if isinstance(document, list) else [document]
        for event in given:
            if not isinstance(event, dict) or not {"source", "detail-type", "detail"} <= event.keys():
                return _json({"error": "an event is an object with source, detail-type and detail"}, 400)
        for event in given:
            whole = _envelope(sandbox.account, sandbox.regions[0]) | event
            sandbox.deliver(whole["account"], whole["region"], whole)
        return _json({"accepted": len(given)}, 202)

    async def schedules(request: Request) -> Response:
        try:
            sandbox.tick(request.path_params["name"])
        except LookupError as error:
            return _json({"error": str(error.args[0])}, 404)
        except ScheduleDisabledError as error:
            return _json({"error": str(error)}, 409)
        return _json({"fired": request.path_params["name"]}, 202)

    async def read_clock(_: Request) -> Response:
        return _json(_time(sandbox))

    async def move_clock(request: Request) -> Response:
        document = await _body(request)
        if not isinstance(document, dict) or document.keys() != {"move"} or not isinstance(document["move"], str):
            return _json({"error": 'expected {"move": "13h"}'}, 400)
        try:
            by = parse_duration(document["move"])
            moved = await to_thread.run_sync(sandbox.move_clock, by, limiter=waiters())
        except ClockError as error:
            return _json({"error": str(error)}, 400)
        except TimeoutError as error:
            return _json({"error": f"not moved: {error}"}, 408)
        return _json(_time(sandbox) | {"moved": moved})

    async def read_trail(_: Request) -> Response:
        return _json({"enabled": sandbox.local_ecr.trail})

    async def set_trail(request: Request) -> Response:
        document = await _body(request)
        if not isinstance(document, dict) or not isinstance(document.get("enabled"), bool):
            return _json({"error": 'expected {"enabled": true} or {"enabled": false}'}, 400)
        sandbox.local_ecr.trail = document["enabled"]
        return _json({"enabled": sandbox.local_ecr.trail})

    def get(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
        return Route(path, endpoint, methods=["GET"])

    def post(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
        return Route(path, endpoint, methods=["POST"])

    routes = [
        get("/", index),
        get("/requests", requests),
        get("/invocations", invocations),
        get("/events", events),
        get("/deliveries", deliveries),
        get("/decisions", decisions),
        get("/deployment", deployment),
        get("/not-simulated", not_simulated),
        get("/idle", idle),
        get("/clock", read_clock),
        get("/trail", read_trail),
        post("/events", put_events),
        post("/scans", partial(post_scans, sandbox)),
        post("/schedules/{name}", schedules),
        post("/clock", move_clock),
        post("/trail", set_trail),
    ]
    return Starlette(routes=[Mount("/_sandbox", routes=routes)])


def _time(sandbox: Sandbox) -> dict[str, Any]:
    return {"now": sandbox.clock.now, "seconds_ahead": sandbox.clock.offset.total_seconds()}


def _envelope(account: str, region: str) -> dict[str, Any]:
    """What an event has if a person does not say otherwise."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "account": account,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [],
    }


async def _body(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError:
        return None


def _json(document: object, status: int = 200) -> JSONResponse:
    return JSONResponse(_plain(document), status)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return value
