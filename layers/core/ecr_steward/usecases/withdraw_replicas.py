"""Sweep → image tags of a destination whose source has had them, and has them no longer."""

from dataclasses import dataclass
from datetime import timedelta

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.replicas import may_be_sources
from ecr_steward.domain.rules import Destination, Mode, Rules
from ecr_steward.domain.withdrawals import Mirror, Missing, kept_for, plan_withdrawals
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.sightings import Sightings
from ecr_steward.usecases.applying import Applier, carry_out


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
    sweeps_every: timedelta = timedelta(hours=1)

    def look(self, mirror: Mirror, destination: Destination) -> Outcome:
        """Note what is missed at the source, and take from the destination what has been for long enough.

        Nothing goes where another repository may be copied to the same place: what is missed here may be there.
        """
        source, to = mirror.source.repository, mirror.destination.repository
        rule, subject = mirror.rule, f"{source} to {to}"
        outcome = Outcome(subject, rule.name, rule.mode)
        if mirror.replication.remove_after is None:
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
        planned = Outcome(subject, rule.name, rule.mode, plan)
        if self.is_dry or rule.mode is Mode.OBSERVE or plan.is_empty:
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
