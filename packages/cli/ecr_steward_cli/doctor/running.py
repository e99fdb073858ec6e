"""What ``ecr-steward doctor`` does: reads, decides, and prints."""

import sys
from collections.abc import Iterator, Sequence
from typing import Final

import typer

from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.caller import Caller
from ecr_steward_cli.doctor.asking import Asker, UnreadError
from ecr_steward_cli.doctor.checks.catalogue import all_checks
from ecr_steward_cli.doctor.checks.check import Check
from ecr_steward_cli.doctor.facts import Facts
from ecr_steward_cli.doctor.findings import Finding, Status, Unread, has_problem
from ecr_steward_cli.doctor.intrinsics import UnresolvedError
from ecr_steward_cli.doctor.output import Looked, as_json, show
from ecr_steward_cli.doctor.parts.part import Part
from ecr_steward_cli.doctor.reading import read_facts
from ecr_steward_cli.doctor.stack import NOTHING_THERE, read_stack
from ecr_steward_cli.exit_codes import FAILED
from ecr_steward_cli.refusal import refuse

STACK_EXISTS: Final = "stack-exists"
COMPLETE_CHECK: Final = "stack-complete"


def doctor(stack_name: str, region: str | None, *, prints_json: bool) -> None:
    """Look at a stack and print the findings. Raises typer.Exit with 1 where something is wrong."""
    looked = look(Caller(region), stack_name)
    if prints_json:
        typer.echo(as_json(looked))
    else:
        show(looked, sys.stdout)
    if has_problem(looked.findings):
        raise typer.Exit(FAILED)


def look(caller: Caller, stack_name: str) -> Looked:
    """The findings about a stack. Raises SystemExit where CloudFormation does not say what there should be."""
    asker = Asker(caller)
    try:
        stack = read_stack(asker, stack_name)
    except UnreadError as error:
        refuse(f"the stack {stack_name} in {caller.region} cannot be looked at: {error.fact.reason}", Code.CALL_REFUSED)
    if stack is None:
        return Looked(stack_name, caller.region, "", (no_stack(stack_name, caller.region),))
    there = Finding(STACK_EXISTS, Status.OK, "", stack.names.stack_id)
    if stack.status in NOTHING_THERE:
        found = _only(COMPLETE_CHECK, Facts(stack))
        return Looked(stack_name, caller.region, stack.names.account, (there, *found))
    try:
        findings = (there, *findings_of(read_facts(asker, stack)))
    except UnresolvedError as error:
        refuse(f"doctor cannot resolve {error} of the template of the stack {stack_name}", Code.CALL_REFUSED)
    return Looked(stack_name, caller.region, stack.names.account, findings)


def findings_of(facts: Facts) -> Iterator[Finding]:
    """What each check says, in their order: that all is well in one finding."""
    for check in all_checks():
        found = list(check.problems(facts))
        yield from found or [_well(check, check.seen(facts))]


def _well(check: Check, seen: Sequence[object]) -> Finding:
    """That a check has found nothing: because all is well, or because it has seen nothing."""
    unread = [part.found for part in seen if isinstance(part, Part) and isinstance(part.found, Unread)]
    looked = len(seen) - len(unread) - sum(isinstance(part, Part) and part.found is None for part in seen)
    if unread and not looked:
        return Finding(check.id, Status.NOT_LOOKED_AT, "", f"none could be read: {unread[0].reason}", unread[0].do)
    missed = f", {len(unread)} could not be read" if unread else ""
    return Finding(check.id, Status.OK, "", f"{looked} looked at{missed}" if looked else "")


def _only(check_id: str, facts: Facts) -> list[Finding]:
    return [finding for check in all_checks() if check.id == check_id for finding in check.problems(facts)]


def no_stack(name: str, region: str) -> Finding:
    """That the stack is not there."""
    return Finding(
        STACK_EXISTS,
        Status.PROBLEM,
        name,
        f"there is no stack {name} in {region}",
        "name the stack with --stack-name and its region with --region, or deploy it: docs/deploy/first-day.md",
    )
