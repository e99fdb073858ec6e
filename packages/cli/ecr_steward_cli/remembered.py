"""What a deployed steward remembers, for the commands that look at it or change it."""

from functools import cached_property

from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.ecr_registry import EcrRegistry
from ecr_steward.adapters.ecr_registry_settings import EcrRegistrySettings
from ecr_steward.adapters.state_announcements import StateAnnouncements
from ecr_steward.adapters.state_brakes import StateBrakes
from ecr_steward.adapters.state_journal import StateJournal
from ecr_steward.adapters.state_releases import StateReleases
from ecr_steward.adapters.state_switch import StateSwitch
from ecr_steward.adapters.state_table import StateTable
from ecr_steward.domain.names import RegistryRef
from ecr_steward.ports.clock import Clock
from ecr_steward.usecases.by_hand import ByHand
from ecr_steward_cli.caller import Caller
from ecr_steward_cli.stacks import table_of_stack
from ecr_steward_cli.where import Where


class Remembered:
    """The switch, brakes, journal, releases and announcements of one steward, as the caller."""

    def __init__(self, where: Where, now: Clock = utc_now) -> None:
        self._where = where
        self._caller = Caller(where.region)
        self.now = now

    @cached_property
    def switch(self) -> StateSwitch:
        return StateSwitch(self._table, self.now)

    @cached_property
    def brakes(self) -> StateBrakes:
        return StateBrakes(self._table, self.now)

    @cached_property
    def journal(self) -> StateJournal:
        return StateJournal(self._table, self.now)

    @cached_property
    def announcements(self) -> StateAnnouncements:
        return StateAnnouncements(self._table, self.now)

    @cached_property
    def releases(self) -> StateReleases:
        return StateReleases(self._table)

    @property
    def who(self) -> str:
        """The caller's ARN, which the journal and a pause keep."""
        return self._caller.arn

    def own_registry(self) -> RegistryRef:
        """The caller's registry, in the region that is meant."""
        return self._caller.registry

    def by_hand(self, *, is_dry: bool) -> ByHand:
        """What the caller may do by hand."""
        registry = EcrRegistry(self._caller.clients, self.releases)
        settings = EcrRegistrySettings(self._caller.clients)
        return ByHand(registry, settings, self.journal, self.releases, self.now, "" if is_dry else self.who, is_dry)

    @cached_property
    def _table(self) -> StateTable:
        name = self._where.table or table_of_stack(self._where.stack_name, self._caller)
        return StateTable(self._caller.clients, name, self.now)
