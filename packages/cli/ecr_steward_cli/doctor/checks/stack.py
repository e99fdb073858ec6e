"""The stack as a whole."""

from collections.abc import Iterator
from typing import Final

from ecr_steward_cli.doctor.checks.check import Asks, Check
from ecr_steward_cli.doctor.facts import Facts
from ecr_steward_cli.doctor.findings import Finding, Status

COMPLETE: Final = frozenset({"CREATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
"""States in which all that a template names is there; after a rollback of an update it is the former template."""
_FAILED: Final = "_FAILED"


def _complete(check: Asks, facts: Facts) -> Iterator[Finding]:
    stack = facts.stack
    if stack.status not in COMPLETE:
        why = f": {stack.why}" if stack.why else ""
        yield Finding(
            check.id, Status.PROBLEM, stack.names.stack_name, f"the stack is in {stack.status}{why}", check.do
        )


def _resources(check: Asks, facts: Facts) -> Iterator[Finding]:
    for logical_id, state in facts.stack.resource_states.items():
        if state.endswith(_FAILED):
            yield Finding(check.id, Status.PROBLEM, logical_id, f"CloudFormation left it in {state}", check.do)
    for logical_id in facts.stack.left_out:
        message = "the template has it, the stack does not"
        yield Finding(check.id, Status.PROBLEM, logical_id, message, check.do)


def _drift(check: Asks, facts: Facts) -> Iterator[Finding]:
    if facts.stack.drift == "DRIFTED":
        message = "CloudFormation's last drift detection found changes"
        yield Finding(check.id, Status.PROBLEM, facts.stack.names.stack_name, message, check.do)


CHECKS: tuple[Check, ...] = (
    Asks(
        "stack-complete",
        "the state of the stack: a deployment has ended, and was not left half done",
        "read the events of the stack, mend what they name, and deploy again",
        _complete,
    ),
    Asks(
        "stack-resources",
        "the state of each resource of the stack, and that each one that the template wants is in it",
        "read the events of the stack for the reason, and deploy again",
        _resources,
        lambda facts: list(facts.stack.resource_states),
    ),
    Asks(
        "stack-drift",
        "what CloudFormation's last drift detection found, if there was one; doctor itself starts none",
        "`aws cloudformation describe-stack-resource-drifts` lists them; put back what differs, then "
        "`aws cloudformation detect-stack-drift`",
        _drift,
    ),
)
