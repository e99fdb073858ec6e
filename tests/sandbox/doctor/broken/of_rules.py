"""Buses, rules and schedules that are broken."""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.sandbox.doctor.broken.breakage import FORWARD, LOGINS, PUSHED, SWEEP, Break, Breakage
from tests.sandbox.doctor.conftest import HUB, REGION, House


@contextlib.contextmanager
def rule_disabled(house: House) -> Iterator[None]:
    events, name = house.client("events"), house.named(FORWARD)
    events.disable_rule(Name=name)
    yield
    events.enable_rule(Name=name)


def rule_put(logical_id: str, **changes: Any) -> Break:
    @contextlib.contextmanager
    def broken(house: House) -> Iterator[None]:
        events, wanted = house.client("events"), house.properties(logical_id)
        rule = {"Name": house.named(logical_id), "EventBusName": wanted["EventBusName"]}
        events.put_rule(**rule, EventPattern=json.dumps(wanted["EventPattern"] | changes))
        yield
        events.put_rule(**rule, EventPattern=json.dumps(wanted["EventPattern"]))

    return broken


def targets_put(logical_id: str, change: Callable[[list[Any]], list[Any]], *, deletes: bool = False) -> Break:
    @contextlib.contextmanager
    def broken(house: House) -> Iterator[None]:
        events, wanted = house.client("events"), house.properties(logical_id)
        key = {"Rule": house.named(logical_id), "EventBusName": wanted["EventBusName"]}
        ids = [target["Id"] for target in wanted["Targets"]]
        events.remove_targets(**key, Ids=ids)
        if deletes:
            events.delete_rule(Name=key["Rule"], EventBusName=key["EventBusName"])
        others = change(wanted["Targets"])
        if others:
            events.put_targets(**key, Targets=others)
        yield
        if deletes:
            pattern = json.dumps(wanted["EventPattern"])
            events.put_rule(Name=key["Rule"], EventBusName=key["EventBusName"], EventPattern=pattern)
        if others:
            events.remove_targets(**key, Ids=[target["Id"] for target in others])
        events.put_targets(**key, Targets=wanted["Targets"])

    return broken


@contextlib.contextmanager
def bus_statement_removed(house: House) -> Iterator[None]:
    events, wanted = house.client("events"), house.properties("EventBusPolicy")
    events.remove_permission(EventBusName="ecr-steward", StatementId=wanted["StatementId"])
    yield
    _put_statement(house, "EventBusPolicy", {})


@contextlib.contextmanager
def bus_statement_weakened(house: House) -> Iterator[None]:
    _put_statement(house, "OwnNoticesPolicy", {"Condition": {"StringEquals": {"events:source": "another"}}})
    yield
    _put_statement(house, "OwnNoticesPolicy", {})


def _put_statement(house: House, logical_id: str, change: dict[str, Any]) -> None:
    events, wanted = house.client("events"), house.properties(logical_id)
    statement = wanted["Statement"] | change | {"Sid": wanted["StatementId"]}
    with contextlib.suppress(events.exceptions.ResourceNotFoundException):
        events.remove_permission(EventBusName="ecr-steward", StatementId=wanted["StatementId"])
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    events.put_permission(EventBusName="ecr-steward", Policy=policy)


def schedule_put(logical_id: str, change: Callable[[Any], Any]) -> Break:
    @contextlib.contextmanager
    def broken(house: House) -> Iterator[None]:
        scheduler, name = house.client("scheduler"), house.named(logical_id)
        found = scheduler.get_schedule(Name=name)
        names = ("FlexibleTimeWindow", "GroupName", "Name", "ScheduleExpression", "State", "Target")
        asked = {one: found[one] for one in names}
        scheduler.update_schedule(**(asked | change(asked)))
        yield
        scheduler.update_schedule(**asked)

    return broken


def schedule_deleted(logical_id: str) -> Break:
    @contextlib.contextmanager
    def broken(house: House) -> Iterator[None]:
        scheduler, name = house.client("scheduler"), house.named(logical_id)
        scheduler.delete_schedule(Name=name)
        yield
        scheduler.create_schedule(**{**house.properties(logical_id), "Name": name})

    return broken


TO_SCANS, CHANGED = "ToEvaluateImageScanRule", "ApplyRepositoryPoliciesFunctionChanged"
ANOTHER_TARGET = {"Id": "Another", "Arn": f"arn:aws:sqs:{REGION}:{HUB}:another"}
BREAKAGES = [
    Breakage("bus-policy-exists", "EventBusPolicy", bus_statement_removed),
    Breakage("bus-policy", "OwnNoticesPolicy", bus_statement_weakened),
    Breakage("rule-enabled", FORWARD, rule_disabled),
    Breakage("rule-pattern", PUSHED, rule_put(PUSHED, source=["aws.ec2"])),
    Breakage("rule-targets", "NoticesRule", targets_put("NoticesRule", lambda _: [])),
    Breakage(
        "rule-targets",
        "NoticesRule",
        targets_put("NoticesRule", lambda targets: [{k: v for k, v in targets[0].items() if k != "RoleArn"}]),
    ),
    Breakage(
        "rule-targets",
        TO_SCANS,
        targets_put(TO_SCANS, lambda targets: [{k: v for k, v in targets[0].items() if k != "DeadLetterConfig"}]),
    ),
    Breakage(
        "rule-targets",
        "ToReplicateImageRule",
        targets_put("ToReplicateImageRule", lambda targets: [*targets, ANOTHER_TARGET]),
    ),
    Breakage("rule-exists", CHANGED, targets_put(CHANGED, lambda _: [], deletes=True)),
    Breakage("schedule-enabled", f"{SWEEP}Sweep", schedule_put(f"{SWEEP}Sweep", lambda _: {"State": "DISABLED"})),
    Breakage(
        "schedule-time",
        f"{LOGINS}Refresh",
        schedule_put(f"{LOGINS}Refresh", lambda _: {"ScheduleExpression": "rate(2 days)"}),
    ),
    Breakage(
        "schedule-target",
        f"{SWEEP}Sweep",
        schedule_put(f"{SWEEP}Sweep", lambda found: {"Target": found["Target"] | {"RoleArn": "arn:aws:iam::1:role/x"}}),
        round=2,
    ),
    Breakage("schedule-exists", f"{LOGINS}Refresh", schedule_deleted(f"{LOGINS}Refresh"), round=2),
]
