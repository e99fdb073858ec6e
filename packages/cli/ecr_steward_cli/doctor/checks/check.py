"""What a check is, and the two kinds that most of them are: a part exists, and it is as its template has it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ecr_steward_cli.doctor.attributes import name_of, queue_name
from ecr_steward_cli.doctor.differences import differences, shortened
from ecr_steward_cli.doctor.facts import Facts
from ecr_steward_cli.doctor.findings import Finding, Status, Unread, unread
from ecr_steward_cli.doctor.parts.part import Part


class Check(Protocol):
    """One question about a stack, with an id that stays the same."""

    @property
    def id(self) -> str: ...

    @property
    def looks_at(self) -> str:
        """What it looks at, for the docs."""

    @property
    def do(self) -> str:
        """What a person can do where it finds a problem. ``{name}`` stands for the part's name."""

    def problems(self, facts: Facts) -> Iterator[Finding]:
        """What is wrong, and what could not be looked at. Nothing where all is well."""

    def seen(self, facts: Facts) -> Sequence[object]:
        """What it looks at: parts, or others."""


@dataclass(frozen=True)
class Exists:
    """Each resource of some types exists."""

    id: str
    types: tuple[str, ...]
    looks_at: str
    do: str

    def problems(self, facts: Facts) -> Iterator[Finding]:
        for part in facts.of_types(*self.types):
            if part.found is None:
                yield problem(self, part, f"{_called(part)} does not exist")
            elif isinstance(part.found, Unread):
                yield unread(self.id, part.logical_id, part.found)

    def seen(self, facts: Facts) -> Sequence[object]:
        return facts.of_types(*self.types)


@dataclass(frozen=True)
class AsTemplate:
    """Some properties of each resource of a type are as the stack's template has them.

    Of a resource that does not exist, or that could not be read, ``Exists`` says so once.
    """

    id: str
    types: tuple[str, ...]
    properties: tuple[str, ...]
    looks_at: str
    do: str
    usual: Mapping[str, Any] = field(default_factory=dict)
    """What a property is that the template leaves out; one that is not here is then not compared."""
    normal: Callable[[Any], Any] = lambda value: value
    """Two values that mean the same are equal in this form."""
    is_whole: bool = False
    """Whether what is there beyond what the template has is a problem, too."""

    def problems(self, facts: Facts) -> Iterator[Finding]:
        for part in facts.of_types(*self.types):
            if isinstance(part.wanted, Unread):
                yield unread(self.id, part.logical_id, part.wanted)
            elif isinstance(part.found, Mapping):
                yield from self._of(part, part.wanted, part.found)

    def seen(self, facts: Facts) -> Sequence[object]:
        return facts.of_types(*self.types)

    def _of(self, part: Part, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Finding]:
        said: list[str] = []
        for name in self.properties:
            if name not in wanted and name not in self.usual:
                continue
            if isinstance(found.get(name), Unread):
                yield unread(self.id, part.logical_id, found[name])
                continue
            asked, there = self.normal(wanted.get(name, self.usual.get(name))), self.normal(found.get(name))
            said += differences({name: asked}, {name: there}, is_whole=self.is_whole)
        if said:
            yield problem(self, part, shortened(said))


@dataclass(frozen=True)
class Asks:
    """A question that a function answers."""

    id: str
    looks_at: str
    do: str
    answer: Callable[["Asks", Facts], Iterator[Finding]]
    counted: Callable[[Facts], Sequence[object]] = lambda _: ()
    """What it looks at."""

    def problems(self, facts: Facts) -> Iterator[Finding]:
        return self.answer(self, facts)

    def seen(self, facts: Facts) -> Sequence[object]:
        return self.counted(facts)


def problem(check: Check, part: Part, message: str) -> Finding:
    """What is wrong with a part, and what to do."""
    return Finding(check.id, Status.PROBLEM, part.logical_id, message, check.do.replace("{name}", _name(part)))


def _name(part: Part) -> str:
    return queue_name(part.physical_id) if part.type == "AWS::SQS::Queue" else name_of(part.physical_id)


def _called(part: Part) -> str:
    return _name(part) or "it"
