"""Whether Lambda may stop a function that invokes itself by way of a queue: GetFunctionRecursionConfig and its Put.

moto does not know them. The sandbox stops no loop.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from moto.awslambda.models import lambda_backends

from ecr_steward_sandbox.api_calls import ApiCall, HttpRequest
from ecr_steward_sandbox.deploy import Deployment
from ecr_steward_sandbox.moto_gateway import HttpAnswer
from ecr_steward_sandbox.permissions import function_arn
from local_ecr import Principal

DEFAULT: Final = "Terminate"
_KNOWN: Final = frozenset({"Allow", DEFAULT})


class RecursionConfigs:
    """By function, as deployed and as set since."""

    def __init__(self, deployments: Iterable[Deployment]) -> None:
        functions = [one for deployment in deployments for one in deployment.of_type("AWS::Lambda::Function")]
        self._set = {one.arn: str(one.properties.get("RecursiveLoop", DEFAULT)) for one in functions}

    def get(self, request: HttpRequest, call: ApiCall, principal: Principal) -> HttpAnswer:
        """GetFunctionRecursionConfig, Lambda API reference."""
        arn = self._function(request, call, principal)
        if arn is None:
            return _not_found(request)
        return HttpAnswer.json(200, {"RecursiveLoop": self._set.get(arn, DEFAULT)})

    def put(self, request: HttpRequest, call: ApiCall, principal: Principal) -> HttpAnswer:
        """PutFunctionRecursionConfig, Lambda API reference."""
        arn = self._function(request, call, principal)
        if arn is None:
            return _not_found(request)
        asked = json.loads(request.body).get("RecursiveLoop")
        if asked not in _KNOWN:
            return HttpAnswer.error(400, "InvalidParameterValueException", f"RecursiveLoop cannot be {asked!r}.")
        self._set[arn] = asked
        return HttpAnswer.json(200, {"RecursiveLoop": asked})

    def _function(self, request: HttpRequest, call: ApiCall, principal: Principal) -> str | None:
        arn = function_arn(_name(request), call, principal.account)
        functions = lambda_backends[principal.account][call.region].list_functions()
        return arn if arn in {one.function_arn for one in functions} else None


def _name(request: HttpRequest) -> str:
    return unquote(request.path.split("/functions/", 1)[1].split("/", 1)[0])


def _not_found(request: HttpRequest) -> HttpAnswer:
    return HttpAnswer.error(404, "ResourceNotFoundException", f"Function not found: {_name(request)}")
