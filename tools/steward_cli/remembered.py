"""What a deployed steward remembers, for the commands that look at it or change it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import boto3
from botocore.config import Config
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
from ecr_steward.errors import StewardError
from ecr_steward.ports.clock import Clock
from ecr_steward.rulebook.codes import Code
from ecr_steward.usecases.by_hand import ByHand
from steward_cli.refusal import refuse

_PROMPT = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=3, read_timeout=20)
_OUTPUT = "StateTableName"


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
        self._session = boto3.Session()
        self._clients = AwsClients(self._session, _PROMPT)
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
        if self._session.region_name is None:
            refuse(
                "say which region is meant: set AWS_DEFAULT_REGION, or name the image as ACCOUNT/REGION/REPOSITORY",
                Code.CALLER_UNKNOWN,
            )
        return RegistryRef(self._identity[0], self._session.region_name)

    def by_hand(self, *, is_dry: bool) -> ByHand:
        """What the caller may do by hand."""
        registry = EcrRegistry(self._clients, self.releases)
        return ByHand(registry, self.journal, self.releases, self.now, "" if is_dry else self.who, is_dry)

    @cached_property
    def _identity(self) -> tuple[str, str]:
        try:
            found = self._session.client("sts", config=_PROMPT).get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            refuse(f"AWS does not say who is calling: {error}", Code.CALLER_UNKNOWN)
        return found["Account"], found["Arn"]

    @cached_property
    def _table(self) -> StateTable:
        name = self._where.table or table_of_stack(self._where.stack_name, self._session)
        return StateTable(self._clients, name, self.now)


def table_of_stack(name: str, session: boto3.Session) -> str:
    """The state table of the steward that this stack is. Raises typer.Exit where there is none, and says why."""
    try:
        client = session.client("cloudformation", config=_PROMPT)
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        refuse(
            f"the stack {name} does not say which its state table is: {error}. Name the table with --table",
            Code.STATE_TABLE,
        )
    found = [output["OutputValue"] for output in stack.get("Outputs", []) if output["OutputKey"] == _OUTPUT]
    if not found:
        refuse(
            f"the stack {name} has no output {_OUTPUT}: deploy this version, or name the table with --table",
            Code.STATE_TABLE,
        )
    return found[0]


@contextmanager
def told() -> Iterator[None]:
    """Refuse with the reason what the steward's parts raise on purpose."""
    try:
        yield
    except StewardError as error:
        refuse(str(error), Code.CALL_REFUSED)
