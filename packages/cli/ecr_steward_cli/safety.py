"""What pause, resume, status and release-brake do."""

import json

import typer

from ecr_steward.adapters.clock import utc_now
from ecr_steward.domain.brake import Hold
from ecr_steward.domain.pause import Pause
from ecr_steward.ports.brakes import GRANT_LASTS
from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.exit_codes import FAILED
from ecr_steward_cli.refusal import refuse, told
from ecr_steward_cli.remembered import Remembered
from ecr_steward_cli.where import Where


def pause(where: Where, reason: str) -> None:
    """Pause everything, with a reason."""
    if not reason.strip():
        refuse("a pause needs a reason: others will ask", Code.REASON)
    remembered = Remembered(where)
    with told():
        made = Pause(remembered.who, reason.strip(), remembered.now())
        remembered.switch.pause(made)
    typer.echo(f"{made}\nevery rule only observes, within a minute; `ecr-steward resume` ends it", err=True)


def resume(where: Where) -> None:
    """End the pause, where there is one."""
    with told():
        ended = Remembered(where).switch.resume()
    if ended is None:
        typer.echo("nothing was paused", err=True)
    else:
        typer.echo(f"no longer {ended}\nwhat was left undone meanwhile the next sweep mends", err=True)


def status(where: Where, *, as_json: bool) -> None:
    """Show what waits for a person. Raises typer.Exit with 1 where something does."""
    remembered = Remembered(where)
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
                    "everywhere": hold.is_wide,
                }
                for hold in holds
            ],
        }
        typer.echo(json.dumps(document, indent=2))
    else:
        typer.echo(str(paused) if paused else "not paused")
        for hold in holds:
            place = "" if hold.is_wide else f" {hold.subject}"
            typer.echo(f"{hold}\n  to let go: ecr-steward release-brake {hold.rule}{place}")
        if not holds:
            typer.echo("no brake holds")
    if paused or holds:
        raise typer.Exit(FAILED)


def release_brake(where: Where, rule: str, subject: str | None, removals: int | None) -> None:
    """Let go of a rule's brakes, or of one, and grant what was held, or what a person says, for where it was held."""
    brakes = Remembered(where).brakes
    with told():
        there = list(brakes.holds())
        held = [hold for hold in there if hold.rule == rule and subject in (None, hold.subject)]
        if not held and removals is not None:
            held = [Hold(rule, subject or rule, removals, "granted beforehand", utc_now(), is_wide=subject is None)]
        if not held:
            names = "; ".join(f"{hold.rule}: {hold.subject}" for hold in there)
            refuse(
                f"no brake of rule `{rule}` holds{f' for {subject}' if subject else ''}; "
                + (f"those that do: {names}" if names else "no brake does"),
                Code.BRAKE_NOT_HOLDING,
            )
        for hold in held:
            brakes.release(hold, hold.asked if removals is None else removals)
    hours = int(GRANT_LASTS.total_seconds() // 3600)
    for hold in held:
        granted, place = hold.asked if removals is None else removals, "" if hold.is_wide else f" from {hold.subject}"
        typer.echo(f"rule {rule} may take away {granted}{place} beyond its brake within {hours} hours", err=True)
