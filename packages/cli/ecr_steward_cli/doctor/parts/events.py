"""Amazon EventBridge: buses, their policies and rules; and schedules of EventBridge Scheduler."""

import json
from collections.abc import Mapping
from typing import Any

from ecr_steward_cli.doctor.asking import Asker, NotThereError
from ecr_steward_cli.doctor.attributes import name_of
from ecr_steward_cli.doctor.parts.part import Properties, Reader

DEFAULT_BUS = "default"


def _bus(asker: Asker, physical_id: str, _: Properties) -> Properties:
    return {"Name": asker.ask("events.describe_event_bus", Name=physical_id)["Name"]}


def _bus_policy(asker: Asker, _: str, wanted: Properties) -> Properties:
    """The statement of this id in the bus's policy."""
    bus = wanted.get("EventBusName", DEFAULT_BUS)
    policy = json.loads(asker.ask("events.describe_event_bus", Name=bus).get("Policy") or "{}")
    for statement in policy.get("Statement", []):
        if statement.get("Sid") == wanted["StatementId"]:
            return {"Statement": {name: value for name, value in statement.items() if name != "Sid"}}
    raise NotThereError


def _rule(asker: Asker, physical_id: str, wanted: Properties) -> Properties:
    name, bus = name_of(physical_id), wanted.get("EventBusName", DEFAULT_BUS)
    rule = asker.ask("events.describe_rule", Name=name, EventBusName=bus)
    targets = asker.ask("events.list_targets_by_rule", Rule=name, EventBusName=bus)["Targets"]
    return {
        "EventPattern": json.loads(rule["EventPattern"]) if rule.get("EventPattern") else None,
        "ScheduleExpression": rule.get("ScheduleExpression"),
        "State": rule.get("State"),
        "Targets": {target["Id"]: target for target in targets},
    }


def _schedule(asker: Asker, physical_id: str, wanted: Properties) -> Properties:
    group = wanted.get("GroupName", "default")
    found: Mapping[str, Any] = asker.ask("scheduler.get_schedule", Name=name_of(physical_id), GroupName=group)
    return found


READERS: Mapping[str, Reader] = {
    "AWS::Events::EventBus": _bus,
    "AWS::Events::EventBusPolicy": _bus_policy,
    "AWS::Events::Rule": _rule,
    "AWS::Scheduler::Schedule": _schedule,
}
