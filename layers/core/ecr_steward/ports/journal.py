"""The port to the journal of steps."""

from collections.abc import Iterator
from datetime import date
from typing import Protocol

from ecr_steward.domain.journal import Entry, StepState
from ecr_steward.domain.plan import Step


class Journal(Protocol):
    """Steps of the last 90 days that took something away or moved an image tag."""

    def begin(self, step: Step, who: str) -> str:
        """Record a step that is about to be done, and answer the entry's id. Needs dynamodb:PutItem."""
        ...

    def end(self, entry_id: str, state: StepState) -> None:
        """Record how a step ended. Needs dynamodb:UpdateItem."""
        ...

    def entry(self, entry_id: str) -> Entry | None:
        """One entry. Needs dynamodb:GetItem."""
        ...

    def entries(self, first: date, last: date) -> Iterator[Entry]:
        """The entries from one day to another, both included, the latest first. Needs dynamodb:Query."""
        ...
