"""The sandbox's own HTTP API below /_sandbox/: what happened, is it over, and let this happen."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from sandbox.clock import ClockError, parse_duration
from sandbox.delivery.schedules import ScheduleDisabledError
from sandbox.deploy.not_simulated import PROPERTIES
from sandbox.not_simulated import RUNNING
from sandbox.scan_reports import EXAMPLE, ScanReportError, record_scans

if TYPE_CHECKING:
    from sandbox.sandbox import Sandbox

DEFAULT_TIMEOUT = 30.0
MAX_TIMEOUT = 600.0
MAX_WAITERS = 100  # who ask at once whether the sandbox is idle; the next one waits for a place

EVENT = "an event is an object with source, detail-type and detail"
SCAN = "a scan is an object with repository, digest, type and status"
MOVE = 'expected {"move": "13h"}'
TRAIL = 'expected {"enabled": true} or {"enabled": false}'
"""What a body holds, for whoever sent another."""

type Endpoint = Callable[[Request], Awaitable[Response]]

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
    control = _Control(sandbox)
    gets: Mapping[str, Endpoint] = {
        "/": control.index,
        "/requests": control.requests,
        "/invocations": control.invocations,
        "/events": control.events,
        "/deliveries": control.deliveries,
        "/decisions": control.decisions,
        "/deployment": control.deployment,
        "/not-simulated": control.not_simulated,
        "/idle": control.idle,
        "/clock": control.read_clock,
        "/trail": control.read_trail,
    }
    posts: Mapping[str, Endpoint] = {
        "/events": control.put_events,
        "/scans": control.post_scans,
        "/schedules/{name}": control.fire_schedule,
        "/clock": control.move_clock,
        "/trail": control.set_trail,
    }
    routes = [
        Route(path, endpoint, methods=[method])
        for method, endpoints in (("GET", gets), ("POST", posts))
        for path, endpoint in endpoints.items()
    ]
    return Starlette(routes=[Mount("/_sandbox", routes=routes)], exception_handlers={HTTPException: _refused})


class _Control:
    """What is answered, by name of the path."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._limiter: CapacityLimiter | None = None

    async def index(self, _: Request) -> Response:
        return _json({"endpoint_url": self._sandbox.endpoint_url, "routes": ROUTES, "example of a scan": EXAMPLE})

    async def requests(self, _: Request) -> Response:
        entries = [*self._sandbox.requests.entries(), *self._sandbox.local_ecr.requests.entries()]
        return _json(sorted(entries, key=lambda request: request.time))

    async def invocations(self, _: Request) -> Response:
        return _json(self._sandbox.invocations)

    async def events(self, _: Request) -> Response:
        return _json(self._sandbox.events)

    async def deliveries(self, request: Request) -> Response:
        fate = request.query_params.get("fate")
        return _json([one for one in self._sandbox.deliveries if fate in (None, one.fate.value)])

    async def decisions(self, request: Request) -> Response:
        only_refused = request.query_params.get("refused") == "true"
        return _json([one for one in self._sandbox.decisions if not (only_refused and one.is_allowed)])

    async def deployment(self, request: Request) -> Response:
        sandbox = self._sandbox
        account = request.query_params.get("account", sandbox.account)
        if account not in sandbox.deployments:
            return _json({"error": f"no stack in {account}; there are: {', '.join(sandbox.deployments)}"}, 404)
        resources = sandbox.deployments[account].resources.values()
        return _json({one.logical_id: {"type": one.type, "name": one.physical_id, "arn": one.arn} for one in resources})

    async def not_simulated(self, _: Request) -> Response:
        return _json({"running": RUNNING, "properties": {" ".join(key): why for key, why in PROPERTIES.items()}})

    async def idle(self, request: Request) -> Response:
        try:
            timeout = min(float(request.query_params.get("timeout", DEFAULT_TIMEOUT)), MAX_TIMEOUT)
        except ValueError:
            return _json({"error": "timeout is a number of seconds"}, 400)
        try:
            await to_thread.run_sync(self._sandbox.wait_until_idle, timeout, limiter=self._waiters())
        except TimeoutError as error:
            return _json({"idle": False, "error": str(error)}, 408)
        return _json({"idle": True})

    async def put_events(self, request: Request) -> Response:
        document = await _body(request, EVENT)
        given = document if isinstance(document, list) else [document]
        for event in given:
            if not isinstance(event, dict) or not {"source", "detail-type", "detail"} <= event.keys():
                return _json({"error": EVENT}, 400)
        for event in given:
            whole = _envelope(self._sandbox.account, self._sandbox.regions[0]) | event
            self._sandbox.deliver(whole["account"], whole["region"], whole)
        return _json({"accepted": len(given)}, 202)

    async def post_scans(self, request: Request) -> Response:
        try:
            document = await _body(request, SCAN)
        except HTTPException as refusal:
            return _json({"error": refusal.detail, "example": EXAMPLE}, refusal.status_code)
        ecr, account, region = self._sandbox.local_ecr, self._sandbox.account, self._sandbox.regions[0]
        try:
            count = await to_thread.run_sync(record_scans, ecr, document, account, region)
        except ScanReportError as error:
            return _json({"error": str(error), "example": EXAMPLE}, error.status)
        return _json({"accepted": count}, 202)

    async def fire_schedule(self, request: Request) -> Response:
        try:
            self._sandbox.tick(request.path_params["name"])
        except LookupError as error:
            return _json({"error": str(error.args[0])}, 404)
        except ScheduleDisabledError as error:
            return _json({"error": str(error)}, 409)
        return _json({"fired": request.path_params["name"]}, 202)

    async def read_clock(self, _: Request) -> Response:
        return _json(self._time())

    async def move_clock(self, request: Request) -> Response:
        document = await _body(request, MOVE)
        if not isinstance(document, dict) or document.keys() != {"move"} or not isinstance(document["move"], str):
            return _json({"error": MOVE}, 400)
        try:
            by = parse_duration(document["move"])
            moved = await to_thread.run_sync(self._sandbox.move_clock, by, limiter=self._waiters())
        except ClockError as error:
            return _json({"error": str(error)}, 400)
        except TimeoutError as error:
            return _json({"error": f"not moved: {error}"}, 408)
        return _json(self._time() | {"moved": moved})

    async def read_trail(self, _: Request) -> Response:
        return _json({"enabled": self._sandbox.local_ecr.trail})

    async def set_trail(self, request: Request) -> Response:
        document = await _body(request, TRAIL)
        if not isinstance(document, dict) or not isinstance(document.get("enabled"), bool):
            return _json({"error": TRAIL}, 400)
        self._sandbox.local_ecr.trail = document["enabled"]
        return _json({"enabled": self._sandbox.local_ecr.trail})

    def _waiters(self) -> CapacityLimiter:
        """Threads of their own: those that everybody shares answer ECR, which those who wait may be waiting for."""
        if self._limiter is None:  # it belongs to the event loop, which runs by the first request
            self._limiter = CapacityLimiter(MAX_WAITERS)
        return self._limiter

    def _time(self) -> dict[str, Any]:
        clock = self._sandbox.clock
        return {"now": clock.now, "seconds_ahead": clock.offset.total_seconds()}


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


async def _body(request: Request, expected: str) -> Any:
    """The body's JSON. Raises HTTPException."""
    body = await request.body()
    if not body.strip():
        raise HTTPException(400, f"the body is empty; {expected}")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as cause:
        raise HTTPException(400, f"the body is no JSON: {cause}; {expected}") from cause


class _JsonLine(JSONResponse):
    """A terminal goes on below it."""

    def render(self, content: Any) -> bytes:
        return super().render(content) + b"\n"


def _json(document: object, status: int = 200) -> JSONResponse:
    return _JsonLine(_plain(document), status)


async def _refused(request: Request, error: Exception) -> Response:
    """What no endpoint answered: no such path, no such method, or a body that cannot be read."""
    assert isinstance(error, HTTPException)  # noqa: S101 Starlette hands over what this is the handler of
    said = error.detail
    if error.status_code in (404, 405):
        said = f"{error.detail}: {request.method} {request.url.path}; GET /_sandbox/ lists what there is"
    answer = _json({"error": said}, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


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
