"""What pause, resume, status and release-brake do."""

import json

import typer

from ecr_steward.domain.pause import Pause
from ecr_steward.ports.brakes import GRANT_LASTS
from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.exit_codes import FINDINGS
from ecr_steward_cli.refusal import refuse, told
from ecr_steward_cli.remembered import Remembered, Where


def pause(stack_name: str, table: str | None, reason: str) -> None:
    """Pause everything, with a reason."""
    if not reason.strip():
        refuse("a pause needs a reason: others will ask", Code.REASON)
    remembered = Remembered(Where(stack_name, table))
    with told():
        made = Pause(remembered.who, reason.strip(), remembered.now())
        remembered.switch.pause(made)
    typer.echo(f"{made}\nevery rule only observes, within a minute; `ecr-steward resume` ends it", err=True)


def resume(stack_name: str, table: str | None) -> None:
    """End the pause, where there is one."""
    with told():
        ended = Remembered(Where(stack_name, table)).switch.resume()
    if ended is None:
        typer.echo("nothing was paused", err=True)
    else:
        typer.echo(f"no longer {ended}\nwhat was left undone meanwhile the next sweep mends", err=True)


def status(stack_name: str, table: str | None, *, as_json: bool) -> None:
    """Show what waits for a person. Raises typer.Exit with 1 where something does."""
    remembered = Remembered(Where(stack_name, table))
    with told():
        paused, holds = remembered.switch.paused(), list(remembered.brakes.holds())
    if as_json:
        document = {
            "paused": {"who": paused.who, "why": paused.why, "since": paused.since.isoformat()} if paused else None,
            "brakes": [
                {
                    "rule": hold.rule,
                    "subject": hold.subject,
                    "removals": hold.asked,
                    "why": hold.why,
                    "since": hold.since.isoformat(),
                }
                for hold in holds
            ],
        }
        typer.echo(json.dumps(document, indent=2))
    else:
        typer.echo(str(paused) if paused else "not paused")
        for hold in holds:
            typer.echo(f"{hold}\n  to let go: ecr-steward release-brake {hold.rule}")
        if not holds:
            typer.echo("no brake holds")
    if paused or holds:
        raise typer.Exit(FINDINGS)


def release_brake(stack_name: str, table: str | None, rule: str, removals: int | None) -> None:
    """Let go of a brake, and grant the rule what was held or what a person says."""
    brakes = Remembered(Where(stack_name, table)).brakes
    with told():
        held = brakes.holding(rule)
        if held is None and removals is None:
            there = ", ".join(hold.rule for hold in brakes.holds())
            refuse(
                f"the brake of rule `{rule}` does not hold; "
                + (f"those of these rules do: {there}" if there else "no brake does"),
                Code.BRAKE_NOT_HOLDING,
            )
        granted = removals if removals is not None else held.asked if held else 0
        brakes.release(rule, granted)
    hours = int(GRANT_LASTS.total_seconds() // 3600)
    typer.echo(f"rule {rule} may take away {granted} beyond its brake within {hours} hours", err=True)
