"""A value that the sandbox cannot run by stops the start, also one of a parameter, which cfn-lint does not see."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ecr_steward_sandbox.deploy import Deployment
from ecr_steward_sandbox.deploy.errors import RefusedError
from ecr_steward_sandbox.deploy.refused import check_values

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("logical_id", "changed", "sentence"),
    [
        ("EnforceImageTagsFunction", {"Runtime": "python3.11"}, "Runtime: 'python3.11' is refused: .* python3"),
        (
            "ForwardToStewardRule",
            {"ScheduleExpression": "rate(5 minute)"},
            "ScheduleExpression: .* hours or days for more",
        ),
        ("ForwardToStewardRule", {"ScheduleExpression": "at(2030-01-31T12:00:00)"}, "is no schedule of a rule"),
    ],
)
def test_value_is_refused_when_the_sandbox_cannot_run_by_it(
    deployed: Deployment, logical_id: str, changed: dict[str, str], sentence: str
) -> None:
    resource = deployed.resources[logical_id]
    resource = replace(resource, properties={**resource.properties, **changed})

    with pytest.raises(RefusedError, match=sentence):
        check_values(replace(deployed, resources={**deployed.resources, logical_id: resource}))


def test_start_stops_when_a_parameter_makes_a_schedule_that_aws_refuses(deploy_changed: Callable[..., Any]) -> None:
    with pytest.raises(RefusedError, match=r"ScheduleExpression: 'rate\(1 hours\)' is refused: rate\(\) takes minute"):
        deploy_changed(lambda _: None, SweepSchedule="rate(1 hours)")


def test_start_stops_when_a_schedule_goes_by_a_time_zone_that_is_nowhere(deploy_changed: Callable[..., Any]) -> None:
    def move(template: dict[str, Any]) -> None:
        sweep = template["Resources"]["ReconcileRegistryFunction"]["Properties"]["Events"]["Sweep"]["Properties"]
        sweep["ScheduleExpressionTimezone"] = "Mars/Olympus"

    with pytest.raises(RefusedError, match="there is no time zone 'Mars/Olympus'"):
        deploy_changed(move)
