"""Reads all facts about a stack: each resource by its reader, several at a time."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from ecr_steward_cli.doctor.around.reading import read_around
from ecr_steward_cli.doctor.asking import Asker, NotThereError, UnreadError
from ecr_steward_cli.doctor.facts import Facts
from ecr_steward_cli.doctor.findings import Unread
from ecr_steward_cli.doctor.intrinsics import UnresolvedError
from ecr_steward_cli.doctor.parts import events, functions, queues, roles, stores
from ecr_steward_cli.doctor.parts.part import Part, Properties, Reader
from ecr_steward_cli.doctor.stack import DeployedStack

READERS: Mapping[str, Reader] = {
    type_: reader for theme in (events, queues, functions, roles, stores) for type_, reader in theme.READERS.items()
}
"""By type of CloudFormation. A type that is not here is looked at by ``stack-resources`` alone."""
_OWNERS: Final[Mapping[str, str]] = {
    "AWS::Events::EventBusPolicy": "EventBusName",
    "AWS::Events::Rule": "EventBusName",
    "AWS::Lambda::EventInvokeConfig": "FunctionName",
    "AWS::Lambda::EventSourceMapping": "FunctionName",
    "AWS::Lambda::Permission": "FunctionName",
    "AWS::SNS::Subscription": "TopicArn",
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::SQS::QueuePolicy": "Queues",
}
"""The property that names what a resource is part of, by type."""
_WORKERS: Final = 8
"""Calls at a time: they wait for AWS most of the time."""


def read_facts(asker: Asker, stack: DeployedStack) -> Facts:
    """All that checks want to know of a stack. What cannot be read says so in its place. Raises UnresolvedError."""
    there = [(name, one) for name, one in stack.names.resources.items() if name not in stack.left_out]
    with ThreadPoolExecutor(_WORKERS) as pool:
        parts = tuple(pool.map(lambda one: _part(asker, stack, *one), there))
    around = read_around(asker, stack, parts)
    return Facts(stack, without_followers(parts), around, dict.fromkeys(sorted(asker.answered), "") | asker.unreachable)


def without_followers(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Without the parts of what does not exist: that a deleted function has no policy is no problem of its own."""
    gone = {part.physical_id for part in parts if part.found is None}
    return tuple(part for part in parts if gone.isdisjoint(_owners(part)))


def _owners(part: Part) -> list[str]:
    if part.type not in _OWNERS or isinstance(part.wanted, Unread):
        return []
    owners = part.wanted.get(_OWNERS[part.type], [])
    return [owners] if isinstance(owners, str) else list(owners)


def _part(asker: Asker, stack: DeployedStack, logical_id: str, resource: Mapping[str, Any]) -> Part:
    type_, physical_id = resource["Type"], stack.names.physical_ids[logical_id]
    wanted = _resolved(stack, resource.get("Properties", {}))
    found = wanted if isinstance(wanted, Unread) else _read(READERS.get(type_), asker, physical_id, wanted)
    return Part(logical_id, type_, physical_id, wanted, found)


def _resolved(stack: DeployedStack, properties: Mapping[str, Any]) -> Properties | Unread:
    try:
        resolved: Properties = stack.names.resolve(properties)
    except UnresolvedError as error:
        return Unread(f"doctor cannot resolve {error} of the template")
    return resolved


def _read(reader: Reader | None, asker: Asker, physical_id: str, wanted: Properties) -> Properties | Unread | None:
    if reader is None:
        return {}
    try:
        return reader(asker, physical_id, wanted)
    except NotThereError:
        return None
    except UnreadError as error:
        return error.fact
