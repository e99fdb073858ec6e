"""One place, one source, across all rules: copies that would meet, come back, run away, or be forbidden on arrival."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from ecr_steward.domain.asked_copies import Asked
from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import AnyRepository, ImageTag, OtherRepository, RepositoryRef
from ecr_steward.domain.one_source import Fault, OneSource
from ecr_steward.domain.rules import Mode, Rules
from ecr_steward.domain.tag_meeting import is_text
from ecr_steward.domain.tagging import TagReading
from ecr_steward.rulebook import model
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.compile_copies import copying_rule, destination
from ecr_steward.rulebook.compile_registries import replicating_rule
from ecr_steward.rulebook.copy_places import SOME_ACCOUNT, CopyPlaces
from ecr_steward.rulebook.inheritance import last_rule
from ecr_steward.rulebook.model import Defaults
from ecr_steward.rulebook.problems import Path, Problem
from ecr_steward.rulebook.registries import Registry

_CODES: Final = {
    Fault.ACCOUNT_NOT_NAMED: Code.SOURCE_NOT_NAMED,
    Fault.REPLICATED_IN_A_CIRCLE: Code.REPLICATED_IN_A_CIRCLE,
    Fault.SEVERAL_SOURCES: Code.SEVERAL_SOURCES,
    Fault.COMES_BACK: Code.COPIES_COME_BACK,
    Fault.TOO_LONG: Code.COPIES_WITHOUT_END,
}
"""What is wrong with a rulebook. That a replica is copied no further is right: a rule may cover more than it copies."""
_MOST_BY_ECR: Final = 10_000
"""Of destinations that ECR replicates registries to, and of repositories that it replicates: no rule's are left out."""
_MOST_PLACES: Final = 40_000
"""What is looked at, with where copies arrive. What only a larger rulebook could hide is found when it is copied."""


def copies_have_one_source(
    written: Sequence[tuple[Path, model.Rule]], defaults: Defaults | None, registries: Sequence[Registry]
) -> Iterator[Problem]:
    """What is wrong with copies between some repositories that the rules may be about; once for each destination.

    ``written`` are all rules with what they inherit, and where their ``replicate`` stands, and ``registries`` all
    entries, of which some have ECR itself replicate.
    """
    last = last_rule(defaults) if defaults else None
    rules = Rules(tuple(copying_rule(rule) for _, rule in written), defaults=copying_rule(last) if last else None)
    rules = replace(rules, registries=tuple(replicating_rule(entry) for entry in registries if entry.replication))
    every = rules.with_defaults
    places = CopyPlaces(every, [entry for entry in registries if entry.replication])
    own = OneSource(rules, places.registries, _MOST_BY_ECR)
    at_position = [*written, *([(("defaults", "replicate"), last)] if last else [])]
    todo = list(dict.fromkeys([*islice(places, _MOST_PLACES // 2), *islice(places.by_ecr(), _MOST_BY_ECR)]))
    seen, reported = set(todo), set[Path]()
    for source in todo:  # which grows meanwhile
        for asked in own.asked_of(source):
            to = asked.arrival(source)
            if to is None or to == source:
                continue
            at = _place(asked, *at_position[asked.position])
            if at in reported:
                continue
            if problem := _objection(own, asked, source, to, at) or _forbidden(rules, asked, to, at):
                reported.add(at)
                yield problem
            elif isinstance(to, RepositoryRef) and to not in seen and len(todo) < _MOST_PLACES:
                seen.add(to)
                todo.append(to)


def _objection(own: OneSource, asked: Asked, source: RepositoryRef, to: AnyRepository, at: Path) -> Problem | None:
    objection = own.objection(asked.rule, asked.replication, source, to)
    if objection is None or objection.fault not in _CODES:
        return None
    return Problem(at, _shown(objection.why), _shown(objection.way_out), code=_CODES[objection.fault])


def _forbidden(rules: Rules, asked: Asked, to: AnyRepository, at: Path) -> Problem | None:
    """Image tags that the entry names, and that the rule of the destination would take away as soon as they arrive."""
    if isinstance(to, OtherRepository):
        return None
    there = next((rule for rule in rules.rules if rule.image_tags and rule.match.may_cover(to)), None)
    if there is None or there.image_tags is None or there.mode is not Mode.ENFORCE or there.match.resource_tags:
        return None
    reading = TagReading(there.image_tags, RepositoryImages(to))
    denied = {pattern.spelling for pattern in there.image_tags.deny}
    for pattern in asked.replication.tags:
        why = f"image tag {pattern.spelling!r} is denied" if pattern.spelling in denied else None
        if is_text(pattern):
            why = reading.objection_to_name(ImageTag(pattern.spelling))
        if why:
            message = f"{why} by the rule `{there.name}` of {_shown(str(to))}, where it would arrive"
            return Problem(at, message, "image tags that both rules allow", code=Code.FORBIDDEN_ON_ARRIVAL)
    return None


def _place(asked: Asked, at: Path, rule: model.Rule) -> Path:
    """Where a destination stands."""
    to = rule.replicate[asked.entry].to
    return (
        *at,
        asked.entry,
        "to",
        next(number for number, each in enumerate(to) if destination(each) == asked.destination),
    )


def _shown(text: str) -> str:
    """Without the account that stands for any."""
    return text.replace(f"{SOME_ACCOUNT}/", "").replace(f'"{SOME_ACCOUNT}"', '"<account id>"')
