"""What a policy document means: who may or may not do what, and when, whatever way it is written.

Not a difference: order, a list of one or none, what stands twice, ``Sid`` and ``Id``, the case of actions and of
condition keys, ``Resource: "*"`` or none (a repository policy speaks of its repository), an account by its id or by
its root, several statements or one. ``Version`` is one only where a policy variable is used, which 2008 does not know.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Final

from ecr_steward.domain.policies.principals import Principal, read_principals
from ecr_steward.domain.repositories import Document, UnreadableDocument

VERSION: Final = "2012-10-17"
OLD_VERSION: Final = "2008-10-17"
"""What a document without ``Version`` has."""

type Grant = tuple[object, ...]
"""One effect for one principal and one action under one condition. Two policies with equal grants mean the same."""


@dataclass(frozen=True)
class Statement:
    """One statement, as it is written; nothing in it is lost, whatever it holds."""

    written: Mapping[str, Any]
    version: str = VERSION

    @property
    def sid(self) -> str:
        sid = self.written.get("Sid")
        return sid if isinstance(sid, str) else ""

    @property
    def is_allow(self) -> bool:
        return self.written.get("Effect") == "Allow"

    @property
    def name(self) -> str:
        """How people find it: by its Sid, or by whom it is about."""
        if self.sid:
            return f"`{self.sid}`"
        whom = sorted(map(str, self.principals)) or ["nobody"]
        return f"a statement about {', '.join(whom[:3])}{' and others' if len(whom) > 3 else ''}"

    @cached_property
    def principals(self) -> frozenset[Principal]:
        """Those of ``Principal``; none where ``NotPrincipal`` stands."""
        return read_principals(self.written["Principal"]) if "Principal" in self.written else frozenset()

    @cached_property
    def uses_variables(self) -> bool:
        """Whether ``Version`` matters to it."""
        return "${" in json.dumps(self.written)

    @property
    def actions(self) -> frozenset[str]:
        return frozenset(each.lower() if isinstance(each, str) else _text(each) for each in self._actions())

    @cached_property
    def circumstances(self) -> Grant:
        """All but whom and which actions it is about."""
        written = self.written
        effect = written.get("Effect")
        apart = {"Sid", "Principal", "Action", "Condition", "Effect", "NotPrincipal", "NotAction", "Resource"}
        return (
            effect if isinstance(effect, str) else _text(effect),
            normal_condition(written.get("Condition")),
            read_principals(written["NotPrincipal"]) if "NotPrincipal" in written else None,
            lowered_values(written["NotAction"]) if "NotAction" in written else None,
            None if written.get("Resource", "*") in ("*", ["*"]) else values_of(written["Resource"]),
            frozenset((key, _text(value)) for key, value in written.items() if key not in apart),
            self.version if self.uses_variables else None,
        )

    @cached_property
    def grants(self) -> frozenset[Grant]:
        """What it says, in parts that stand for themselves."""
        whom: Iterable[object] = self.principals if "Principal" in self.written else [None]
        what: Iterable[object] = self.actions if "Action" in self.written else [None]
        return frozenset((who, action, *self.circumstances) for who, action in product(whom, what))

    def _actions(self) -> Iterator[Any]:
        actions = self.written.get("Action", ())
        yield from actions if isinstance(actions, list | tuple) else [actions]


def read_statements(document: Document) -> tuple[Statement, ...] | UnreadableDocument:
    """The statements of a policy document, which may have been written by anybody."""
    listed = document.get("Statement", [])
    written = [listed] if isinstance(listed, Mapping) else listed
    if not isinstance(written, list | tuple) or not all(isinstance(each, Mapping) for each in written):
        return UnreadableDocument("its Statement holds something that is no statement")
    version = document.get("Version", OLD_VERSION)
    return tuple(Statement(each, version if isinstance(version, str) else _text(version)) for each in written)


def grants_of(statements: Iterable[Statement]) -> frozenset[Grant]:
    """What statements say together."""
    return frozenset(grant for statement in statements for grant in statement.grants)


def is_same_policy(one: Document | UnreadableDocument | None, other: Document | UnreadableDocument | None) -> bool:
    """Whether two policy documents mean the same. What cannot be read means the same as nothing else."""
    if one is None or other is None:
        return one is other
    readings = []
    for document in (one, other):
        statements = document if isinstance(document, UnreadableDocument) else read_statements(document)
        if isinstance(statements, UnreadableDocument) or isinstance(document, UnreadableDocument):
            return one == other
        unknown = {key: _text(document[key]) for key in document.keys() - {"Version", "Id", "Statement"}}
        readings.append((grants_of(statements), unknown))
    return bool(readings[0] == readings[1])


def normal_condition(condition: Any) -> object:
    """A condition to compare by: operators, keys and values, whatever way they are written; ``None`` for none."""
    if not condition:
        return None
    if not isinstance(condition, Mapping):
        return _text(condition)
    return frozenset(
        (operator, key.lower(), values_of(values))
        for operator, keys in condition.items()
        for key, values in (keys.items() if isinstance(keys, Mapping) else [("", _text(keys))])
    )


def lowered_values(value: Any) -> frozenset[str]:
    """The same without upper case, as names of actions are compared."""
    return frozenset(each.lower() if isinstance(each, str) else each for each in values_of(value))


def values_of(value: Any) -> frozenset[str]:
    """The values of a list, or of what is written without its brackets. A number and a boolean may stand in quotes."""
    values = value if isinstance(value, list | tuple) else [value]
    return frozenset(each if isinstance(each, str) else _text(each) for each in values)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
