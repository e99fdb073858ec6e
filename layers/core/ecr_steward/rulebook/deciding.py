"""Sections that never decide anything: a rule above matches the same repositories and more, and says them already."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice, product
from typing import Final

from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.matching import Match
from ecr_steward.rulebook.model import Rule
from ecr_steward.rulebook.patterns import any_repository_matcher, repository_matcher, star_matcher
from ecr_steward.rulebook.problems import Path, Problem

_MOST_SAMPLES: Final = 256
"""Names that a glob is tried with; one that needs more is held to cover nothing and to be covered by nothing."""
_SOMETHING: Final = "\0"
"""Stands for what a wildcard may match: a character that no pattern holds, so that only a wildcard can."""


def every_section_decides(rules: Mapping[int, Rule]) -> Iterator[Problem]:
    """Find what has no effect whatever repositories there are. Rules come with all that they inherit."""
    above = _RulesAbove()
    for position, rule in rules.items():
        covering = above.taking_all(rule.match)
        final = next((other for other in covering if other.final), None)
        if final is not None:
            yield Problem(
                ("rules", position, "match"),
                f"this never decides anything: `{final.name}` above matches all of it and is final",
                f"this rule above `{final.name}`, or another `match`",
                code=Code.RULE_NEVER_DECIDES,
            )
        else:
            yield from _doubled(rule, covering, ("rules", position))
        above.add(rule)


class _RulesAbove:
    """The rules above one, found by how their globs begin: comparing each of 10,000 with all others takes minutes."""

    def __init__(self) -> None:
        self._by_prefix: dict[str, list[Rule]] = {}
        self._any_of: dict[str, Callable[[str], bool]] = {}
        """By rule: whether any of its globs matches a name."""

    def add(self, rule: Rule) -> None:
        self._any_of[rule.name] = any_repository_matcher(rule.match.repositories).matches
        for prefix in {_literal_prefix(glob) for glob in rule.match.repositories}:
            self._by_prefix.setdefault(prefix, []).append(rule)

    def taking_all(self, match: Match) -> list[Rule]:
        """Those that match all that a match does, in an order that is always the same."""
        begins = _literal_prefix(match.repositories[0])
        near = {
            other.name: other for length in range(len(begins) + 1) for other in self._by_prefix.get(begins[:length], ())
        }
        name = _samples(match.repositories[0])[0]
        return [other for other in near.values() if self._any_of[other.name](name) and takes_all(other.match, match)]


def _literal_prefix(glob: str) -> str:
    return glob.partition("*")[0]


def _doubled(rule: Rule, covering: list[Rule], at: Path) -> Iterator[Problem]:
    said: dict[Path, str] = {}
    for other in covering:
        for path in _sections_of(other):
            said.setdefault(path, other.name)
    for path in _sections_of(rule):
        if path in said:
            yield Problem(
                (*at, *path),
                f"this never decides anything: `{said[path]}` above matches all that this rule does and says it",
                f"this rule above `{said[path]}`, or the key in one of the two",
                code=Code.SECTION_NEVER_DECIDES,
            )


def _sections_of(rule: Rule) -> Iterator[Path]:
    for name in ("image_tags", "scan", "replicate"):
        if name in rule.model_fields_set:
            yield (name,)
    if rule.repository is not None:
        for name, field in type(rule.repository).model_fields.items():
            if name in rule.repository.model_fields_set and name != "resource_tags":
                yield "repository", field.alias or name
        for key in rule.repository.resource_tags:
            yield "repository", "resource_tags", key


def takes_all(one: Match, other: Match) -> bool:
    """Whether one match surely takes every repository that another one takes."""
    return (
        all(any(covers_glob(mine, theirs) for mine in one.repositories) for theirs in other.repositories)
        and all(mine in other.exclude for mine in one.exclude)
        and _any_of_all(one.accounts, other.accounts)
        and _any_of_all(one.regions, other.regions)
        and one.resource_tags.items() <= other.resource_tags.items()
    )


def _any_of_all(mine: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Whether patterns of accounts or regions, of which none means all, take what others take."""
    if not mine or "*" in mine:
        return True
    matchers = [star_matcher(pattern) for pattern in mine]
    return bool(theirs) and all(
        any(matcher.matches(text) for matcher in matchers)
        for pattern in theirs
        for text in (pattern.replace("*", ""), pattern.replace("*", _SOMETHING))
    )


def covers_glob(one: str, other: str) -> bool:
    """Whether one glob for repository names matches every name that another one matches; false where in doubt."""
    if one == other:
        return True
    samples = _samples(other)
    matcher = repository_matcher(one)
    return len(samples) <= _MOST_SAMPLES and all(matcher.matches(name) for name in samples)


def _samples(glob: str) -> list[str]:
    """Names that only wildcards as wide as the glob's own can all match."""
    *folders, last = glob.split("/")
    deep = (_SOMETHING, f"{_SOMETHING}/{_SOMETHING}")
    parts: list[tuple[str, ...]] = [
        ("", *(f"{each}/" for each in deep)) if folder == "**" else tuple(f"{each}/" for each in _widths(folder))
        for folder in folders
    ]
    parts.append(deep if last == "**" else _widths(last))
    return ["".join(chosen) for chosen in islice(product(*parts), _MOST_SAMPLES + 1)]


def _widths(segment: str) -> tuple[str, ...]:
    if "*" not in segment:
        return (segment,)
    return segment.replace("*", "") or _SOMETHING, segment.replace("*", _SOMETHING)
