"""What no single value of ``image_tags`` can tell: patterns that contradict each other, aliases that cannot move."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from ecr_steward.domain.repositories import Mutability as TagMode
from ecr_steward.domain.repositories import TagMutability
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.image_tags import Aliases, ImageTags
from ecr_steward.rulebook.nearest import nearest_word
from ecr_steward.rulebook.patterns import PatternMatcher, tag_matcher
from ecr_steward.rulebook.problems import Path, Problem
from ecr_steward.rulebook.settings import Mutability
from ecr_steward.rulebook.tag_filters import covered_prereleases, covered_release, covers, overlaps, propose_filter
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
    for number, pattern in enumerate(image_tags.protect):
        if pattern in image_tags.deny:
            yield Problem(
                (*at, "protect", number),
                f"`{tag_matcher(pattern).spelling}` is denied, and would be reported for ever",
                "the pattern in one of the two",
                code=Code.PROTECTED_AND_DENIED,
            )
    for entry, expiry in enumerate(image_tags.expire):
        for number, pattern in enumerate(expiry.tags):
            if pattern in image_tags.protect:
                yield Problem(
                    (*at, "expire", entry, "tags", number),
                    f"`{tag_matcher(pattern).spelling}` is protected, and would never expire",
                    "the pattern in one of the two",
                    code=Code.EXPIRES_AND_PROTECTED,
                )
    if image_tags.aliases is not None:
        protected = [tag_matcher(pattern) for pattern in image_tags.protect]
        for number, template in enumerate(image_tags.aliases.add):
            place = (*at, "aliases", "add", number)
            yield from _alias_is_one(image_tags.aliases, template, place)
            yield from _alias_is_free(image_tags.aliases, template, denied, place, Code.ALIAS_DENIED)
            yield from _alias_is_free(image_tags.aliases, template, protected, place, Code.ALIAS_PROTECTED)


def aliases_can_move(image_tags: ImageTags, mutability: Mutability, at: Path) -> Iterator[Problem]:
    """Check the aliases of one rule with its mutability. ``at`` leads to the rule."""
    if image_tags.aliases is None:
        return
    schemes = _schemes(image_tags)
    faults = {
        number: fault
        for number, template in enumerate(image_tags.aliases.add)
        if (fault := _why_it_cannot_move(template, mutability.immutable, mutability.except_, schemes)) is not None
    }
    aliases_at = (*at, "image_tags", "aliases")
    if image_tags.aliases.move == "retag":
        for number, (message, expected, code) in faults.items():
            yield Problem((*aliases_at, "add", number), message, expected, code=code)
    elif not faults:
        yield Problem(
            (*aliases_at, "move"),
            "these aliases can move here as they are, and need not be deleted, which leaves a gap",
            "move: retag",
            code=Code.ALIAS_NEEDS_NO_DELETION,
        )
    for number, tag_filter in enumerate(mutability.except_ if mutability.immutable else ()):
        if (release := covered_release(tag_filter, schemes)) is not None:
            yield Problem(
                (*at, "repository", "mutability", "except", number),
                f"`{tag_filter}` also covers releases such as {release}, which then could be overwritten",
                "an exception that covers the aliases alone, such as *-latest",
                code=Code.EXCEPTION_COVERS_A_RELEASE,
            )


def open_prereleases(image_tags: ImageTags, mutability: Mutability, at: Path) -> Iterator[Problem]:
    """Exceptions for aliases that also cover pre-releases which the rule allows: ``1.4.2-latest`` is a version.

    No contradiction: it may be meant. ``at`` leads to the rule.
    """
    for number, tag_filter in enumerate(mutability.except_ if mutability.immutable else ()):
        if (prerelease := _open_prerelease(image_tags, tag_filter)) is not None:
            yield Problem(
                (*at, "repository", "mutability", "except", number),
                f"`{tag_filter}` is there for aliases and also covers pre-releases such as {prerelease}, which are "
                "allowed and can be overwritten",
                _denial_of(image_tags, tag_filter),
                code=Code.EXCEPTION_COVERS_A_PRERELEASE,
            )


def _open_prerelease(image_tags: ImageTags, tag_filter: str) -> str | None:
    """A pre-release of an allowed scheme that an exception for aliases covers, and that nothing denies."""
    if image_tags.aliases is None or not any(covers(tag_filter, alias) for alias in image_tags.aliases.add):
        return None
    schemes = [name for name in SCHEMES if name in image_tags.allow]
    denied = [tag_matcher(pattern) for pattern in image_tags.deny]
    samples = covered_prereleases(tag_filter, schemes)
    return next((each for each in samples if not any(pattern.matches(each) for pattern in denied)), None)


def _denial_of(image_tags: ImageTags, tag_filter: str) -> str:
    """What keeps pre-releases from being taken for aliases, and no alias with them."""
    dots = max(SCHEMES[name].example.count(".") for name in SCHEMES if name in image_tags.allow)
    pattern = f"{'*.' * dots}{tag_filter if tag_filter.startswith('*') else f'*{tag_filter}'}"
    matcher = tag_matcher(pattern)
    aliases = image_tags.aliases
    samples = [alias for each in aliases.add for alias in sample_aliases(each, aliases.from_)] if aliases else []
    if any(map(matcher.matches, samples)):
        return 'aliases that no pre-release can look like, such as latest-{major} with except: ["latest-*"]'
    return f'deny: ["{pattern}"] as well'


def stuck_by(image_tags: ImageTags) -> Callable[[TagMutability], str | None]:
    """Why some alias of these cannot move under a mutability, which another rule may say: for plans."""

    def why(mutability: TagMutability) -> str | None:
        aliases = image_tags.aliases
        if aliases is None or aliases.move != "retag":
            return None
        immutable = mutability.mode in (TagMode.IMMUTABLE, TagMode.IMMUTABLE_WITH_EXCLUSION)
        filters, schemes = sorted(mutability.exclusions), _schemes(image_tags)
        faults = (_why_it_cannot_move(template, immutable, filters, schemes) for template in aliases.add)
        return next((message for message, _, _ in filter(None, faults)), None)

    return why


def _why_it_cannot_move(
    template: str, immutable: bool, filters: Sequence[str], schemes: Iterable[str]
) -> tuple[str, str, Code] | None:
    """What keeps an alias from moving in one call, what would let it, and the code."""
    if immutable and not any(covers(found, template) for found in filters):
        message = f"`{template}` cannot move: image tags are immutable here and no exception covers it"
        return message, _proposal(template, schemes), Code.ALIAS_IMMUTABLE
    holder = None if immutable else next((found for found in filters if overlaps(found, template)), None)
    if holder is not None:
        message = f"`{template}` cannot move: `{holder}` makes it immutable"
        return message, "an exception that leaves aliases alone", Code.ALIAS_HELD
    return None


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


def _alias_is_free(
    aliases: Aliases, template: str, matchers: Iterable[PatternMatcher], place: Path, code: Code
) -> Iterator[Problem]:
    """Neither denied nor protected, and so free to be where its version is."""
    for matcher in matchers:
        alias = next(filter(matcher.matches, sample_aliases(template, aliases.from_)), None)
        if alias is not None:
            because = f"deny: {matcher.spelling}` forbids"
            if code is Code.ALIAS_PROTECTED:
                because = f"protect: {matcher.spelling}` keeps where it is"
            yield Problem(place, f"`{template}` makes `{alias}`, which `{because}", code=code)


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
