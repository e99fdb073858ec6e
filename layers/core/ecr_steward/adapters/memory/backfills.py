"""Replication backfills in memory, as Amazon ECR has them, and the steward's notes of them.

Modelled, with the fact's source: only a destination of the replication configuration is taken, one backfill at a time
goes to a region, and ten of a registry at most (API reference of StartReplicationBackfill).
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.adapters.memory.registry_settings import InMemoryRegistrySettings
from ecr_steward.domain.backfills import (
    MOST_UNDER_WAY,
    Backfill,
    FailedImage,
    StartedBackfill,
    configured,
)
from ecr_steward.domain.names import RegistryRef
from ecr_steward.errors import BackfillUnderWayError, RefusedByRegistryError
from ecr_steward.ports.clock import Clock


class InMemoryBackfills:
    """A ``Backfills`` over the settings of registries. None goes on by itself."""

    def __init__(self, settings: InMemoryRegistrySettings, now: Clock = noon) -> None:
        self.calls = settings.calls
        self._settings = settings
        self._now = now
        self._backfills: dict[RegistryRef, list[Backfill]] = defaultdict(list)
        self._failed: dict[str, tuple[FailedImage, ...]] = {}

    def go_on(self, registry: RegistryRef, backfill_id: str, status: str, **counts: int) -> None:
        """Have a backfill come so far: ``total``, ``completed`` and ``failed`` images."""
        self._change(registry, backfill_id, status=status, **counts)

    def end(
        self,
        registry: RegistryRef,
        backfill_id: str,
        status: str = "COMPLETE",
        *failed: FailedImage,
        total: int = 0,
        failure_code: str | None = None,
    ) -> None:
        """Have a backfill end like this."""
        codes = tuple(sorted({one.failure_code for one in failed if one.failure_code}))
        self._failed[backfill_id] = failed
        self._change(
            registry,
            backfill_id,
            status=status,
            ended_at=self._now(),
            total=total,
            completed=total - len(failed),
            failed=len(failed),
            failure_code=failure_code,
            failure_codes=codes,
        )

    def _change(self, registry: RegistryRef, backfill_id: str, **changes: object) -> None:
        known = self._backfills[registry]
        self._backfills[registry] = [
            replace(one, **changes) if one.id == backfill_id else one  # type: ignore[arg-type]
            for one in known
        ]

    # ------------------------------------------------------------------ the port

    def of(self, registry: RegistryRef) -> Sequence[Backfill]:
        with self.calls.record("backfills", registry):
            return tuple(self._backfills[registry])

    def start(self, registry: RegistryRef, to: RegistryRef) -> Backfill:
        with self.calls.record("start_backfill", registry, to):
            if not configured(self._settings.settings_of(registry).replication, to):
                raise RefusedByRegistryError(f"{registry} to {to}: it is in no rule of the replication configuration")
            under_way = [one for one in self._backfills[registry] if one.is_under_way]
            if any(one.to.region == to.region for one in under_way):
                raise BackfillUnderWayError(f"{registry} to {to}: another one to the region is under way")
            if len(under_way) >= MOST_UNDER_WAY:
                raise RefusedByRegistryError(f"{registry} to {to}: LimitExceeded: {MOST_UNDER_WAY} are under way")
            started = Backfill(str(uuid.uuid4()), to, "PREPARING", self._now())
            self._backfills[registry].append(started)
            return started

    def failed_images(self, registry: RegistryRef, backfill_id: str, most: int) -> tuple[FailedImage, ...]:
        with self.calls.record("failed_images", registry, backfill_id, most):
            return self._failed.get(backfill_id, ())[:most]


class InMemoryStartedBackfills:
    """A ``StartedBackfills``."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._notes: dict[RegistryRef, dict[RegistryRef, StartedBackfill]] = defaultdict(dict)

    def of(self, registry: RegistryRef) -> Mapping[RegistryRef, StartedBackfill]:
        with self.calls.record("started_backfills", registry):
            return dict(self._notes[registry])

    def keep(self, registry: RegistryRef, to: RegistryRef, started: StartedBackfill) -> None:
        with self.calls.record("keep_started_backfill", registry, to, started):
            self._notes[registry][to] = started

    def forget(self, registry: RegistryRef, to: RegistryRef) -> None:
        with self.calls.record("forget_started_backfill", registry, to):
            self._notes[registry].pop(to, None)
