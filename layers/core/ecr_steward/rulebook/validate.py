"""From data to a valid rulebook, or to everything that is wrong with it at once."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from pydantic import ValidationError

from ecr_steward.rulebook.base import RulebookModel
from ecr_steward.rulebook.checks import Parts, contradictions
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.compile_registries import settings_by_rule
from ecr_steward.rulebook.credentials import Credential
from ecr_steward.rulebook.inheritance import resolve_rule
from ecr_steward.rulebook.limits import MOST_PATTERNS, MOST_PROBLEMS, MOST_REGEXES, MOST_VALUES
from ecr_steward.rulebook.model import Defaults, Profile, Rule, Rulebook
from ecr_steward.rulebook.problems import Problem, empty_values, structural_problems
from ecr_steward.rulebook.registries import Registry
from ecr_steward.rulebook.registry_checks import registries_agree
from ecr_steward.rulebook.settings import RepositoryRules
from ecr_steward.rulebook.waivers import Waiver


def validate(data: Any) -> tuple[Rulebook | None, tuple[Problem, ...]]:
    """The rulebook that the data holds, and what is wrong with it: one of both is there.

    What is well formed is checked for contradictions even where other rules, waivers or credentials are not. No more
    than ``MOST_PROBLEMS`` are reported.
    """
    if (too_much := _too_much(data)) is not None:
        return None, (too_much,)
    try:
        rulebook: Rulebook | None = Rulebook.model_validate(data)
    except ValidationError as error:
        rulebook = None
        problems = structural_problems(data, error)
        parts = _well_formed_parts(data)
    else:
        assert rulebook is not None  # noqa: S101 - it was validated
        problems = empty_values(data)
        parts = _parts_of(rulebook)
    problems += islice(contradictions(parts), MOST_PROBLEMS)
    if parts.registries:
        problems += registries_agree(parts.registries, _settings_of_repositories(parts))
    return (None if problems else rulebook), tuple(problems[:MOST_PROBLEMS])


def _too_much(data: Any) -> Problem | None:
    """What would take too long to look at, found before any pattern is compiled."""
    regexes = texts = values = 0
    todo = [data]
    while todo and values <= MOST_VALUES:
        values += 1
        match todo.pop():
            case Mapping() as entries:
                regexes += isinstance(entries.get("regex"), str) + isinstance(entries.get("pattern"), str)
                todo.extend(entries.values())
            case list() | tuple() as listed:
                texts += sum(isinstance(each, str) for each in listed)
                todo.extend(listed)
    if values > MOST_VALUES:
        return Problem((), "there are too many values", f"at most {MOST_VALUES}", code=Code.TOO_MANY_ENTRIES)
    for count, most, what in ((regexes, MOST_REGEXES, "regular expressions"), (texts, MOST_PATTERNS, "texts in lists")):
        if count > most:
            return Problem((), f"there are {count} {what}", f"at most {most}", code=Code.TOO_MANY_ENTRIES)
    return None


def _parts_of(rulebook: Rulebook) -> Parts:
    return Parts(
        rules=dict(enumerate(rulebook.rules)),
        profiles=dict(enumerate(rulebook.profiles)),
        defaults=rulebook.defaults,
        waivers=dict(enumerate(rulebook.waivers)),
        credentials=dict(enumerate(rulebook.credentials)),
        registries=dict(enumerate(rulebook.registries)),
        profile_names=[profile.name for profile in rulebook.profiles],
    )


def _well_formed_parts(data: Any) -> Parts:
    return Parts(
        rules=_well_formed(data, "rules", Rule),
        profiles=_well_formed(data, "profiles", Profile),
        defaults=_defaults(data),
        waivers=_well_formed(data, "waivers", Waiver),
        credentials=_well_formed(data, "credentials", Credential),
        registries=_well_formed(data, "registries", Registry),
        profile_names=[entry.get("name") for entry in _entries(data, "profiles") if isinstance(entry, Mapping)],
    )


def _settings_of_repositories(parts: Parts) -> dict[str, RepositoryRules | None]:
    """By rule, with what it inherits."""
    profiles = {profile.name: profile for profile in parts.profiles.values()}
    rules = (resolve_rule(rule, profiles, parts.defaults) for rule in parts.rules.values())
    return settings_by_rule(rules, parts.defaults)


def _well_formed[Model: RulebookModel](data: Any, key: str, model: type[Model]) -> dict[int, Model]:
    """The entries of a list that validate by themselves, by position."""
    found: dict[int, Model] = {}
    for position, entry in enumerate(_entries(data, key)):
        try:
            found[position] = model.model_validate(entry)
        except ValidationError:
            continue  # its problems are the models' to tell
    return found


def _defaults(data: Any) -> Defaults | None:
    try:
        return Defaults.model_validate(data["defaults"])
    except (ValidationError, KeyError, TypeError):
        return None


def _entries(data: Any, key: str) -> list[Any]:
    entries = data.get(key) if isinstance(data, Mapping) else None
    return entries if isinstance(entries, list) else []
