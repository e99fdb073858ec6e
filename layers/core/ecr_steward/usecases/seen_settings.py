"""What the answer to one event knows of settings that were seen in order before."""

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.observations import RepositoryChanged
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.rules import Rules
from ecr_steward.domain.seen_settings import are_in_order
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.seen_settings import SeenSettings


class SettingsMemory:
    """By one rulebook. Made before anything is read: what is noted counts from then on."""

    def __init__(self, rules: Rules, seen: SeenSettings, now: Clock) -> None:
        self._rulebook = rules.digest
        self._seen = seen
        self._began = now()

    def knows(self, repository: RepositoryRef) -> bool:
        """Whether the settings were in order within the hour, by the rulebook that holds."""
        return bool(self._rulebook) and self._seen.last(repository) == self._rulebook

    def keep(self, repository: RepositoryRef) -> None:
        """Note settings that are in order."""
        self._seen.note(repository, self._rulebook, self._began)

    def note(self, change: RepositoryChanged, outcomes: tuple[Outcome, ...]) -> None:
        """Note what an event has found: settings in order, or that a change has put them out of it."""
        if are_in_order(outcomes):
            self.keep(change.repository)
        elif not change.is_arrival:
            self._seen.note(change.repository, "", self._began)
