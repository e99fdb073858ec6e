"""Ports for what leaves the steward: notices to others, jobs to itself, failures to a person."""

from typing import Protocol

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.notices import FailedEvent, Notice, ReplicationRequested
from ecr_steward.domain.sweeping import SweepPart


class Notices(Protocol):
    """The event bus that others listen to. A notice that was given within a day is not given again.

    Unless it has a topic, and another one on it was given since: then listeners would go on believing that one.
    """

    def publish(self, notice: Notice) -> None:
        """Publish a notice once.

        Needs events:PutEvents on the bus; dynamodb:PutItem, UpdateItem and DeleteItem on the idempotency
        table. Raises RegistryUnavailableError where the bus took no notice of it.
        """
        ...


class Hints(Protocol):
    """The steward's own bus, for what one of its functions lets another look at. A hint is given each time."""

    def pushed_to(self, repository: RepositoryRef) -> None:
        """Let the settings of a repository be looked at. Needs events:PutEvents on the bus."""
        ...


class ReplicationQueue(Protocol):
    """The queue that feeds ``replicate_image``."""

    def request(self, job: ReplicationRequested, delay_seconds: int = 0) -> None:
        """Ask for an image to be replicated, at once or after at most 900 seconds. Needs sqs:SendMessage."""
        ...


class SweepQueue(Protocol):
    """The queue that feeds ``reconcile_registry`` with the parts of a sweep."""

    def put(self, part: SweepPart, delay_seconds: int = 0) -> None:
        """Ask for a part to be swept, at once or after at most 900 seconds. Needs sqs:SendMessage."""
        ...


class SourceQueue(Protocol):
    """The queue that feeds the function that runs."""

    def postpone(self, receipt_handle: str, seconds: int) -> None:
        """Let a message that is being handled come again after so many seconds. Needs sqs:ChangeMessageVisibility."""
        ...

    def send_again(self, body: str) -> None:
        """Put a message there anew. Needs sqs:SendMessage."""
        ...


class FailureQueue(Protocol):
    """Where events end that cannot be handled, until a person reads and replays them."""

    def put(self, failed: FailedEvent) -> None:
        """Keep an event with its error. Needs sqs:SendMessage."""
        ...
