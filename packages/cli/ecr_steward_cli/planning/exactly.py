"""Applying nothing that was not shown: between a plan and its turn the facts may move, and ask for something else."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

from ecr_steward.domain.asked import Asked
from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import AnyRepository, RegistryRef
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.plan import Plan
from ecr_steward.domain.rules import Mode
from ecr_steward.errors import PermanentError
from ecr_steward.usecases.applying import Applier, Halt
from ecr_steward_cli.planning.document import step_document


class NotShownError(PermanentError):
    """A step that no plan has shown."""


@dataclass(frozen=True)
class ExactApplier(Applier):
    """An ``Applier`` that knows what a person has seen, and carries out no plan with a step beyond it."""

    shown: frozenset[str] = frozenset()

    @classmethod
    def of(cls, applier: Applier, outcomes: Iterable[Outcome]) -> Self:
        """The same applier, for what these outcomes would do."""
        enforced = [outcome.plan for outcome in outcomes if outcome.mode is Mode.ENFORCE]
        shown = frozenset(_change(step) for plan in enforced for step in plan.steps)
        return cls(**{each.name: getattr(applier, each.name) for each in fields(Applier)}, shown=shown)

    def apply(
        self, plan: Plan, about: AnyRepository | RegistryRef, images: RepositoryImages | None = None
    ) -> Halt | None:
        """Carry out a plan. Raises NotShownError, and does nothing of it, where it holds more than was shown."""
        strange = [step for step in plan.steps if _change(step) not in self.shown]
        if strange:
            raise NotShownError(f"the facts have moved since the plan was made: it does not say to {strange[0]}")
        return super().apply(plan, about, images)


def _change(step: Asked) -> str:
    """What a step changes, and which rule asks for it; the reason may be told otherwise by now."""
    said = step_document(step)
    return json.dumps({key: value for key, value in said.items() if key != "why"}, sort_keys=True)
