"""What holds for one repository, and which rule says so: the merge, told section by section."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.rulebook.compile import compile_match
from ecr_steward.rulebook.inheritance import resolve
from ecr_steward.rulebook.model import Rule, Rulebook
from ecr_steward.rulebook.patterns import star_matcher

_HEAD: Final = frozenset({"name", "match", "extends", "final", "mode"})
"""Keys of a rule that are no sections."""


@dataclass(frozen=True)
class Decided:
    """A section, or a key of ``repository``, and the rule that decides it."""

    section: str
    rule: str
    mode: str
    value: Any
    """As the rulebook writes it, with all that is inherited."""
    in_vain: tuple[str, ...] = ()
    """Rules below that say it, too, and are not heard here."""


@dataclass(frozen=True)
class Explanation:
    """Everything that rules say about one repository."""

    rules: tuple[str, ...]
    """Those that match, in their order, and ``defaults`` where they have a say."""
    decided: tuple[Decided, ...]
    ends_at: str | None = None
    """The final rule that keeps all below it from having a say."""
    is_owned_by_code: bool = False
    """Whether its resource tags say that other code owns it, so that everything is only reported."""


def explain(rulebook: Rulebook, repository: RepositoryRef, resource_tags: Mapping[str, str]) -> Explanation:
    """Say what holds for a repository that carries these resource tags."""
    resolved = resolve(rulebook)
    covering: list[Rule] = []
    for rule in resolved.rules:
        if compile_match(rule.match).covers(repository, resource_tags):
            covering.append(rule)
            if rule.final:
                break
    ends_at = covering[-1].name if covering and covering[-1].final else None
    if covering and resolved.defaults and not ends_at:
        covering.append(resolved.defaults)
    is_owned = any(
        star_matcher(pattern).matches(resource_tags[key])
        for key, patterns in rulebook.infrastructure_code.items()
        if key in resource_tags
        for pattern in patterns
    )
    said: dict[str, list[tuple[Rule, Any]]] = {}
    for rule in covering:
        for section, value in _sections(rule):
            said.setdefault(section, []).append((rule, value))
    decided = tuple(
        Decided(
            section,
            first.name,
            "observe" if is_owned else first.mode,
            value,
            tuple(rule.name for rule, _ in others),
        )
        for section, ((first, value), *others) in sorted(said.items())
    )
    return Explanation(tuple(rule.name for rule in covering), decided, ends_at, is_owned)


def _sections(rule: Rule) -> Iterator[tuple[str, Any]]:
    written = rule.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for name, value in written.items():
        if name == "repository":
            settings = dict(value)
            tags = settings.pop("resource_tags", {})
            yield from ((f"repository.{key}", each) for key, each in settings.items())
            yield from ((f"repository.resource_tags.{key}", each) for key, each in tags.items())
        elif name not in _HEAD:
            yield name, value
