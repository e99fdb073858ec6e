"""From data to a valid rulebook, or to everything that is wrong with it at once."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ecr_steward.rulebook.base import RulebookModel
from ecr_steward.rulebook.checks import contradictions
from ecr_steward.rulebook.credentials import Credential
from ecr_steward.rulebook.model import Rule, Rulebook
from ecr_steward.rulebook.problems import Problem, empty_values, structural_problems
from ecr_steward.rulebook.waivers import Waiver


def validate(data: Any) -> tuple[Rulebook | None, tuple[Problem, ...]]:
    """The rulebook that the data holds, and what is wrong with it: one of both is there.

    What is well formed is checked for contradictions even where other rules, waivers or credentials are not.
    """
    try:
        rulebook: Rulebook | None = Rulebook.model_validate(data)
    except ValidationError as error:
        rulebook = None
        problems = structural_problems(data, error)
    else:
        problems = empty_values(data)
    problems += contradictions(
        _well_formed(data, "rules", Rule),
        _well_formed(data, "waivers", Waiver),
        _well_formed(data, "credentials", Credential),
    )
    return (None if problems else rulebook), tuple(problems)


def _well_formed[Model: RulebookModel](data: Any, key: str, model: type[Model]) -> dict[int, Model]:
    """The entries of a list that validate by themselves, by position."""
    found: dict[int, Model] = {}
    entries = data.get(key) if isinstance(data, Mapping) else None
    for position, entry in enumerate(entries if isinstance(entries, list) else ()):
        try:
            found[position] = model.model_validate(entry)
        except ValidationError:
            continue  # its problems are the models' to tell
    return found
