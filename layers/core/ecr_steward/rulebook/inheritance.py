"""Inheritance: what rules say once ``extends`` and ``defaults`` are written out.

A key that a rule leaves unsaid is its first profile's, then its next one's, a profile's own before those that it
extends. ``image_tags``, ``repository`` and ``scan`` are filled key by key, and ``resource_tags`` below ``repository``
tag by tag; ``replicate`` is one list and taken whole. ``defaults`` fill keys the same way, but of ``repository``, whose
keys are sections that a later rule may say; for what no rule says, ``compile`` makes them the last rule of all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from ecr_steward.rulebook.brake import Brake
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.image_tags import ImageTags
from ecr_steward.rulebook.matching import Match
from ecr_steward.rulebook.model import Defaults, Profile, Rule, Rulebook, Sections
from ecr_steward.rulebook.nearest import nearest_word
from ecr_steward.rulebook.problems import Path, Problem
from ecr_steward.rulebook.scans import Scan
from ecr_steward.rulebook.settings import RepositoryRules

DEFAULTS: Final = "defaults"
"""The name by which steps that ``defaults`` ask for call their rule. No rule may have it."""
SECTIONS: Final = tuple(Sections.model_fields)
HOW: Final = frozenset({"mode", "brake"})
"""Keys that say how a rule acts, and nothing of what it wants."""
_SECTIONS_OF_KEYS: Final = (Brake, ImageTags, RepositoryRules, Scan)


@dataclass(frozen=True)
class Resolved:
    """A rulebook in which every rule says for itself what it says."""

    rules: tuple[Rule, ...]
    defaults: Rule | None
    """As a rule that matches everything."""


def resolve(rulebook: Rulebook) -> Resolved:
    """Write out what every rule of a valid rulebook inherits."""
    profiles = {profile.name: profile for profile in rulebook.profiles}
    rules = tuple(resolve_rule(rule, profiles, rulebook.defaults) for rule in rulebook.rules)
    return Resolved(rules, last_rule(rulebook.defaults) if rulebook.defaults else None)


def resolve_rule(rule: Rule, profiles: Mapping[str, Profile], defaults: Defaults | None) -> Rule:
    """A rule with all that it inherits. A profile that is not there counts as silent, and one in a circle once."""
    for profile in ancestors(rule, profiles):
        rule = _inherit(rule, profile, SECTIONS)
    if defaults is None:
        return rule
    rule = _inherit(rule, defaults, HOW)
    own = [name for name in SECTIONS if name != "repository" and name in rule.model_fields_set]
    return _inherit(rule, defaults, own)


def ancestors(of: Rule | Profile, profiles: Mapping[str, Profile]) -> Iterator[Profile]:
    """The profiles that a rule or profile extends, each once, in the order in which they are asked."""
    seen: set[str] = set()

    def walk(names: Iterable[str]) -> Iterator[Profile]:
        for name in names:
            if name in profiles and name not in seen:
                seen.add(name)
                yield profiles[name]
                yield from walk(profiles[name].extends)

    return walk(of.extends)


def inheritance_problems(
    rules: Mapping[int, Rule], profiles: Mapping[int, Profile], known: Sequence[object]
) -> Iterator[Problem]:
    """Profiles that are not there, that extend themselves, or that say nothing. ``known`` are all names as written."""
    by_name = {profile.name: profile for profile in profiles.values()}
    for key, entries in (("rules", rules), ("profiles", profiles)):
        for position, entry in entries.items():
            yield from _extends_what_is_there(entry, (key, position, "extends"), known)
    for position, profile in profiles.items():
        if any(profile.name in ancestor.extends for ancestor in (profile, *ancestors(profile, by_name))):
            yield Problem(
                ("profiles", position, "extends"),
                f"the profile `{profile.name}` extends itself: {_circle(profile, by_name)}",
                "profiles that end somewhere",
                code=Code.PROFILE_IN_A_CIRCLE,
            )
    for position, rule in rules.items():
        said = rule.model_fields_set & set(SECTIONS) - HOW
        if not (said or rule.final or rule.extends):
            yield Problem(
                ("rules", position),
                f"the rule `{rule.name}` says nothing",
                "a section such as `image_tags`, or `final: true` to exempt these repositories from the rules below",
                code=Code.RULE_SAYS_NOTHING,
            )
        if rule.name == DEFAULTS:
            yield Problem(
                ("rules", position, "name"),
                f"`{DEFAULTS}` is what steps call the key `defaults`",
                "another name",
                code=Code.NAME_RESERVED,
            )


def _extends_what_is_there(entry: Rule | Profile, at: Path, known: Sequence[object]) -> Iterator[Problem]:
    for number, name in enumerate(entry.extends):
        if name not in known:
            names = [each for each in known if isinstance(each, str)]
            there = f"one of {', '.join(names)}" if names else "a profile of the key `profiles`, which has none"
            nearest = nearest_word(name, names)
            yield Problem((*at, number), f"there is no profile `{name}`", there, nearest, code=Code.PROFILE_UNKNOWN)


def _circle(profile: Profile, by_name: Mapping[str, Profile]) -> str:
    """The way on which a profile leads back to itself."""
    ways: list[tuple[str, ...]] = [(profile.name,)]
    for way in ways:
        for name in by_name[way[-1]].extends if way[-1] in by_name else ():
            if name == profile.name:
                return " -> ".join((*way, name))
            if name not in way:
                ways.append((*way, name))
    raise ValueError(f"{profile.name} leads nowhere back")


def _inherit[Model: BaseModel](own: Model, base: BaseModel, names: Iterable[str]) -> Model:
    """A model with what it leaves unsaid of these fields taken from another one; inside a section, key by key."""
    taken: dict[str, Any] = {}
    for name in names:
        if name not in base.model_fields_set:
            continue
        theirs, mine = getattr(base, name), getattr(own, name)
        if name not in own.model_fields_set:
            taken[name] = theirs
        elif isinstance(mine, _SECTIONS_OF_KEYS) and isinstance(theirs, type(mine)):
            taken[name] = _inherit(mine, theirs, type(mine).model_fields)
        elif isinstance(mine, dict):
            taken[name] = theirs | mine
    return own.model_copy(update=taken) if taken else own


def last_rule(defaults: Defaults) -> Rule:
    """What ``defaults`` say, as a rule that matches everything."""
    said = {name: getattr(defaults, name) for name in defaults.model_fields_set}
    rule = Rule(name=DEFAULTS, match=Match(repositories=("**",)))
    return rule.model_copy(update=said)
