"""Buses, rules and schedules: what starts the functions."""

from collections.abc import Mapping
from typing import Any, Final

from ecr_steward_cli.doctor.checks.check import AsTemplate, Check, Exists
from ecr_steward_cli.doctor.policies import normal_statement

_BUS, _BUS_POLICY, _RULE = "AWS::Events::EventBus", "AWS::Events::EventBusPolicy", "AWS::Events::Rule"
_SCHEDULE: Final = "AWS::Scheduler::Schedule"
RECREATE: Final = (
    "deploy once with the resource left out of the template, then with it: CloudFormation does not create again what "
    "was deleted outside of it"
)
"""Where an unchanged deployment helps nothing: CloudFormation compares templates, not resources."""


def _by_id(targets: Any) -> Any:
    """Targets by their ids: their order has no meaning."""
    return {target["Id"]: target for target in targets} if isinstance(targets, list) else targets


def _statement(statement: Any) -> Any:
    return normal_statement(statement) if isinstance(statement, Mapping) else statement


CHECKS: tuple[Check, ...] = (
    Exists("bus-exists", (_BUS,), "the event bus exists", RECREATE),
    Exists(
        "bus-policy-exists",
        (_BUS_POLICY,),
        "the bus's policy has each statement of the template: who may send events, and who may give notices",
        "put the statement back with `aws events put-permission`, as the template has it",
    ),
    AsTemplate(
        "bus-policy",
        (_BUS_POLICY,),
        ("Statement",),
        "the statements of the bus's policy say what those of the template say",
        "put the statement back with `aws events put-permission`, as the template has it",
        normal=_statement,
        is_whole=True,
    ),
    Exists("rule-exists", (_RULE,), "each rule exists", RECREATE),
    AsTemplate(
        "rule-enabled",
        (_RULE,),
        ("State",),
        "each rule is enabled: a disabled one lets no event through",
        "`aws events enable-rule --name {name} --event-bus-name BUS`",
        usual={"State": "ENABLED"},
    ),
    AsTemplate(
        "rule-pattern",
        (_RULE,),
        ("EventPattern", "ScheduleExpression"),
        "the pattern of each rule",
        "put the pattern back with `aws events put-rule --name {name}`, as the template has it",
        is_whole=True,
    ),
    AsTemplate(
        "rule-targets",
        (_RULE,),
        ("Targets",),
        "the targets of each rule, each with its role, its dead-letter queue and its retries",
        "put the targets back with `aws events put-targets --rule {name}`, as the template has them; "
        "`aws events remove-targets` takes others away",
        normal=_by_id,
        is_whole=True,
    ),
    Exists("schedule-exists", (_SCHEDULE,), "each schedule exists", RECREATE),
    AsTemplate(
        "schedule-enabled",
        (_SCHEDULE,),
        ("State",),
        "each schedule is enabled: without them nothing is swept, and logins end after 12 hours",
        "`aws scheduler update-schedule --name {name} --state ENABLED`, with the rest as `get-schedule` has it",
        usual={"State": "ENABLED"},
    ),
    AsTemplate(
        "schedule-time",
        (_SCHEDULE,),
        ("ScheduleExpression", "ScheduleExpressionTimezone"),
        "when each schedule comes due",
        "deploy with the parameter SweepSchedule or CredentialSchedule that is meant, or put {name} back",
    ),
    AsTemplate(
        "schedule-target",
        (_SCHEDULE,),
        ("Target",),
        "what each schedule invokes, as which role, with which dead-letter queue",
        "put the target of {name} back with `aws scheduler update-schedule`, as the template has it",
    ),
)
