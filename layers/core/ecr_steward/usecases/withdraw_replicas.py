"""Sweep → image tags of a destination whose source has had them, and has them no longer."""

from dataclasses import dataclass
from datetime import timedelta

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.replicas import sources_of
from ecr_steward.domain.rules import Mode, ReplicationRules, Rule, Rules
from ecr_steward.domain.withdrawals import Missing, missed_tags, plan_withdrawals
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.sightings import Sightings
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.retain_images import carry_out


@dataclass(frozen=True)
class Withdrawal:
    """Keeps destinations from holding for ever what their source has let go of."""

    rules: Rules
    homes: tuple[RegistryRef, ...]
    missed: Sightings
    """Remembers since when tags of a destination have been missed at its source."""
    now: Clock
    applier: Applier
    is_dry: bool = False

    def look(
        self, rule: Rule, replication: ReplicationRules, source: RepositoryImages, destination: RepositoryImages
    ) -> Outcome:
        """Note what is missed at the source, and take from the destination what has been for long enough.

        Nothing goes where another repository is copied to the same place: what is missed here may be there.
        """
        subject = f"{source.repository} to {destination.repository}"
        outcome = Outcome(subject, rule.name, rule.mode)
        if replication.remove_after is None:
            return outcome
        homes = {source.repository.registry, *self.homes}
        others = [each for each in sources_of(self.rules, destination.repository, homes) if each != source.repository]
        if others:
            return outcome.remarking(f"nothing is removed there: {others[0]} is copied to the same place")
        now = self.now()
        missing = Missing.of(
            self.missed.seen(destination.repository), missed_tags(rule, replication, source, destination), now
        )
        if not self.is_dry:
            self.missed.keep(destination.repository, missing.written)
            self.missed.forget(destination.repository, missing.back)
        grace = timedelta(days=replication.remove_after)
        plan = plan_withdrawals(rule.name, source.repository, destination, missing.due(grace, now))
        planned = Outcome(subject, rule.name, rule.mode, plan)
        if self.is_dry or rule.mode is Mode.OBSERVE or plan.is_empty:
            return planned
        return carry_out(planned, destination, self.applier)
