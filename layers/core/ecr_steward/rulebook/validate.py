"""From data to a valid rulebook, or to everything that is wrong with it at once."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ecr_steward.rulebook.checks import contradictions
from ecr_steward.rulebook.model import Rule, Rulebook
from ecr_steward.rulebook.problems import Problem, empty_values, structural_problems


def validate(data: Any) -> tuple[Rulebook | None, tuple[Problem, ...]]:
    """The rulebook that the data holds, and what is wrong with it: one of both is there.

    Rules that are well formed are checked for contradictions even where others are not.
    """
    try:
        rulebook: Rulebook | None = Rulebook.model_validate(data)
    except ValidationError as error:
        rulebook = None
        problems = structural_problems(data, error)
    else:
        problems = empty_values(data)
    problems += contradictions(_well_formed_rules(data))
    return (None if problems else rulebook), tuple(problems)


def _well_formed_rules(data: Any) -> dict[int, Rule]:
    """The rules that validate by themselves, by position."""
    found: dict[int, Rule] = {}
    rules = data.get("rules") if isinstance(data, Mapping) else None
    for position, rule in enumerate(rules if isinstance(rules, list) else ()):
        try:
            found[position] = Rule.model_validate(rule)
        except ValidationError:
            continue  # its problems are the models' to tell
    return found
