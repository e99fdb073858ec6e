"""Sweep, failed scan → image tags that a destination is to lose: their source lost them, or their image failed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from ecr_steward.domain.names import Digest, RegistryRef
from ecr_steward.domain.notices import ImageWithdrawn
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.plan import DeleteImage, RemoveImageTag, Step
from ecr_steward.domain.replicas import may_be_sources
from ecr_steward.domain.rules import Destination, Mode, Rules
from ecr_steward.domain.withdrawals import Mirror, Missing, kept_for, plan_withdrawal_of_failed, plan_withdrawals
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.sightings import Sightings
from ecr_steward.usecases.applying import Applier, carry_out


@dataclass(frozen=True)
class Withdrawal:
    """Keeps destinations from holding for ever what their source has let go of."""

    rules: Rules
    homes: tuple[RegistryRef, ...]
    missed: Sightings | None
    """Remembers since when tags of a destination have been missed at its source; ``None``: only what failed goes."""
    now: Clock
    applier: Applier
    is_dry: bool = False
    sweeps_every: timedelta = timedelta(hours=1)

    def look(self, mirror: Mirror, destination: Destination) -> Outcome:
        """Note what is missed at the source, and take from the destination what has been for long enough.

        Nothing goes where another repository may be copied to the same place: what is missed here may be there.
        """
        source, to = mirror.source.repository, mirror.destination.repository
        rule, subject = mirror.rule, f"{source} to {to}"
        outcome = Outcome(subject, rule.name, rule.mode)
        if mirror.replication.remove_after is None or self.missed is None:
            return outcome
        if why := self._shared_with(mirror, destination):
            return outcome.remarking(f"nothing is removed there: {why}")
        now = self.now()
        seen = {tag: since for tag, since in self.missed.seen(to).items() if mirror.speaks_of(tag)}
        missing = Missing.of(seen, mirror.missed(), now, kept_for(self.sweeps_every))
        if not self.is_dry:
            self.missed.keep(to, missing.written)
            self.missed.forget(to, missing.back)
        grace = timedelta(days=mirror.replication.remove_after)
        plan = plan_withdrawals(rule.name, source, mirror.destination, missing.due(grace, now))
        return self._carry_out(Outcome(subject, rule.name, rule.mode, plan), mirror)

    def withdraw_failed(self, mirror: Mirror, destination: Destination, failed: Mapping[Digest, str]) -> Outcome:
        """Take from the destination what has failed its scan at the source: images by digest, with the reason.

        As in ``look`` nothing is deleted where another repository may be copied to the same place: there it may have
        passed.
        """
        outcome = Outcome(
            f"{mirror.source.repository} to {mirror.destination.repository}", mirror.rule.name, mirror.rule.mode
        )
        plan = plan_withdrawal_of_failed(mirror, failed)
        if not plan.is_empty and (why := self._shared_with(mirror, destination)):
            return outcome.remarking(f"nothing is withdrawn there: {why}")
        done = self._carry_out(replace(outcome, plan=plan), mirror)
        if done.applied and done.error is None:
            for step in plan.steps:
                self._publish(step, mirror)
        return done

    def _publish(self, step: Step, mirror: Mirror) -> None:
        match step:
            case DeleteImage(image=image, image_tags=tags):
                pass
            case RemoveImageTag(image=image, image_tag=tag):
                tags = frozenset({tag})
            case _:
                raise TypeError(f"a withdrawal has no such step: {step}")
        source = image.in_repository(mirror.source.repository)
        self.applier.notices.publish(ImageWithdrawn(step.rule, source, image.repository, tags, step.why))

    def _carry_out(self, planned: Outcome, mirror: Mirror) -> Outcome:
        if self.is_dry:
            return self.applier.foresee(planned, mirror.destination.repository, mirror.destination)
        if planned.mode is Mode.OBSERVE or planned.plan.is_empty:
            return planned
        return carry_out(planned, mirror.destination, self.applier)

    def _shared_with(self, mirror: Mirror, destination: Destination) -> str | None:
        """Why the destination may hold what did not come from this source."""
        if "{name}" not in (destination.repository or "{name}"):
            return "its name is fixed, so each repository of the rule is copied to it"
        source = mirror.source.repository
        homes = {source.registry, *self.homes}
        sources = may_be_sources(self.rules, mirror.destination.repository, homes)
        if other := next((each for each in sources if each != source), None):
            return f"{other} may be copied to the same place. Name accounts and regions in `match`"
        return None
