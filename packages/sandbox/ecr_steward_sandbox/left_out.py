"""Members of answers that AWS gives and moto leaves out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from moto.awslambda.models import lambda_backends

from ecr_steward_sandbox.api_calls import ApiCall
from ecr_steward_sandbox.moto_gateway import HttpAnswer

type _Document = dict[str, Any]


def completed(call: ApiCall, account: str, answer: HttpAnswer) -> HttpAnswer:
    """The answer with what moto left out of it."""
    complete = _COMPLETE.get((call.service, call.operation))
    if complete is None or answer.status >= 300:
        return answer
    document = json.loads(answer.body)
    complete(document, account, call.region)
    return replace(answer, body=json.dumps(document).encode())


def _logging(configuration: _Document, account: str, region: str) -> None:
    """Where a function logs: FunctionConfiguration, Lambda API reference."""
    function = lambda_backends[account][region].get_function(configuration["FunctionName"])
    configuration["LoggingConfig"] = {"LogFormat": "Text", "LogGroup": function.logs_group_name}


_COMPLETE: Mapping[tuple[str, str], Callable[[_Document, str, str], None]] = {
    ("lambda", "GetFunction"): lambda found, account, region: _logging(found["Configuration"], account, region),
    ("lambda", "GetFunctionConfiguration"): _logging,
}
