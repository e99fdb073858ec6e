"""ECR's tag filters, whose only wildcard is ``*``, and what they cover.

A *shape* is a text in which ``{...}`` stands for any number: an alias template, or the releases of a scheme.
"""

import re
from collections.abc import Iterable

from ecr_steward.rulebook.patterns import star_matcher
from ecr_steward.rulebook.versions import SCHEMES
from ecr_steward.rulebook.words import MOST_STARS

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_ANY_NUMBER = "\0"
"""Stands for a placeholder: a character that no filter holds, so that only ``*`` can match it."""


def covers(tag_filter: str, shape: str) -> bool:
    """Whether the filter matches every text of the shape."""
    return star_matcher(tag_filter).matches(_PLACEHOLDER.sub(_ANY_NUMBER, shape))


def overlaps(tag_filter: str, shape: str) -> bool:
    """Whether the filter matches some text of the shape. A number counts as one or more digits."""
    tokens = _PLACEHOLDER.sub(_ANY_NUMBER, shape)
    todo, seen = [(0, 0)], {(0, 0)}  # how far the filter is read, and how far the shape
    while todo:
        at, token_at = todo.pop()
        if at == len(tag_filter) and token_at == len(tokens):
            return True
        for successor in _successors(tag_filter[at:], tokens[token_at:], at, token_at):
            if successor not in seen:
                seen.add(successor)
                todo.append(successor)
    return False


def _successors(rest: str, tokens: str, at: int, token_at: int) -> Iterable[tuple[int, int]]:
    """Where reading one character that suits both may lead."""
    if rest.startswith("*"):
        yield at + 1, token_at  # the star is over
        if tokens:
            yield at, token_at + 1
    elif rest and tokens.startswith(_ANY_NUMBER):
        if rest[0] in "0123456789":
            yield at + 1, token_at  # the number goes on
            yield at + 1, token_at + 1
    elif rest and tokens and rest[0] == tokens[0]:
        yield at + 1, token_at + 1


def propose_filter(template: str, schemes: Iterable[str]) -> str | None:
    """A filter that covers an alias template and no release of these schemes, or ``None`` where there is none."""
    schemes = tuple(schemes)
    literals = _PLACEHOLDER.split(template)
    stars = re.sub(r"\*+", "*", _PLACEHOLDER.sub("*", template))
    candidates = (f"*{literals[-1]}", f"{literals[0]}*", stars) if len(literals) > 1 else (template,)
    return next(
        (found for found in candidates if found.count("*") <= MOST_STARS and covered_release(found, schemes) is None),
        None,
    )


def covered_prereleases(tag_filter: str, schemes: Iterable[str]) -> tuple[str, ...]:
    """Examples of pre-releases that the filter matches: of each scheme, with and without a ``v`` and a part between."""
    head, star, tail = tag_filter.partition("*")
    tail = tail.replace("*", "x")
    found: dict[str, None] = {}
    for name in schemes:
        scheme = SCHEMES[name]
        for start in (scheme.example, f"v{scheme.example}", f"{scheme.example}-rc.1", f"{scheme.example}-x"):
            sample = f"{head}{start}{tail}" if star else tag_filter
            version = scheme.read(sample) if scheme.read else None
            if version is not None and version.is_prerelease:
                found[sample] = None
    return tuple(found)


def covered_release(tag_filter: str, schemes: Iterable[str]) -> str | None:
    """An example of the first scheme of which the filter matches some release; ``None`` where it matches none."""
    return next(
        (
            SCHEMES[name].example
            for name in schemes
            if any(overlaps(tag_filter, release) for release in SCHEMES[name].releases)
        ),
        None,
    )
