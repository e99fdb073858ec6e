"""What holds for one repository, and which rule says so: the merge, told section by section, and where images go."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.replicas import impossible_places, may_be_sources
from ecr_steward.domain.rules import Rules
from ecr_steward.domain.ways import Way, ways
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.inheritance import resolve
from ecr_steward.rulebook.model import Rule, Rulebook

_HEAD: Final = frozenset({"name", "match", "extends", "final", "mode"})
"""Keys of a rule that are no sections."""
_SETTINGS: Final = "repository."
"""How the sections of settings begin, which alone a copy has from its source."""


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
    """Whether its resource tags say that other code owns it, so that some of it is only reported."""
    code_owns: tuple[str, ...] = ()
    """What of it other code owns then."""
    ways: tuple[Way, ...] = ()
    """Where its images go, and who brings them."""
    impossible: tuple[str, ...] = ()
    """Why its images do not go where `replicate` says: the destination's name would be impossible."""
    source: RepositoryRef | None = None
    """Of a copy that no rule matches: the repository whose rules decide its settings, in an account and region for
    example where the rulebook does not name those."""


def explain(rulebook: Rulebook, repository: RepositoryRef, resource_tags: Mapping[str, str]) -> Explanation:
    """Say what holds for a repository that carries these resource tags.

    A copy that no rule matches has the settings of its source, which is taken to carry the same ones.
    """
    resolved = resolve(rulebook)
    compiled = compile_rulebook(rulebook)
    written = {rule.name: rule for rule in (*resolved.rules, resolved.defaults) if rule}
    names, covering = compiled.covering(repository, resource_tags)
    source = None if covering else _source_of(repository, compiled, resource_tags)
    if source:
        names, covering = compiled.covering(source, resource_tags)
    ends_at = next((rule.name for rule in covering[: len(names)] if rule.is_final), None)
    is_owned = compiled.is_owned_by_code(resource_tags)
    said: dict[str, list[tuple[Rule, Any]]] = {}
    for rule in (written[each.name] for each in covering):
        for section, value in _sections(rule):
            if source is None or section.startswith(_SETTINGS):
                said.setdefault(section, []).append((rule, value))
    decided = tuple(
        Decided(
            section,
            first.name,
            "observe" if is_owned and _owned(section) in compiled.code_owns else first.mode,
            value,
            tuple(rule.name for rule, _ in others),
        )
        for section, ((first, value), *others) in sorted(said.items())
    )
    replicate = compiled.governing(repository, resource_tags).replicate
    paths = ways(compiled, repository, replicate)
    owned = tuple(sorted(compiled.code_owns)) if is_owned else ()
    rules = tuple(rule.name for rule in covering)
    impossible = impossible_places((replicate.replicate if replicate else None) or (), repository)
    return Explanation(rules, decided, ends_at, is_owned, owned, paths, tuple(map(str, impossible)), source)


def _source_of(replica: RepositoryRef, rules: Rules, resource_tags: Mapping[str, str]) -> RepositoryRef | None:
    """The first repository that may be copied there and whose settings a copy has."""
    for source in may_be_sources(rules, replica, [replica.registry]):
        if rules.governing_replica(source, resource_tags, replica).settings:
            return source
    return None


def _owned(section: str) -> str:
    """What ``infrastructure_code_owns`` calls a section."""
    return "settings" if section.startswith(_SETTINGS) else section


def _sections(rule: Rule) -> Iterator[tuple[str, Any]]:
    written = rule.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for name, value in written.items():
        if name == "repository":
            settings = dict(value)
            tags = settings.pop("resource_tags", {})
            yield from ((f"repository.{key}", each) for key, each in settings.items())
            yield from ((f"repository.resource_tags.{key}", each) for key, each in tags.items())
        elif name == "scan" and rule.scan:
            yield name, rule.scan.model_dump(mode="json")  # its defaults decide, too
        elif name not in _HEAD:
            yield name, value
