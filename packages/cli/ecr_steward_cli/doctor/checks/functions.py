"""Functions: that they run, as which role and with what, and that what should invoke them may."""

from collections.abc import Iterator, Mapping
from typing import Final

from ecr_steward_cli.doctor.checks.check import Asks, AsTemplate, Check, Exists, problem
from ecr_steward_cli.doctor.checks.rules import RECREATE
from ecr_steward_cli.doctor.facts import Facts
from ecr_steward_cli.doctor.findings import Finding, Unread, unread

_FUNCTION, _MAPPING = "AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping"
_INVOKE_CONFIG, _PERMISSION = "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Permission"
_BACK: Final = "`aws lambda update-function-configuration --function-name {name}"


def _active(check: Asks, facts: Facts) -> Iterator[Finding]:
    for part in facts.of_types(_FUNCTION):
        if not isinstance(part.found, Mapping):
            continue
        for name, good, why in (
            ("State", "Active", "StateReason"),
            ("LastUpdateStatus", "Successful", "LastUpdateStatusReason"),
        ):
            there = part.found.get(name, good)
            if there not in {good, "InProgress", "Inactive"}:  # Inactive wakes up with its next event
                yield problem(check, part, f"{name} is {there}: {part.found.get(why) or 'Lambda gives no reason'}")


def _unthrottled(check: Asks, facts: Facts) -> Iterator[Finding]:
    for part in facts.of_types(_FUNCTION):
        if not isinstance(part.found, Mapping) or not isinstance(part.wanted, Mapping):
            continue
        there, asked = part.found["ReservedConcurrentExecutions"], part.wanted.get("ReservedConcurrentExecutions")
        if isinstance(there, Unread):
            yield unread(check.id, part.logical_id, there)
        elif there != (None if asked is None else int(asked)):
            shown, said = ("none" if value is None else value for value in (there, asked))
            stops = ": it never runs" if there == 0 else ""
            yield problem(check, part, f"its reserved concurrency is {shown}, the template says {said}{stops}")


def _functions(facts: Facts) -> list[object]:
    return list(facts.of_types(_FUNCTION))


def _enabled(check: Asks, facts: Facts) -> Iterator[Finding]:
    for part in facts.of_types(_MAPPING):
        if not isinstance(part.found, Mapping) or not isinstance(part.wanted, Mapping):
            continue
        state, asked = part.found.get("State"), str(part.wanted.get("Enabled", True)).lower() == "true"
        is_enabled = state in {"Enabled", "Enabling", "Creating", "Updating"}
        if is_enabled is not asked:
            yield problem(check, part, f"it is {state}, so that its queue is not read" if asked else f"it is {state}")


CHECKS: tuple[Check, ...] = (
    Exists("function-exists", (_FUNCTION,), "each function exists", RECREATE),
    Asks(
        "function-active",
        "each function can be invoked, and its last update went well",
        "`aws lambda get-function-configuration --function-name {name}` has the reason; deploy again after mending it",
        _active,
        _functions,
    ),
    AsTemplate(
        "function-role", (_FUNCTION,), ("Role",), "the role that each function acts as", f"{_BACK} --role ROLE`"
    ),
    AsTemplate(
        "function-environment",
        (_FUNCTION,),
        ("Environment",),
        "the environment of each function: bus, queues, tables, accounts, and what a rulebook may name",
        f"{_BACK} --environment VARIABLES`, or deploy with the parameters that are meant",
        usual={"Environment": {"Variables": {}}},
        is_whole=True,
    ),
    AsTemplate(
        "function-layers",
        (_FUNCTION,),
        ("Layers",),
        "the Lambda layers of each function: the core, and the rulebook",
        f"{_BACK} --layers LAYERS`: another version of a layer is another rulebook, or other code",
    ),
    AsTemplate(
        "function-settings",
        (_FUNCTION,),
        ("Handler", "Runtime", "Timeout", "MemorySize", "Architectures", "LoggingConfig"),
        "handler, runtime, timeout, memory, architecture and log group of each function",
        f"{_BACK}`, as the template has it",
    ),
    Asks(
        "function-concurrency",
        "the reserved concurrency of each function; one with 0 never runs",
        "`aws lambda delete-function-concurrency --function-name {name}`, or put-function-concurrency with the "
        "template's number",
        _unthrottled,
        _functions,
    ),
    AsTemplate(
        "function-recursion",
        (_FUNCTION,),
        ("RecursiveLoop",),
        "whether Lambda stops a function that feeds its own queue: the sweep and the copies do so on purpose",
        "`aws lambda put-function-recursion-config --function-name {name} --recursive-loop SETTING`",
        usual={"RecursiveLoop": "Terminate"},
    ),
    Exists(
        "function-permission",
        (_PERMISSION,),
        "each rule may invoke its function, by the function's policy",
        "put it back with `aws lambda add-permission`, as the template has it: what EventBridge may not "
        "deliver ends in DeliveryFailureQueue",
    ),
    Exists(
        "function-failures-exist",
        (_INVOKE_CONFIG,),
        "each function that is invoked asynchronously has a configuration for it",
        "put it back with `aws lambda put-function-event-invoke-config`, as the template has it",
    ),
    AsTemplate(
        "function-failures",
        (_INVOKE_CONFIG,),
        ("DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"),
        "how often a failed event is tried again, and where it ends",
        "put it back with `aws lambda put-function-event-invoke-config`, as the template has it, or they are lost",
    ),
    Exists("mapping-exists", (_MAPPING,), "each event source mapping exists", RECREATE),
    Asks(
        "mapping-enabled",
        "each event source mapping is enabled: a disabled one leaves its queue unread",
        "`aws lambda update-event-source-mapping --uuid {name} --enabled`",
        _enabled,
        lambda facts: list(facts.of_types(_MAPPING)),
    ),
    AsTemplate(
        "mapping-settings",
        (_MAPPING,),
        (
            "BatchSize",
            "EventSourceArn",
            "FunctionName",
            "FunctionResponseTypes",
            "MaximumBatchingWindowInSeconds",
            "ScalingConfig",
        ),
        "which queue each event source mapping reads for which function, in which batches, and how many at a time",
        "put it back with `aws lambda update-event-source-mapping --uuid {name}`, as the template has it",
    ),
)
