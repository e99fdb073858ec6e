"""The stack is not as CloudFormation should leave it."""

import contextlib
from collections.abc import Iterator
from typing import Any

from moto.cloudformation.models import cloudformation_backends

from ecr_steward_sandbox.deploy.described import NEVER_CHECKED, set_drift
from tests.sandbox.doctor.broken.breakage import Breakage
from tests.sandbox.doctor.conftest import HUB, REGION, STACK, House


def _stack() -> Any:
    return next(one for one in cloudformation_backends[HUB][REGION].stacks.values() if one.name == STACK)


@contextlib.contextmanager
def update_failed(house: House) -> Iterator[None]:
    stack = _stack()
    before, stack.status = stack.status, "UPDATE_ROLLBACK_FAILED"
    yield
    stack.status = before


@contextlib.contextmanager
def drifted(house: House) -> Iterator[None]:
    set_drift(_stack(), "DRIFTED")
    yield
    set_drift(_stack(), NEVER_CHECKED)


@contextlib.contextmanager
def resource_left_out(house: House) -> Iterator[None]:
    resources = _stack().resource_map._resource_json_map
    resource = resources.pop("RulebookRefusedAlarm")
    yield
    resources["RulebookRefusedAlarm"] = resource


BREAKAGES = [
    Breakage("stack-complete", STACK, update_failed),
    Breakage("stack-drift", STACK, drifted),
    Breakage("stack-resources", "RulebookRefusedAlarm", resource_left_out),
]
