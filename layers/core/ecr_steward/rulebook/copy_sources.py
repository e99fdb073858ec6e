"""One place, one source, across all rules: copies that would meet, come back, run away, or be forbidden on arrival."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice, product
from typing import Final

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.names import AnyRepository, ImageTag, OtherRepository, RegistryRef, RepositoryRef
from ecr_steward.domain.one_source import Asked, Fault, OneSource, is_text, samples
from ecr_steward.domain.rules import Mode, Rule, Rules
from ecr_steward.domain.tagging import TagReading
from ecr_steward.errors import InvalidNameError
from ecr_steward.rulebook import model
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.compile_copies import copying_rule, destination
from ecr_steward.rulebook.glob_meeting import common_names, pairs
from ecr_steward.rulebook.inheritance import last_rule
from ecr_steward.rulebook.model import Defaults
from ecr_steward.rulebook.problems import Path, Problem
from ecr_steward.rulebook.replicate import Replicate

_CODES: Final = {
    Fault.ACCOUNT_NOT_NAMED: Code.SOURCE_NOT_NAMED,
    Fault.SEVERAL_SOURCES: Code.SEVERAL_SOURCES,
    Fault.COMES_BACK: Code.COPIES_COME_BACK,
    Fault.TOO_LONG: Code.COPIES_WITHOUT_END,
}
"""What is wrong with a rulebook. That a replica is copied no further is right: a rule may cover more than it copies."""
_SOME_ACCOUNT: Final = "000000000000"
_SOME_REGIONS: Final = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1")
_MOST_PAIRS: Final = 1_000
"""Of globs that are compared. What only a larger rulebook could hide is found when it is to be copied."""
_MOST_PLACES: Final = 20_000


def copies_have_one_source(written: Sequence[tuple[Path, model.Rule]], defaults: Defaults | None) -> Iterator[Problem]:
    """What is wrong with copies between some repositories that the rules may be about; once for each destination.

    ``written`` are all rules with what they inherit, and where their ``replicate`` stands.
    """
    last = last_rule(defaults) if defaults else None
    rules = Rules(tuple(copying_rule(rule) for _, rule in written), defaults=copying_rule(last) if last else None)
    every = [*rules.rules, *([rules.defaults] if rules.defaults else [])]
    places: list[tuple[Path, model.Rule]] = [*written, *([(("defaults", "replicate"), last)] if last else [])]
    of_rule = {id(rule): (at, said.replicate) for rule, (at, said) in zip(every, places, strict=True)}
    own = OneSource(rules, tuple(_registries(every)))
    todo = [RepositoryRef(home, name) for name in _names(every) for home in own.homes]
    seen, reported = set(todo), set[Path]()
    for source in todo:  # which grows meanwhile
        for asked in own.asked_of(source):
            to = asked.arrival(source)
            if to is None or to == source:
                continue
            at = _place(asked, *of_rule[id(asked.rule)])
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


def _registries(rules: Iterable[Rule]) -> Iterator[RegistryRef]:
    """Registries that stand for all that images may be copied from: those that rules name, and one that none names."""
    accounts, regions, patterns = {_SOME_ACCOUNT}, {_SOME_REGIONS[0]}, list[Matcher]()
    for rule in rules:
        accounts |= {pattern.spelling for pattern in rule.match.accounts}
        patterns += rule.match.regions
        named = [to for each in rule.replicate or () for to in each.to]
        accounts |= {to.account for to in named if to.account}
        regions |= {to.region for to in named if to.region}
    several = [pattern for pattern in patterns if "*" in pattern.spelling]
    regions |= {pattern.spelling for pattern in patterns if pattern not in several}
    regions |= {region for region in _SOME_REGIONS if any(pattern.matches(region) for pattern in several)}
    for account, region in product(sorted(accounts), sorted(regions)):
        with suppress(InvalidNameError):
            yield RegistryRef(account, region)


def _names(rules: Iterable[Rule]) -> list[str]:
    """Names of repositories: some of each rule that copies, and those that two rules meet in."""
    copying = [rule for rule in rules if rule.replicate]
    globs = sorted({pattern.spelling for rule in copying for pattern in rule.match.repositories})
    arrivals = sorted(
        {
            (before, glob.spelling if has_name else "", after)
            for rule in copying
            for each in rule.replicate or ()
            for to in each.everywhere
            for before, has_name, after in [(to.repository or "{name}").partition("{name}")]
            for glob in rule.match.repositories
        }
    )
    # What a rule does to one of its repositories it does to each that no other rule is about.
    found = {samples(rule.match.repositories[0].spelling)[0]: None for rule in copying}
    for one, other in islice(pairs(arrivals, globs), _MOST_PAIRS):
        for name in common_names(one, other):
            found |= {name: None}
            for before, _, after in (one, other):
                if name.startswith(before) and name.endswith(after):
                    found |= {name[len(before) : len(name) - len(after)]: None}
    return [name for name in found if _is_name(name)]


def _place(asked: Asked, at: Path, written: Sequence[Replicate]) -> Path:
    """Where a destination stands."""
    entry = next(number for number, each in enumerate(asked.rule.replicate or ()) if each is asked.replication)
    of = asked.destination
    which = next(number for number, to in enumerate(written[entry].to) if destination(to) == of)
    return (*at, entry, "to", which)


def _is_name(name: str) -> bool:
    with suppress(InvalidNameError):
        return bool(RepositoryRef(RegistryRef(_SOME_ACCOUNT, _SOME_REGIONS[0]), name))
    return False


def _shown(text: str) -> str:
    """Without the account that stands for any."""
    return text.replace(f"{_SOME_ACCOUNT}/", "").replace(f'"{_SOME_ACCOUNT}"', '"<account id>"')
