"""The ports to replication backfills: to ECR's own, and to the steward's notes of what each was started for."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ecr_steward.domain.backfills import Backfill, FailedImage, StartedBackfill
from ecr_steward.domain.names import RegistryRef


class Backfills(Protocol):
    """Replication backfills of every registry that the caller may reach.

    Every method may raise ``AccessDeniedError``, ``ThrottledError``, ``RegistryUnavailableError`` and
    ``RefusedByRegistryError``.
    """

    def of(self, registry: RegistryRef) -> Sequence[Backfill]:
        """List those that are under way or that ended within the last 90 days. Needs ecr:ListReplicationBackfills."""
        ...

    def start(self, registry: RegistryRef, to: RegistryRef) -> Backfill:
        """Start one to a destination of the replication configuration.

        Needs ecr:StartReplicationBackfill. Raises BackfillUnderWayError where another one to that region is under way,
        and RefusedByRegistryError for what is no destination, and where too many are under way.
        """
        ...

    def failed_images(self, registry: RegistryRef, backfill_id: str, most: int) -> tuple[FailedImage, ...]:
        """Read some of the images that one that is over did not bring. Needs ecr:DescribeReplicationBackfillResults."""
        ...


class StartedBackfills(Protocol):
    """Notes of the last backfill to each destination. Every method may raise the errors of ``ports.registry``."""

    def of(self, registry: RegistryRef) -> Mapping[RegistryRef, StartedBackfill]:
        """All notes of a registry, by destination. Needs dynamodb:Query."""
        ...

    def keep(self, registry: RegistryRef, to: RegistryRef, started: StartedBackfill) -> None:
        """Note a backfill, whatever was noted before. Needs dynamodb:PutItem."""
        ...

    def forget(self, registry: RegistryRef, to: RegistryRef) -> None:
        """Void the note of a destination; one that is not there is a success. Needs dynamodb:DeleteItem."""
        ...
