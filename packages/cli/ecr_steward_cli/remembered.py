"""What a deployed steward remembers, for the commands that look at it or change it."""

from dataclasses import dataclass
from functools import cached_property

from botocore.exceptions import BotoCoreError, ClientError

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.ecr_registry import EcrRegistry
from ecr_steward.adapters.state_brakes import StateBrakes
from ecr_steward.adapters.state_journal import StateJournal
from ecr_steward.adapters.state_releases import StateReleases
from ecr_steward.adapters.state_switch import StateSwitch
from ecr_steward.adapters.state_table import StateTable
from ecr_steward.domain.names import RegistryRef
from ecr_steward.ports.clock import Clock
from ecr_steward.rulebook.codes import Code
from ecr_steward.usecases.by_hand import ByHand
from ecr_steward_cli.refusal import refuse
from ecr_steward_cli.stacks import PROMPT, table_of_stack


@dataclass(frozen=True)
class Where:
    """Which steward is meant."""

    stack_name: str
    table: str | None
    """The state table, where a person names it; else the stack says which."""


class Remembered:
    """The switch, the brakes, the journal and the releases of one steward, as the caller."""

    def __init__(self, where: Where, now: Clock = utc_now) -> None:
        self._where = where
        self._clients = AwsClients(config=PROMPT)
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
    def releases(self) -> StateReleases:
        return StateReleases(self._table)

    @cached_property
    def who(self) -> str:
        """The caller's ARN, which the journal and a pause keep."""
        return self._identity[1]

    def own_registry(self) -> RegistryRef:
        """The caller's registry, in the session's region."""
        if self._clients.region is None:
            refuse(
                "say which region is meant: set AWS_DEFAULT_REGION, or name the image as ACCOUNT/REGION/REPOSITORY",
                Code.CALLER_UNKNOWN,
            )
        return RegistryRef(self._identity[0], self._clients.region)

    def by_hand(self, *, is_dry: bool) -> ByHand:
        """What the caller may do by hand."""
        registry = EcrRegistry(self._clients, self.releases)
        return ByHand(registry, self.journal, self.releases, self.now, "" if is_dry else self.who, is_dry)

    @cached_property
    def _identity(self) -> tuple[str, str]:
        try:
            found = self._clients.sts.get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            refuse(f"AWS does not say who is calling: {error}", Code.CALLER_UNKNOWN)
        return found["Account"], found["Arn"]

    @cached_property
    def _table(self) -> StateTable:
        name = self._where.table or table_of_stack(self._where.stack_name, self._clients)
        return StateTable(self._clients, name, self.now)
