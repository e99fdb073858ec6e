"""A value that AWS refuses stops the start, with what AWS takes."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ecr_steward_sandbox.deploy import Deployment
from ecr_steward_sandbox.deploy.errors import RefusedError
from ecr_steward_sandbox.deploy.refused import check_values, expression_problem

pytestmark = pytest.mark.slow

TARGET = {"Arn": "arn:aws:sqs:us-east-1:111122223333:x"}

REFUSED: list[tuple[str, tuple[str, ...], Any, str]] = [
    ("EnforceImageTagsFunction", ("Timeout",), 901, "Timeout: 901 is refused: .* from 1 to 900"),
    ("EnforceImageTagsFunction", ("Runtime",), "python3.11", "Runtime: 'python3.11' is refused: .* python3"),
    (
        "EnforceImageTagsFunction",
        ("Environment", "Variables", "AWS_REGION"),
        "eu-west-1",
        "Environment.Variables.AWS_REGION: 'eu-west-1' is refused: .* reserves its name",
    ),
    ("ReplicateImageQueue", ("VisibilityTimeout",), 899, r"\(899 s\) is at least the Timeout .* 900 s"),
    (
        "EvaluateImageScanFunctionScans",
        ("MaximumBatchingWindowInSeconds",),
        0,
        "BatchSize: 100 is refused: .* 1 to 10, and up to 10000 with a batching window",
    ),
    (
        "EvaluateImageScanFunctionScans",
        ("MaximumBatchingWindowInSeconds",),
        301,
        "MaximumBatchingWindowInSeconds: 301 is refused: .* 0 to 300",
    ),
    ("ReplicateImageLogGroup", ("RetentionInDays",), 91, "RetentionInDays: 91 is refused: .* 90, 120"),
    (
        "ViolationFoundRule",
        ("Targets",),
        [{"Id": f"Queue{number}", **TARGET} for number in range(6)],
        "Targets: 6 is refused: .* at most 5",
    ),
    (
        "ViolationFoundRule",
        ("EventPattern",),
        {"source": [f"some.source.{number}" for number in range(300)]},
        "EventPattern: .* at most 4096 characters",
    ),
    (
        "ForwardToStewardRule",
        ("ScheduleExpression",),
        "rate(5 minute)",
        "ScheduleExpression: .* hours or days for more",
    ),
]


@pytest.mark.parametrize(
    ("logical_id", "path", "value", "sentence"),
    REFUSED,
    ids=[f"{row[0]} {row[1][-1]} {row[3][:12]}" for row in REFUSED],
)
def test_value_is_refused_when_aws_refuses_it(
    deployed: Deployment, logical_id: str, path: tuple[str, ...], value: Any, sentence: str
) -> None:
    changed = deployed.resources[logical_id]
    for step in reversed(path):
        value = {step: value}
    resource = replace(changed, properties={**changed.properties, **value})

    with pytest.raises(RefusedError, match=sentence):
        check_values(replace(deployed, resources={**deployed.resources, logical_id: resource}))


def test_no_value_is_refused_when_the_template_is_ours(deployed: Deployment) -> None:
    check_values(deployed)


def test_start_stops_when_a_parameter_makes_a_schedule_that_aws_refuses(deploy_changed: Callable[..., Any]) -> None:
    with pytest.raises(RefusedError, match=r"ScheduleExpression: 'rate\(1 hours\)' is refused: rate\(\) takes minute"):
        deploy_changed(lambda _: None, SweepSchedule="rate(1 hours)")


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(5 minutes)",
        "rate(24 hours)",
        "rate(1 day)",
        "cron(0 12 * * ? *)",
        "cron(0/15 8-17 ? * MON-FRI *)",
        "cron(0,30 6 1,15 JAN,JUL ? 2030-2035)",
        "cron(0 9 ? * 2#1 *)",
        "cron(0 9 ? * FRIL *)",
        "cron(0 9 LW * ? *)",
        "cron(0 9 3W * ? *)",
        "at(2030-01-31T12:00:00)",
    ],
)
def test_schedule_is_taken_when_aws_takes_it(expression: str) -> None:
    assert expression_problem(expression) is None


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("rate(1 hours)", "takes minute, hour or day for 1"),
        ("rate(2 hour)", "hours or days for more"),
        ("rate(0 minutes)", "a schedule is"),
        ("rate(5 seconds)", "a schedule is"),
        ("rate(5minutes)", "a schedule is"),
        ("every hour", "a schedule is"),
        ("cron(0 12 * * ?)", "six fields .* has 5"),
        ("cron(0 12 * * * *)", "exactly one of"),
        ("cron(0 12 ? * ? *)", "exactly one of"),
        ("cron(60 12 * * ? *)", "minutes of cron.. does not take '60'"),
        ("cron(0 24 * * ? *)", "hours"),
        ("cron(0 12 32 * ? *)", "day of month"),
        ("cron(0 12 * 13 ? *)", "month"),
        ("cron(0 12 ? * 8 *)", "day of week"),
        ("cron(0 12 ? * MON#6 *)", "day of week"),
        ("cron(0 12 * * ? 2200)", "year"),
        ("cron(0/0 12 * * ? *)", "minutes"),
        ("at(2030-13-01T00:00:00)", "a schedule is"),
        ("at(2030-01-01)", "a schedule is"),
    ],
)
def test_schedule_is_refused_when_aws_refuses_it(expression: str, reason: str) -> None:
    problem = expression_problem(expression)

    assert problem is not None

    assert re.search(reason, problem)
