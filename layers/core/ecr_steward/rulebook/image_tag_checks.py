"""What no single value of ``image_tags`` can tell: patterns that contradict each other, aliases that cannot move."""

import re
from collections.abc import Iterable, Iterator

from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.image_tags import Aliases, ImageTags
from ecr_steward.rulebook.nearest import nearest_word
from ecr_steward.rulebook.patterns import PatternMatcher, tag_matcher
from ecr_steward.rulebook.problems import Path, Problem
from ecr_steward.rulebook.settings import Mutability
from ecr_steward.rulebook.tag_filters import covered_release, covers, overlaps, propose_filter
from ecr_steward.rulebook.versions import SCHEMES
from ecr_steward.rulebook.words import placeholders_of, sample_aliases


def image_tags_agree(image_tags: ImageTags, at: Path) -> Iterator[Problem]:
    """Check the patterns and aliases of one rule with each other. ``at`` leads to ``image_tags``."""
    denied = [tag_matcher(pattern) for pattern in image_tags.deny]
    for number, matcher in enumerate(denied):
        if image_tags.deny[number] in image_tags.allow:
            yield Problem(
                (*at, "deny", number), f"`{matcher.spelling}` is allowed and denied", code=Code.ALLOWED_AND_DENIED
            )
    if image_tags.aliases is not None:
        for number, template in enumerate(image_tags.aliases.add):
            place = (*at, "aliases", "add", number)
            yield from _alias_is_one(image_tags.aliases, template, place)
            yield from _alias_is_not_denied(image_tags.aliases, template, denied, place)


def aliases_can_move(image_tags: ImageTags, mutability: Mutability, at: Path) -> Iterator[Problem]:
    """Check the aliases of one rule with its mutability. ``at`` leads to the rule."""
    if image_tags.aliases is None:
        return
    filters = mutability.except_
    schemes = _schemes(image_tags)
    for number, template in enumerate(image_tags.aliases.add):
        place = (*at, "image_tags", "aliases", "add", number)
        if mutability.immutable and not any(covers(found, template) for found in filters):
            yield Problem(
                place,
                f"`{template}` cannot move: image tags are immutable here and no exception covers it",
                _proposal(template, schemes),
                code=Code.ALIAS_IMMUTABLE,
            )
        if not mutability.immutable and (
            holder := next((found for found in filters if overlaps(found, template)), None)
        ):
            yield Problem(
                place,
                f"`{template}` cannot move: `{holder}` makes it immutable",
                "an exception that leaves aliases alone",
                code=Code.ALIAS_HELD,
            )
    for number, tag_filter in enumerate(filters if mutability.immutable else ()):
        if (release := covered_release(tag_filter, schemes)) is not None:
            yield Problem(
                (*at, "repository", "mutability", "except", number),
                f"`{tag_filter}` also covers releases such as {release}, which then could be overwritten",
                "an exception that covers the aliases alone, such as *-latest",
                code=Code.EXCEPTION_COVERS_A_RELEASE,
            )


def _alias_is_one(aliases: Aliases, template: str, place: Path) -> Iterator[Problem]:
    scheme = SCHEMES[aliases.from_]
    foreign = [part for part in placeholders_of(template) if part not in scheme.parts]
    for part in foreign[:1]:
        yield Problem(
            place,
            f"`{{{part}}}` is no part of a version of {aliases.from_}",
            " and ".join(f"{{{name}}}" for name in scheme.parts),
            nearest_word(part, scheme.parts),
            code=Code.ALIAS_PLACEHOLDER,
        )
    version = next((alias for alias in sample_aliases(template, aliases.from_) if scheme.matches(alias)), None)
    if version is not None and not foreign:
        yield Problem(
            place,
            f"`{template}` makes `{version}`, which reads as a version itself: an alias must not",
            code=Code.ALIAS_IS_A_VERSION,
        )


def _alias_is_not_denied(
    aliases: Aliases, template: str, denied: Iterable[PatternMatcher], place: Path
) -> Iterator[Problem]:
    for matcher in denied:
        alias = next(filter(matcher.matches, sample_aliases(template, aliases.from_)), None)
        if alias is not None:
            message = f"`{template}` makes `{alias}`, which `deny: {matcher.spelling}` forbids"
            yield Problem(place, message, code=Code.ALIAS_DENIED)


def _schemes(image_tags: ImageTags) -> tuple[str, ...]:
    """The schemes of the releases that a rule knows: of its aliases, and those that it allows."""
    following = image_tags.aliases.from_ if image_tags.aliases else None
    return tuple(name for name in SCHEMES if name == following or name in image_tags.allow)


def _proposal(template: str, schemes: Iterable[str]) -> str:
    proposed = propose_filter(template, schemes)
    if proposed is None:
        first = re.search(r"\{[a-z]+\}", template)
        example = f"{first[0] if first else 'stable'}-latest"
        return f'an alias that looks like no release, such as {example} with except: ["*-latest"]'
    return f'mutability: {{immutable: true, except: ["{proposed}"]}}'
