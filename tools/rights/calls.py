"""The calls that the roles make: read from what sandboxes wrote down, and kept in calls.json."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

from rights.roles import SESSIONS_OF, actors, allowing, hub_roles
from template_lint.resolved import HUB

FILE: Final = Path(__file__).with_name("calls.json")

OF_SEVERAL: Final = frozenset({"aws:TagKeys", "dynamodb:LeadingKeys", "events:detail-type", "events:source"})
"""Condition keys that may have several values (service authorization reference: ArrayOfString)."""
ORGANIZATION: Final = "SpokeOrganization"
"""The organization of connected accounts: its parameter's name, as `resolved` has it."""


@dataclass(frozen=True, order=True)
class Call:
    """An action that a role asks for; of two on the same resource with other condition keys, both."""

    actor: str
    """`hub/ReplicateImageFunctionRole`, `spoke/SpokeRole as replicate_image`."""
    action: str
    resource: str
    face: str
    """`api`; `/v2/`, the registry's own; `delivery`, where an AWS service acts as the role."""
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The condition keys of the action that the request has, and their values where they are few."""

    @classmethod
    def written(cls, line: Mapping[str, Any]) -> Self:
        """A line of a sandbox's log."""
        role, session = line["role"], line["session"]
        actor = f"{role} as {session}" if role == SESSIONS_OF else role
        return cls(actor, line["action"], line["resource"], line["face"], _keys(line["keys"]))

    @property
    def context(self) -> Mapping[str, str | list[str]]:
        """The condition keys, as policies see them; those of the resource's account are among them."""
        keys: dict[str, str | list[str]] = {
            name: list(values) if name in OF_SEVERAL else next(iter(values), "") for name, values in self.keys
        }
        account = self.resource.split(":")[4] if self.resource.count(":") > 4 else ""
        keys["aws:ResourceAccount"] = account or HUB  # an ARN of S3 has none
        return keys if keys["aws:ResourceAccount"] == HUB else {**keys, "aws:ResourceOrgID": ORGANIZATION}

    @cached_property
    def allowed_by(self) -> frozenset[str]:
        """The statements of the role, as the templates have it, that allow the call."""
        return frozenset(allowing(self.actor, self.action, self.resource, self.context))

    def __str__(self) -> str:
        keys = " ".join(f"{name}={'|'.join(values)}" for name, values in self.keys)
        return " ".join(filter(None, (self.actor, self.action, self.resource, keys)))


@dataclass(frozen=True)
class Seen:
    """What was allowed, and what was refused although nothing had been taken away from the role."""

    allowed: frozenset[Call]
    refused: frozenset[Call]


def seen_in(folder: Path) -> Seen:
    """What sandboxes with the template of this checkout wrote; those of other templates are passed over."""
    return _seen(line for file in sorted(folder.glob("*.jsonl")) for line in _lines(file))


def _lines(file: Path) -> Iterator[Mapping[str, Any]]:
    first, *lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return iter(lines if set(first["roles"]) >= hub_roles() else ())


def _seen(lines: Iterable[Mapping[str, Any]]) -> Seen:
    allowed, refused = set(), set()
    known = set(actors())
    for line in lines:
        for call in _one_by_one(Call.written(line)):
            if call.actor not in known:
                continue
            if line["is_allowed"]:
                allowed.add(call)
            elif not call.allowed_by:  # no test had taken the right away, nor was it a resource's policy that refused
                refused.add(call)
    return Seen(frozenset(allowed), frozenset(refused - allowed))


def _one_by_one(call: Call) -> Iterator[Call]:
    """A request about several items of a table, or with several events, as one about each: they come in any mixture."""
    several = [(name, values) for name, values in call.keys if len(values) > 1]
    if not several:
        yield call
        return
    name, values = several[0]
    for value in values:
        keys = {**dict(call.keys), name: (value,)}
        yield from _one_by_one(replace(call, keys=_keys(keys)))


def read() -> Seen:
    """What is committed."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return Seen(*(frozenset(_expanded(document[kind])) for kind in ("allowed", "refused")))


def _expanded(by_actor: Mapping[str, Iterable[tuple[str, str, str, Mapping[str, Any]]]]) -> Iterator[Call]:
    for actor, rows in by_actor.items():
        for action, resource, face, keys in rows:
            yield from _one_by_one(Call(actor, action, resource, face, _keys(keys)))


def _keys(keys: Mapping[str, Iterable[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, tuple(values)) for name, values in sorted(keys.items()))


def written(seen: Seen) -> str:
    """The text of the file: a line for the calls of one actor that differ in the values of condition keys alone.

    Where a line has several keys with several values, reading it gives each combination.
    """
    parts = []
    for kind, calls in (("allowed", seen.allowed), ("refused", seen.refused)):
        rows: dict[str, list[str]] = defaultdict(list)
        for (actor, action, resource, face, names), values in sorted(_merged(calls).items()):
            keys = {name: sorted(of) for name, of in zip(names, values, strict=True)}
            rows[actor].append(f"      {json.dumps([action, resource, face, keys])}")
        actors = [f"    {json.dumps(actor)}: [\n{',\n'.join(lines)}\n    ]" for actor, lines in rows.items()]
        parts.append(f'  "{kind}": {{\n{",\n".join(actors)}\n  }}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _merged(calls: Iterable[Call]) -> Mapping[tuple[str, str, str, str, tuple[str, ...]], tuple[set[str], ...]]:
    merged: dict[tuple[str, str, str, str, tuple[str, ...]], tuple[set[str], ...]] = {}
    for call in calls:
        names = tuple(name for name, _ in call.keys)
        place = (call.actor, call.action, call.resource, call.face, names)
        for known, (_, values) in zip(merged.setdefault(place, tuple(set() for _ in names)), call.keys, strict=True):
            known.update(values)
    return merged
