"""Copies that a rule could never make, or would make for ever."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.matching import Match
from ecr_steward.rulebook.model import Rule
from ecr_steward.rulebook.patterns import repository_matcher, star_matcher
from ecr_steward.rulebook.problems import Path, Problem
from ecr_steward.rulebook.replicate import Destination, Replicate


@dataclass(frozen=True)
class _Place:
    """A repository; ``None`` stands for any account or region, the same one for all that is compared."""

    account: str | None
    region: str | None
    name: str

    def __str__(self) -> str:
        return "/".join(part for part in (self.account, self.region, self.name) if part)


def copies_arrive(
    rule: Rule, copy: Replicate, earlier: Sequence[Rule], at: Path, *, is_judged: bool
) -> Iterator[Problem]:
    """What keeps the copies of one ``replicate`` entry from being made, or from coming to an end.

    ``earlier`` are the rules above that decide what is copied of what they match; ``is_judged`` says whether any rule
    says ``scan``.
    """
    if "scan_passed" in copy.when and not is_judged:
        yield Problem(
            (*at, "when", copy.when.index("scan_passed")),
            "`scan_passed` waits for a verdict that no rule ever gives: none has `scan`",
            "`scan: {fail_on: {severity: HIGH}}` in this rule, or no `when`",
            code=Code.WAITS_FOR_NO_VERDICT,
        )
    for which, destination in enumerate(copy.to):
        if destination.registry:
            continue  # no rule governs what is not ECR's, so nothing comes back from there
        if _leads_to_itself(rule, destination):
            yield Problem(
                (*at, "to", which),
                "every repository of this rule would be copied onto itself",
                code=Code.COPIED_ONTO_ITSELF,
            )
        elif (name := _copied_again(rule, destination, earlier)) is not None:
            yield Problem(
                (*at, "to", which),
                f"copies would be copied again without end: this rule also governs `{name}`, where they arrive",
                "a `match` without its own destination, or a rule above that exempts it",
                code=Code.COPIES_WITHOUT_END,
            )


def copies_stay(rule: Rule, earlier: Sequence[Rule], at: Path) -> Iterator[Problem]:
    """Pairs of destinations that a rule copies to each other: a moving image tag would take turns between their images.

    Only within one rule: two rules that copy to each other are not looked for.
    """
    copies = [
        ((*at, number, "to", which), copy, destination)
        for number, copy in enumerate(rule.replicate)
        for which, destination in enumerate(copy.to)
        if not destination.registry
    ]
    for count, (place, copy, destination) in enumerate(copies):
        pairs = (
            _copied_back(rule, other, destination, earlier)
            for _, other_copy, other in copies[:count]
            if _may_choose_the_same(other_copy, copy)
        )
        if (pair := next(filter(None, pairs), None)) is not None:
            here, there = pair
            yield Problem(
                place,
                f"copies would come back: this rule governs `{here}` and `{there}`, and copies each to the other",
                f"{_differing(here, there)} without one of them, or a rule above that exempts it",
                code=Code.COPIES_COME_BACK,
            )


def _leads_to_itself(rule: Rule, destination: Destination) -> bool:
    """Whether source and destination are the same wherever the rule applies."""
    return (
        destination.repository in {None, "{name}"}
        and (destination.account is None or set(rule.match.accounts) == {destination.account})
        and (destination.region is None or set(rule.match.regions) == {destination.region})
    )


def _copied_again(rule: Rule, destination: Destination, earlier: Sequence[Rule]) -> str | None:
    """A name that a copy gets and that the rule copies once more, under a longer name each time."""
    template = destination.repository or "{name}"
    if template == "{name}" or "{name}" not in template:
        return None
    for pattern in rule.match.repositories:
        name = template.replace("{name}", _sample(pattern))
        if _governs(rule, _Place(destination.account, destination.region, name), earlier):
            return name
    return None


def _copied_back(
    rule: Rule, one: Destination, other: Destination, earlier: Sequence[Rule]
) -> tuple[_Place, _Place] | None:
    """Two places that the rule governs, where what lies at the second is copied to the first and back."""
    if not all(_keeps_names(each) for each in (one, other)):
        return None  # a name that grows leads nowhere back
    for sample in map(_sample, rule.match.repositories):
        here = _arrival(one, _arrival(other, _Place(None, None, sample)))
        there = _arrival(other, here)
        if here != there and all(_governs(rule, place, earlier) for place in (here, there)):
            return here, there
    return None


def _governs(rule: Rule, place: _Place, earlier: Sequence[Rule]) -> bool:
    """Whether a rule governs a repository there in some registry, and no rule above may."""
    return _may_govern(rule.match, place) and not any(_may_govern(other.match, place) for other in earlier)


def _may_govern(match: Match, place: _Place) -> bool:
    """Whether a rule that matches so governs a repository of this name in some registry that the place means."""
    if any(repository_matcher(pattern).matches(place.name) for pattern in match.exclude):
        return False
    return any(repository_matcher(pattern).matches(place.name) for pattern in match.repositories) and all(
        value is None or not patterns or any(star_matcher(pattern).matches(value) for pattern in patterns)
        for value, patterns in ((place.account, match.accounts), (place.region, match.regions))
    )


def _may_choose_the_same(one: Replicate, other: Replicate) -> bool:
    """Whether two entries may copy one image tag: the same pattern chooses it, or one of them copies all."""
    return one.images is None or other.images is None or any(tag in other.images.tags for tag in one.images.tags)


def _keeps_names(destination: Destination) -> bool:
    """Whether the name there is the source's, or always the same."""
    template = destination.repository or "{name}"
    return template == "{name}" or "{name}" not in template


def _arrival(destination: Destination, source: _Place) -> _Place:
    """Where a copy arrives."""
    name = (destination.repository or "{name}").replace("{name}", source.name)
    return _Place(destination.account or source.account, destination.region or source.region, name)


def _differing(here: _Place, there: _Place) -> str:
    """The keys of ``match`` that can tell two places apart."""
    differ = {
        "accounts": here.account != there.account,
        "regions": here.region != there.region,
        "repositories": here.name != there.name,
    }
    return " or ".join(f"`match.{key}`" for key, is_other in differ.items() if is_other)


def _sample(pattern: str) -> str:
    """A repository name that a pattern matches."""
    return pattern.replace("**", "a/b").replace("*", "a")
