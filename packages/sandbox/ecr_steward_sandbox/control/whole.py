"""What can be asked of the whole sandbox, and done to it: beside ECR, what was deployed, delivered and run."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from ecr_steward_sandbox.control.answers import Endpoint, answer, body_of
from ecr_steward_sandbox.control.ecr import ROUTES as ROUTES_OF_ECR
from ecr_steward_sandbox.control.ecr import EcrControl
from ecr_steward_sandbox.delivery.schedules import ScheduleDisabledError
from ecr_steward_sandbox.deploy.not_simulated import PROPERTIES
from ecr_steward_sandbox.not_simulated import RUNNING

if TYPE_CHECKING:
    from ecr_steward_sandbox.sandbox import Sandbox

EVENT = "an event is an object with source, detail-type and detail"

ROUTES = {
    **ROUTES_OF_ECR,
    "GET requests": "API calls so far, those to ECR among them",
    "GET invocations": "runs of functions so far, with their logs",
    "GET deliveries": "deliveries so far; ?fate=lost for those that ended nowhere",
    "GET deployment": "logical ids, names and ARNs of what was deployed; ?account= for another than the hub",
    "GET not-simulated": "what is not as at AWS, and why",
    "POST events": "put an event, or a list of them, on the default bus as an AWS service does",
    "POST schedules/NAME": "fire a schedule now",
}


class SandboxControl(EcrControl):
    """What is answered, by name of the path."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._sandbox = sandbox

    def told(self) -> Mapping[str, str]:
        """What each route is for."""
        return ROUTES

    def routes(self) -> Mapping[str, Endpoint]:
        """Every endpoint by `METHOD /path`."""
        return {
            **super().routes(),
            "GET /invocations": self.invocations,
            "GET /deliveries": self.deliveries,
            "GET /deployment": self.deployment,
            "GET /not-simulated": self.not_simulated,
            "POST /events": self.put_events,
            "POST /schedules/{name}": self.fire_schedule,
        }

    async def requests(self, _: Request) -> Response:
        entries = [*self._sandbox.requests.entries(), *self._sandbox.local_ecr.requests.entries()]
        return answer(sorted(entries, key=lambda request: request.time))

    async def invocations(self, _: Request) -> Response:
        return answer(self._sandbox.invocations)

    async def deliveries(self, request: Request) -> Response:
        fate = request.query_params.get("fate")
        return answer([one for one in self._sandbox.deliveries if fate in (None, one.fate.value)])

    async def deployment(self, request: Request) -> Response:
        sandbox = self._sandbox
        account = request.query_params.get("account", sandbox.account)
        if account not in sandbox.deployments:
            return answer({"error": f"no stack in {account}; there are: {', '.join(sandbox.deployments)}"}, 404)
        resources = sandbox.deployments[account].resources.values()
        return answer(
            {one.logical_id: {"type": one.type, "name": one.physical_id, "arn": one.arn} for one in resources}
        )

    async def not_simulated(self, _: Request) -> Response:
        return answer({"running": RUNNING, "properties": {" ".join(key): why for key, why in PROPERTIES.items()}})

    async def put_events(self, request: Request) -> Response:
        document = await body_of(request, EVENT)
        given = document if isinstance(document, list) else [document]
        for event in given:
            if not isinstance(event, dict) or not {"source", "detail-type", "detail"} <= event.keys():
                return answer({"error": EVENT}, 400)
        for event in given:
            whole = _envelope(self._sandbox.account, self._sandbox.regions[0]) | event
            self._sandbox.deliver(whole["account"], whole["region"], whole)
        return answer({"accepted": len(given)}, 202)

    async def fire_schedule(self, request: Request) -> Response:
        try:
            self._sandbox.tick(request.path_params["name"])
        except LookupError as error:
            return answer({"error": str(error.args[0])}, 404)
        except ScheduleDisabledError as error:
            return answer({"error": str(error)}, 409)
        return answer({"fired": request.path_params["name"]}, 202)


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
