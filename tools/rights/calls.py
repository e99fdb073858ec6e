"""The calls that the roles make: read from what sandboxes wrote down, and kept in calls.json."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from rights.roles import actors, allowing

FILE: Final = Path(__file__).with_name("calls.json")

OF_SEVERAL: Final = frozenset({"aws:TagKeys", "dynamodb:LeadingKeys", "events:detail-type", "events:source"})
"""Condition keys that may have several values (service authorization reference: ArrayOfString)."""


@dataclass(frozen=True, order=True)
class Call:
    """An action that a role asks for; of two on the same resource with other condition keys, both."""

    role: str
    """`hub/ReplicateImageFunctionRole`, `spoke/SpokeRole`."""
    session: str
    """Of a role that functions assume, the function; of others empty."""
    action: str
    resource: str
    face: str
    """`api`; `/v2/`, the registry's own; `delivery`, where an AWS service acts as the role."""
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The condition keys of the action that the request has, and their values where they are few."""

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Self:
        keys = tuple((name, tuple(values)) for name, values in sorted(line["keys"].items()))
        return cls(line["role"], line["session"], line["action"], line["resource"], line["face"], keys)

    @property
    def place(self) -> "Call":
        """The call without its keys: it is one row of the table."""
        return replace(self, keys=())

    @property
    def actor(self) -> tuple[str, str]:
        """The role, and the session where it has a policy of its own."""
        return self.role, self.session if self.role == "spoke/SpokeRole" else ""

    @property
    def context(self) -> Mapping[str, str | list[str]]:
        """The condition keys, as policies see them; the account of the resource is one of them."""
        account = self.resource.split(":")[4] if self.resource.count(":") > 4 else ""
        keys: dict[str, str | list[str]] = {
            name: list(values) if name in OF_SEVERAL else next(iter(values), "") for name, values in self.keys
        }
        return {**keys, **({"aws:ResourceAccount": account} if account else {})}

    @property
    def allowed_by(self) -> tuple[str, ...]:
        """The statements of the role, as the templates have it, that allow the call."""
        return allowing(self.role, self.session, self.action, self.resource, self.context)

    def as_line(self) -> dict[str, Any]:
        keys = {name: list(values) for name, values in self.keys}
        told = {"role": self.role, "session": self.session, "action": self.action, "resource": self.resource}
        return {**told, "face": self.face, "keys": keys}


@dataclass(frozen=True)
class Seen:
    """What was allowed, and what was refused although nothing had been taken away from the role."""

    allowed: frozenset[Call]
    refused: frozenset[Call]

    def without(self, known: "Seen") -> "Seen":
        return Seen(self.allowed - known.allowed, self.refused - known.refused)

    def __bool__(self) -> bool:
        return bool(self.allowed or self.refused)

    def __str__(self) -> str:
        named = [f"allowed: {json.dumps(one.as_line())}" for one in sorted(self.allowed)]
        return "\n".join(named + [f"refused: {json.dumps(one.as_line())}" for one in sorted(self.refused)])


def seen_in(folder: Path) -> Seen:
    """What the sandboxes wrote that deployed the template of this checkout; those of other templates are passed over."""
    return _seen(line for file in sorted(folder.glob("*.jsonl")) for line in _lines(file))


def _lines(file: Path) -> Iterator[Mapping[str, Any]]:
    first, *lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    ours = {role for role, _ in actors() if role.startswith("hub/")}
    return iter(lines if {f"hub/{role}" for role in first["roles"]} >= ours else ())


def _seen(lines: Iterable[Mapping[str, Any]]) -> Seen:
    allowed, refused = set(), set()
    for line in lines:
        for call in _one_by_one(Call.of(line)):
            if line["is_allowed"]:
                allowed.add(call)
            elif not call.allowed_by:  # a test had not taken the right away, nor was it a resource's policy that refused
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
        keys = dict(call.keys) | {name: (value,)}
        yield from _one_by_one(replace(call, keys=tuple(sorted(keys.items()))))


def read() -> Seen:
    """What is committed."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return Seen(*(frozenset(map(Call.of, document[kind])) for kind in ("allowed", "refused")))


def write(seen: Seen) -> None:
    """Replace what is committed: a line for each call, in their order."""
    parts = []
    for kind, calls in (("allowed", seen.allowed), ("refused", seen.refused)):
        lines = ",\n".join(f"    {json.dumps(call.as_line())}" for call in sorted(calls))
        parts.append(f'  "{kind}": [\n{lines}\n  ]' if lines else f'  "{kind}": []')
    FILE.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
