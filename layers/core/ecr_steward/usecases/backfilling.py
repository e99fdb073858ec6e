"""Backfills of ECR's own replication: what is known of them, what is to be started, and the start itself."""

from dataclasses import dataclass

from ecr_steward.domain.backfills import (
    SHOWN,
    Backfill,
    BackfillFacts,
    StartedBackfill,
    StartReplicationBackfill,
    configured,
    covers,
    failure_of,
    plan_backfills,
    void_notes,
)
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.plan import Plan
from ecr_steward.domain.registries import PutReplicationConfiguration, WantedReplication
from ecr_steward.domain.registry_rules import GoverningRegistryRule
from ecr_steward.domain.repositories import Document
from ecr_steward.domain.rules import Mode
from ecr_steward.errors import BackfillFailedError, StewardError
from ecr_steward.ports.backfills import Backfills, StartedBackfills
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.registry_settings import RegistrySettingsStore


@dataclass(frozen=True)
class Backfilling:
    """What backfills are watched and started with."""

    now: Clock
    backfills: Backfills | None = None
    """``None``: none is started, but what was noted is void where ECR did not replicate what it should."""
    started: StartedBackfills | None = None
    """``None``: nobody keeps notes, so only what ECR lists says what was started."""

    def plan(
        self, rule: GoverningRegistryRule, registry: RegistryRef, before: Document, changes: Plan
    ) -> tuple[Plan, tuple[Outcome, ...]]:
        """Plan what is to be started once ``changes`` of the configuration are done, and tell of what is under way."""
        wanted = rule.wanted.replication
        if wanted is None or not wanted.backfill or self.backfills is None:
            return Plan(), ()
        after = next((one.document for one in changes.steps if isinstance(one, PutReplicationConfiguration)), before)
        noted = self.started.of(registry) if self.started is not None else None
        facts = BackfillFacts(before, after, self.backfills.of(registry), noted, self.now())
        found = plan_backfills(rule.name, registry, wanted, facts)
        told = [Outcome(f"registry {registry}", rule.name, rule.mode, remark=remark) for remark in found.remarks]
        for failed in found.failures:
            subject, why = f"registry {registry} to {failed.to}", self._failure(registry, failed)
            if rule.mode is Mode.ENFORCE:
                told.append(Outcome(subject, rule.name, rule.mode, error=BackfillFailedError(why)))
            else:
                told.append(Outcome(subject, rule.name, rule.mode, remark=why))
        return Plan(found.steps), tuple(told)

    def _failure(self, registry: RegistryRef, failed: Backfill) -> str:
        """What one did not bring. That no image can be named keeps no other from being started, and is told with it."""
        if self.backfills is None or not failed.failed:
            return failure_of(failed, ())
        try:
            return failure_of(failed, self.backfills.failed_images(registry, failed.id, SHOWN))
        except StewardError as error:
            return f"{failure_of(failed, ())}; which ones cannot be read: {error}"

    def void(self, registry: RegistryRef, wanted: WantedReplication, before: Document) -> None:
        """Void what was noted of destinations to which ECR does not copy all that it should.

        Before the configuration is mended: what was pushed meanwhile a backfill has to bring, and an end in between
        must not hide that. Whether or not the rulebook wants backfills now: it may want them again. Who starts none
        does not read the notes either, and voids those, too, that only lack repositories.
        """
        if self.started is None:
            return
        noted = self.started.of(registry) if wanted.backfill and self.backfills is not None else {}
        for to in void_notes(wanted, before, noted):
            self.started.forget(registry, to)

    def start(self, step: StartReplicationBackfill, settings: RegistrySettingsStore) -> None:
        """Start a backfill, and then note what for: an end in between leads to a second one, never to none.

        Raises BackfillFailedError where the configuration does not lead there as the step says, since its change was
        refused, or somebody has changed it meanwhile, and BackfillUnderWayError where somebody else was faster.
        """
        if self.backfills is None:
            raise TypeError(f"nobody is here who starts backfills: {step}")
        if not covers(configured(settings.replication(step.registry), step.to), step.prefixes):
            raise BackfillFailedError(
                f"the backfill from {step.registry} to {step.to} was not started: the replication configuration does "
                "not lead there as the rulebook says"
            )
        backfill = self.backfills.start(step.registry, step.to)
        if self.started is not None:
            self.started.keep(step.registry, step.to, StartedBackfill(backfill.id, step.prefixes, backfill.started_at))
