"""Which sample events the template's rules, queues and schedules bring to which function."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ecr_steward_sandbox.delivery.patterns import Pattern

EVENTS = Path(__file__).parents[2] / "events"


def wired_pairs(template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each function, by logical id, and each sample, by its path below ``events/``, that the template brings to it.

    ``template`` is plain CloudFormation, as aws-sam-translator writes it. A batch of messages says in its
    ``eventSourceARN`` from which queue it is, a scheduled event in its ``resources`` from which schedule.
    """
    samples = {_name(path): json.loads(path.read_text(encoding="utf-8")) for path in sorted(EVENTS.rglob("*.json"))}
    resources: Mapping[str, Mapping[str, Any]] = template["Resources"]
    functions = {logical_id for logical_id, each in resources.items() if each["Type"] == "AWS::Lambda::Function"}
    for logical_id, each in resources.items():
        targets, brings = _wire(logical_id, each)
        brought = [name for name, sample in samples.items() if brings(sample)] if functions & targets else []
        yield from ((function, name) for function in sorted(functions & targets) for name in brought)


def _wire(logical_id: str, resource: Mapping[str, Any]) -> tuple[set[str], Callable[[Any], bool]]:
    """What a resource brings events to, and which they are."""
    properties = resource.get("Properties", {})
    match resource["Type"]:
        case "AWS::Events::Rule":
            targets = {_logical_id(target["Arn"]) for target in properties["Targets"]}
            return targets, lambda sample: _matches(properties["EventPattern"], sample)
        case "AWS::Lambda::EventSourceMapping":
            queue = _logical_id(properties["EventSourceArn"])
            return {_logical_id(properties["FunctionName"])}, lambda sample: queue in _queues(sample)
        case "AWS::Scheduler::Schedule":
            schedule = properties.get("Name", logical_id)
            return {_logical_id(properties["Target"]["Arn"])}, lambda sample: schedule in _schedules(sample)
    return set(), lambda _: False


def _matches(pattern: Mapping[str, Any], sample: Any) -> bool:
    return _is_event(sample) and Pattern.parse(pattern).matches(sample)


def _is_event(sample: Any) -> bool:
    return isinstance(sample, dict) and "detail-type" in sample


def _queues(sample: Any) -> set[str]:
    """The logical ids of the queues that a batch is from; CloudFormation puts the stack's name before them."""
    records = sample.get("Records", []) if isinstance(sample, dict) else []
    return {record["eventSourceARN"].rpartition("-")[2] for record in records}


def _schedules(sample: Any) -> set[str]:
    """The names of the schedules that an event is from."""
    if not _is_event(sample) or sample.get("source") != "aws.scheduler":
        return set()
    return {arn.rpartition("/")[2] for arn in sample["resources"]}


def _logical_id(reference: Any) -> str:
    match reference:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return name
    return ""  # an address outside the template


def _name(path: Path) -> str:
    return str(path.relative_to(EVENTS).with_suffix(""))
