"""What can be asked of a running ECR, and done to it: events, decisions, scans, the clock."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, Protocol

from anyio import CapacityLimiter, to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ecr_steward_sandbox.clock import ClockError, SandboxClock, parse_duration
from ecr_steward_sandbox.control import faults
from ecr_steward_sandbox.control.answers import Endpoint, answer, body_of, page, plain
from ecr_steward_sandbox.control_token import ControlToken
from ecr_steward_sandbox.delivery.ledger import BusEvent, Ledger
from ecr_steward_sandbox.scan_reports import EXAMPLE, ScanReportError, record_scans
from local_ecr import LocalEcr
from local_ecr.iam import UnknownRequestError

DEFAULT_TIMEOUT = 30.0
MAX_TIMEOUT = 600.0
MAX_WAITERS = 100  # who wait at once for something to happen; the next one waits for a place
FOLLOWING = 1.0  # seconds; how late a follower of events that has left, or the end of the sandbox, is noticed

LAST_REFUSED = "last-refused"
"""Stands for the id of the last request that was refused."""

NOTHING_REFUSED = (
    "no request to ECR has been refused for lack of a permission; what was refused before that was asked, "
    "such as a key that is nobody's or a token that has ended, was told why in its answer"
)

SCAN = "a scan is an object with repository, digest, type and status"
MOVE = 'expected {"move": "13h"}'
TRAIL = 'expected {"enabled": true} or {"enabled": false}, and besides "reads": true or false'
"""What a body holds, for whoever sent another."""

ROUTES = {
    "GET requests": "API calls so far",
    "GET events": "events so far, by bus; ?follow=true goes on, a line for each as it comes",
    "GET decisions": "who was allowed what, or refused it, by which statement; ?refused=true for refusals alone",
    "GET decisions/REQUEST-ID": "why a request to ECR was allowed or refused, policy by policy; `last-refused` for any",
    "GET idle": "answers when nothing is under way; ?timeout=seconds, then 408 and what is",
    "POST scans": "what a scanner found in an image, or a list of that: repository, digest, type, status, findings",
    "GET clock": "the sandbox's time, and how many seconds it is ahead of the real one",
    "POST clock": '{"move": "13h"} lets so much time pass at once; whole numbers of s, m, h or d',
    "GET trail": "whether CloudTrail events are emitted",
    "POST trail": '{"enabled": false} for a registry without a trail; "reads": true records what only reads, too',
    **faults.ROUTES,
}


class EcrStage(Protocol):
    """A running ECR, alone or with the whole house around it."""

    local_ecr: LocalEcr
    clock: SandboxClock
    account: str
    regions: tuple[str, ...]
    control_token: ControlToken

    @property
    def endpoint_url(self) -> str:
        """Where the AWS API is."""

    @property
    def ledger(self) -> Ledger:
        """What happened."""

    def move_clock(self, by: timedelta) -> Any:
        """Let so much time pass at once. Raises ClockError or TimeoutError."""

    def wait_until_idle(self, timeout: float) -> None:
        """Raises TimeoutError that says what is under way."""


class EcrControl:
    """What is answered, by name of the path."""

    def __init__(self, stage: EcrStage) -> None:
        self._stage = stage
        self._limiter: CapacityLimiter | None = None

    def told(self) -> Mapping[str, str]:
        """What each route is for."""
        return ROUTES

    def routes(self) -> Mapping[str, Endpoint]:
        """Every endpoint by `METHOD /path`."""
        return {
            "GET /": self.index,
            "GET /requests": self.requests,
            "GET /events": self.events,
            "GET /decisions": self.decisions,
            "GET /decisions/{request_id:path}": self.why,
            "GET /idle": self.idle,
            "POST /scans": self.post_scans,
            "GET /clock": self.read_clock,
            "POST /clock": self.move_clock,
            "GET /trail": self.read_trail,
            "POST /trail": self.set_trail,
            **faults.FaultControl(self._stage.local_ecr.faults).routes(),
        }

    async def index(self, _: Request) -> Response:
        return page(
            {
                "endpoint_url": self._stage.endpoint_url,
                "token_file": str(self._stage.control_token.file),
                "routes": self.told(),
                "example of a scan": EXAMPLE,
            }
        )

    async def requests(self, _: Request) -> Response:
        return answer(self._stage.local_ecr.requests.entries())

    async def events(self, request: Request) -> Response:
        if request.query_params.get("follow") != "true":
            return answer(self._stage.ledger.events)
        return StreamingResponse(self._follow(), media_type="application/x-ndjson")

    async def _follow(self) -> AsyncIterator[bytes]:
        position = 0
        while True:
            found, position = await to_thread.run_sync(
                self._stage.ledger.events_after, position, FOLLOWING, limiter=self._waiters(), abandon_on_cancel=True
            )
            yield b"".join(_line(event) for event in found)

    async def decisions(self, request: Request) -> Response:
        only_refused = request.query_params.get("refused") == "true"
        found = self._stage.local_ecr.decisions.entries()
        return answer([one for one in found if not (only_refused and one.is_allowed)])

    async def why(self, request: Request) -> Response:
        log = self._stage.local_ecr.decisions
        request_id = request.path_params["request_id"]
        if request_id == LAST_REFUSED:
            refused = [one for one in log.entries() if one.request_id and not one.is_allowed]
            if not refused:
                return answer({"error": NOTHING_REFUSED}, 404)
            request_id = refused[-1].request_id
        try:
            lines = await to_thread.run_sync(log.why, request_id)
        except UnknownRequestError as error:
            return answer({"error": str(error.args[0])}, 404)
        return answer({"request_id": request_id, "decisions": log.of_request(request_id), "why": lines})

    async def idle(self, request: Request) -> Response:
        try:
            timeout = min(float(request.query_params.get("timeout", DEFAULT_TIMEOUT)), MAX_TIMEOUT)
        except ValueError:
            return answer({"error": "timeout is a number of seconds"}, 400)
        try:
            await to_thread.run_sync(self._stage.wait_until_idle, timeout, limiter=self._waiters())
        except TimeoutError as error:
            return answer({"idle": False, "error": str(error)}, 408)
        return answer({"idle": True})

    async def post_scans(self, request: Request) -> Response:
        try:
            document = await body_of(request, SCAN)
        except HTTPException as refusal:
            return answer({"error": refusal.detail, "example": EXAMPLE}, refusal.status_code)
        ecr, account, region = self._stage.local_ecr, self._stage.account, self._stage.regions[0]
        try:
            count = await to_thread.run_sync(record_scans, ecr, document, account, region)
        except ScanReportError as error:
            return answer({"error": str(error), "example": EXAMPLE}, error.status)
        return answer({"accepted": count}, 202)

    async def read_clock(self, _: Request) -> Response:
        return answer(self._time())

    async def move_clock(self, request: Request) -> Response:
        document = await body_of(request, MOVE)
        if not isinstance(document, dict) or document.keys() != {"move"} or not isinstance(document["move"], str):
            return answer({"error": MOVE}, 400)
        try:
            by = parse_duration(document["move"])
            moved = await to_thread.run_sync(self._stage.move_clock, by, limiter=self._waiters())
        except ClockError as error:
            return answer({"error": str(error)}, 400)
        except TimeoutError as error:
            return answer({"error": f"not moved: {error}"}, 408)
        return answer(self._time() | {"moved": moved})

    async def read_trail(self, _: Request) -> Response:
        return answer(self._trail())

    async def set_trail(self, request: Request) -> Response:
        document = await body_of(request, TRAIL)
        if not isinstance(document, dict) or not isinstance(document.get("enabled"), bool):
            return answer({"error": TRAIL}, 400)
        ecr, reads = self._stage.local_ecr, document.get("reads", self._stage.local_ecr.trail_reads)
        if not isinstance(reads, bool):
            return answer({"error": TRAIL}, 400)
        ecr.trail, ecr.trail_reads = document["enabled"], reads
        return answer(self._trail())

    def _trail(self) -> dict[str, bool]:
        return {"enabled": self._stage.local_ecr.trail, "reads": self._stage.local_ecr.trail_reads}

    def _waiters(self) -> CapacityLimiter:
        """Threads of their own: those that everybody shares answer ECR, which those who wait may be waiting for."""
        if self._limiter is None:  # it belongs to the event loop, which runs by the first request
            self._limiter = CapacityLimiter(MAX_WAITERS)
        return self._limiter

    def _time(self) -> dict[str, Any]:
        clock = self._stage.clock
        return {"now": clock.now, "seconds_ahead": clock.offset.total_seconds()}


def _line(event: BusEvent) -> bytes:
    return json.dumps(plain(event)).encode() + b"\n"
