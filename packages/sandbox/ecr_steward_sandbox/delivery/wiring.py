"""What is connected to what, and who may do it: the deployed template as delivery sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from ecr_steward_sandbox.delivery.patterns import Pattern
from ecr_steward_sandbox.identity.iam import Role
from ecr_steward_sandbox.identity.organizations import organization_keys
from local_ecr.iam import (
    Call,
    Context,
    Document,
    Judgement,
    Policy,
    Principal,
    allows,
    call_keys,
    judge,
    principal_keys,
)

HEARS_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
"""State of a rule that gets records of calls that only read; ENABLED gets those that change something."""


def listen_to_nothing(call: Call, judgement: Judgement) -> None:
    """A listener that wants nothing."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often EventBridge or Scheduler tries again, and for how many seconds. Defaults of the service."""

    attempts: int = 185
    max_age: int = 86_400


@dataclass(frozen=True)
class PutEvent:
    """EventBridgeParameters of a schedule: the head of the event that it puts; its target's `input` is the detail."""

    source: str
    detail_type: str


@dataclass(frozen=True)
class Target:
    """Where a rule or schedule sends. `input` replaces the event; `input_path` picks a part of it ("$.detail")."""

    id: str
    arn: str
    role_arn: str | None = None
    dead_letter_arn: str | None = None
    retry: RetryPolicy = RetryPolicy()
    input: str | None = None
    input_path: str | None = None
    event: PutEvent | None = None
    """What Scheduler makes of `input` where the target is a bus."""


@dataclass(frozen=True)
class Rule:
    """A rule on a bus. A rule that only has a schedule wants no event: its pattern is None."""

    arn: str
    bus_arn: str
    pattern: Pattern | None
    targets: tuple[Target, ...]
    is_enabled: bool = True
    hears_reads: bool = False
    """Whether it gets CloudTrail's records of calls that only read: in the state that is named for it alone."""

    @property
    def name(self) -> str:
        """Name as the console shows it."""
        return self.arn.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class FunctionConfig:
    """A deployed function. `timeout` in seconds, `memory` in MiB; `layers` in the order of the template."""

    logical_id: str
    name: str
    arn: str
    role_arn: str
    handler: str
    code: Path
    layers: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 3.0
    memory: int = 128
    log_group: str | None = None
    retries: int = 2
    on_failure_arn: str | None = None
    on_success_arn: str | None = None

    @property
    def account(self) -> str:
        """Account it is deployed in."""
        return self.arn.split(":")[4]

    @property
    def region(self) -> str:
        """Region it is deployed in."""
        return self.arn.split(":")[3]


@dataclass(frozen=True)
class QueueMapping:
    """An event source mapping from an SQS queue to a function.

    A batch is collected until it is full or `window` seconds are over.
    """

    id: str
    queue_arn: str
    function_arn: str
    batch_size: int = 10
    window: float = 0.0
    reports_item_failures: bool = False
    max_concurrency: int = 5
    is_enabled: bool = True
    filters: tuple[Pattern, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """An EventBridge Scheduler schedule, or a rule with a schedule expression (then `from_rule`)."""

    logical_id: str
    name: str
    arn: str
    expression: str
    target: Target
    is_enabled: bool = True
    from_rule: bool = False
    timezone: str = "UTC"


@dataclass(frozen=True)
class Wiring:
    """All connections and permissions of one or more deployed stacks."""

    rules: tuple[Rule, ...] = ()
    functions: Mapping[str, FunctionConfig] = field(default_factory=dict)  # by ARN
    mappings: tuple[QueueMapping, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    roles: Mapping[str, Role] = field(default_factory=dict)  # by ARN
    resource_policies: Mapping[str, tuple[Document, ...]] = field(default_factory=dict)  # by ARN of the resource
    bus_arns: frozenset[str] = frozenset()
    organizations: Mapping[str, str] = field(default_factory=dict)
    """By account, the id of its organization."""
    on_judgement: Callable[[Call, Judgement], None] = listen_to_nothing
    """Hears of each decision about what an AWS service does as a role, and is quick."""

    def function(self, arn: str) -> FunctionConfig | None:
        """A function by ARN, with or without a qualifier."""
        return self.functions.get(":".join(arn.split(":")[:7]))

    def schedules_named(self, name: str) -> list[Schedule]:
        """Schedules by logical id or name: one for each target, of which a rule may have several."""
        return [one for one in self.schedules if name in (one.logical_id, one.name)]

    def has_bus(self, arn: str) -> bool:
        """Whether a bus exists; every account has a default bus in every region."""
        return arn in self.bus_arns or arn.endswith(":event-bus/default")

    def service_may(self, service: str, action: str, resource_arn: str, source_arn: str) -> bool:
        """Whether the resource's own policy lets an AWS service act for `source_arn`, a rule or a topic."""
        context = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_arn.split(":")[4]}
        call = Call(action, resource_arn, Principal("Service", service), context)
        return allows(self.resource_policies.get(resource_arn, ()), call)

    def role_may(self, role_arn: str, action: str, resource_arn: str) -> bool:
        """Whether a role may act on a resource; see ``role_judgement``."""
        return self.role_judgement(role_arn, action, resource_arn).is_allowed

    def role_judgement(
        self, role_arn: str, action: str, resource_arn: str, own_keys: Context | None = None
    ) -> Judgement:
        """What the role's own policies and the resource's say together about a service that acts as the role.

        `own_keys` are condition keys of the action alone, such as `events:source`.
        """
        role = self.roles.get(role_arn)
        if role is None:
            return Judgement(False, why="because the role does not exist")
        account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
        principal = Principal("AWS", f"arn:aws:sts::{account}:assumed-role/{name}/{name}", role_arn)
        call = Call(action, resource_arn, principal)
        region = resource_arn.split(":")[3]
        keys = {
            **principal_keys(principal, tags=role.tags),
            **call_keys(datetime.now(UTC), call.owner),
            "aws:RequestedRegion": region,
            **organization_keys(self.organizations, account, call.owner),
            **(own_keys or {}),
        }
        call = replace(call, context=keys)
        of_resource = [Policy("resource policy", one) for one in self.resource_policies.get(resource_arn, ())]
        judgement = judge(call, role.identity, of_resource)
        self.on_judgement(call, judgement)
        return judgement

    def service_may_assume(self, service: str, role_arn: str, source_arn: str) -> bool:
        """Whether the role's trust policy lets an AWS service act as it."""
        role = self.roles.get(role_arn)
        if role is None:
            return False
        context = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_arn.split(":")[4]}
        return allows([role.trust.document], Call("sts:AssumeRole", role_arn, Principal("Service", service), context))
