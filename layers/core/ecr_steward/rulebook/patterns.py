"""Patterns of the rulebook, compiled to matchers that no text can hang."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from ecr_steward.rulebook.image_tags import RegexPattern
from ecr_steward.rulebook.limits import MOST_PATTERNS
from ecr_steward.rulebook.versions import SCHEMES
from ecr_steward.rulebook.words import WrongWordError, compile_regex

_ANY_FOLDERS = "(?:[^/]+/)*"
_KEPT = 2 * MOST_PATTERNS
"""Matchers that are kept: all of a rulebook, and of the one that replaces it. Each pattern is compiled once."""


@dataclass(frozen=True)
class PatternMatcher:
    """A compiled pattern; two are equal when they are spelled the same."""

    spelling: str
    test: Callable[[str], bool]

    def matches(self, text: str) -> bool:
        """Whether the whole text fits the pattern."""
        return self.test(text)


def tag_matcher(pattern: str | RegexPattern) -> PatternMatcher:
    """A pattern for image tags: a scheme, a regular expression, or a text in which ``*`` stands for anything."""
    if isinstance(pattern, RegexPattern):
        return regex_matcher(pattern.regex)
    if pattern in SCHEMES:
        return PatternMatcher(pattern, SCHEMES[pattern].matches)
    return star_matcher(pattern)


@lru_cache(maxsize=_KEPT)
def regex_matcher(pattern: str) -> PatternMatcher:
    """A regular expression that the whole text must match."""
    return PatternMatcher(pattern, _full_match(pattern))


@lru_cache(maxsize=_KEPT)
def star_matcher(pattern: str) -> PatternMatcher:
    """A text in which ``*`` stands for anything, as ECR's own filters have it."""
    if "*" not in pattern:
        return PatternMatcher(pattern, pattern.__eq__)
    return PatternMatcher(pattern, _full_match("(?s:.*)".join(map(re.escape, pattern.split("*")))))


@lru_cache(maxsize=_KEPT)
def alias_matcher(template: str) -> PatternMatcher:
    """What matches the aliases that a template makes, whatever the version."""
    literals = re.split(r"\{[^{}]*\}", template)
    return PatternMatcher(template, _full_match("[0-9]+".join(map(re.escape, literals))))


@lru_cache(maxsize=_KEPT)
def repository_matcher(pattern: str) -> PatternMatcher:
    """A glob for repository names: ``*`` stops at a slash, ``**`` between slashes stands for any depth.

    Translated here, since the glob libraries translate for ``re``: there ``**/a/**/a/**`` takes seconds to fail, and
    RE2 refuses the look-aheads of what they make of it.
    """
    if "*" not in pattern:
        return PatternMatcher(pattern, pattern.__eq__)
    return PatternMatcher(pattern, _full_match(_glob(pattern)))


@lru_cache(maxsize=_KEPT)
def any_repository_matcher(patterns: tuple[str, ...]) -> PatternMatcher:
    """One matcher for what any of these globs matches: a name is matched at once, not once for each of them."""
    if len(patterns) == 1:
        return repository_matcher(patterns[0])
    spelled = " or ".join(patterns)
    try:
        return PatternMatcher(spelled, _full_match("|".join(f"(?:{_glob(each)})" for each in patterns)))
    except WrongWordError:  # together they are larger than what RE2 may compile
        each_alone = tuple(map(repository_matcher, patterns))
        return PatternMatcher(spelled, lambda name: any(matcher.matches(name) for matcher in each_alone))


def _glob(pattern: str) -> str:
    *folders, last = pattern.split("/")
    parts = [_ANY_FOLDERS if segment == "**" else f"{_segment(segment)}/" for segment in folders]
    parts.append(f"{_ANY_FOLDERS}[^/]+" if last == "**" else _segment(last))
    return "".join(parts)


def _segment(segment: str) -> str:
    return "[^/]*".join(map(re.escape, segment.split("*")))


def _full_match(pattern: str) -> Callable[[str], bool]:
    compiled = compile_regex(pattern)
    return lambda text: compiled.fullmatch(text) is not None
