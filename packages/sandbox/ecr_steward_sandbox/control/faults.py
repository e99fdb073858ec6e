"""Faults of delivery, asked for over HTTP: what stands, what it did, and what it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ecr_steward_sandbox.control.answers import Endpoint, answer, body_of
from local_ecr.faults import EXAMPLE, FaultError, Faults, read_fault

FAULT = "a fault is an object with a kind"

ROUTES = {
    "GET faults": "faults in force, events that they hold, and what was done to which event",
    "POST faults": f"drop, double, delay or reorder events: kind, and share, next, detail_type, repository, "
    f"seconds, window; {json.dumps(EXAMPLE)}",
    "POST faults/release": "deliver what is held now, whether or not it is due",
    "DELETE faults": "end all faults, and deliver what they held",
}


class FaultControl:
    """What is answered, by name of the path."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def routes(self) -> Mapping[str, Endpoint]:
        """Every endpoint by `METHOD /path`."""
        return {
            "GET /faults": self.read,
            "POST /faults": self.add,
            "POST /faults/release": self.release,
            "DELETE /faults": self.clear,
        }

    async def read(self, _: Request) -> Response:
        return answer({"faults": self._faults.standing, "held": self._faults.held, "done": self._faults.done})

    async def add(self, request: Request) -> Response:
        try:
            fault = read_fault(await body_of(request, FAULT))
        except HTTPException as refusal:
            return answer({"error": refusal.detail, "example": EXAMPLE}, refusal.status_code)
        except FaultError as error:
            return answer({"error": str(error), "example": EXAMPLE}, 400)
        return answer(self._faults.add(fault), 201)

    async def release(self, _: Request) -> Response:
        return answer({"delivered": await to_thread.run_sync(self._faults.release)}, 202)

    async def clear(self, _: Request) -> Response:
        return answer({"delivered": await to_thread.run_sync(self._faults.clear)}, 202)
