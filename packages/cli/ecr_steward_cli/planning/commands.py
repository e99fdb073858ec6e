"""``ecr-steward plan`` and ``apply``: what the rulebook would change and why, and exactly that, done."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from ecr_steward.adapters.clock import utc_now
from ecr_steward.domain.outcome import SweepOutcome
from ecr_steward.errors import InvalidNameError
from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.exit_codes import CHANGES, FAILED
from ecr_steward_cli.planning.deployed import Deployed
from ecr_steward_cli.planning.document import document_of, fingerprints, summary_of
from ecr_steward_cli.planning.gathering import (
    ReadRulebook,
    connect,
    read_rules,
    registries_of,
    scope_of,
    wanted_by,
)
from ecr_steward_cli.planning.hands import CopiesToMake, hands_of
from ecr_steward_cli.planning.report import show_plan
from ecr_steward_cli.planning.running import Run, ToDo, moved_since
from ecr_steward_cli.planning.saved import NotAPlanError, SavedPlan, is_saved_plan, save
from ecr_steward_cli.refusal import refuse, told
from ecr_steward_cli.rulebook_commands import the_rulebook

__all__ = ["Deployed", "Scope", "Shown", "apply", "apply_saved", "is_saved_plan", "plan", "refuse"]


@dataclass(frozen=True)
class Scope:
    """What a person gave with the command."""

    accounts: Sequence[str]
    regions: Sequence[str]
    repositories: Sequence[str]
    deployed: Deployed
    is_deep: bool = False
    """Whether nothing of a copy is taken for granted."""


@dataclass(frozen=True)
class Shown:
    """How a plan is printed."""

    full: bool
    as_json: bool


def plan(file: Path | None, scope: Scope, shown: Shown, out: Path | None, *, detailed_exitcode: bool) -> None:
    """Plan, print, save. Raises typer.Exit with 1 where something could not be looked at, and 2 as asked for."""
    rulebook = read_rules(file or the_rulebook())
    run = _run(rulebook, scope, to_apply=False)
    outcome, _ = run.plan(wanted_by(scope.repositories))
    _tell_what_holds(run)
    about = scope_of(rulebook, run.registries, scope.repositories, is_deep=scope.is_deep)
    _print(outcome, about, shown)
    if out is not None:
        try:
            save(document_of(outcome, about), rulebook.compiled, out)
        except OSError as error:
            refuse(f"{out} cannot be written: {error.strerror}", Code.FILE_UNREADABLE)
        typer.echo(
            f"saved: `ecr-steward apply {out}` does exactly this, or nothing where the facts have moved", err=True
        )
    if outcome.failures:
        raise typer.Exit(FAILED)
    if detailed_exitcode and summary_of(outcome.outcomes)["to_do"]:
        raise typer.Exit(CHANGES)


def _tell_what_holds(run: Run) -> None:
    """Say beside a plan what would keep it from being done right now."""
    with told():
        pause, holds = run.hands.applier.switch.paused(), list(run.hands.applier.brakes.holds())
    for each in (*([pause] if pause else []), *holds):
        typer.echo(f"note: nothing of this is done while {each}" if each is pause else f"note: {each}", err=True)


def apply(file: Path | None, scope: Scope, shown: Shown, *, yes: bool) -> None:
    """Plan, show it, ask, and do it. Raises typer.Exit with 1 where something failed or the answer is no."""
    rulebook = read_rules(file or the_rulebook())
    run, is_wanted = _run(rulebook, scope, to_apply=True), wanted_by(scope.repositories)
    about = scope_of(rulebook, run.registries, scope.repositories, is_deep=scope.is_deep)
    if yes:
        return _tell_done(run.apply_unseen(is_wanted), {}, about, shown)
    outcome, to_do = run.plan(is_wanted)
    if not to_do:
        _print(outcome, about, shown)
        raise typer.Exit(FAILED if outcome.failures else 0)
    show_plan(outcome, sys.stderr, full=shown.full)
    _ask()
    return _tell_done(run.apply(to_do, outcome.failures), to_do, about, shown)


def apply_saved(path: Path, rulebook: Path | None, deployed: Deployed, shown: Shown) -> None:
    """Do exactly what a saved plan says, if it is of this rulebook; by default of the one that it was made from.

    Raises typer.Exit with 1 where the facts have moved, and SystemExit where the rulebook is another one or not there.
    Nothing is done then.
    """
    try:
        saved = SavedPlan.read(path)
    except OSError as error:
        refuse(f"{error.filename} cannot be read: {error.strerror}", Code.FILE_UNREADABLE)
    except NotAPlanError as error:
        refuse(str(error), Code.SAVED_PLAN)
    _require_rulebook(saved, path, rulebook or saved.rulebook)
    caller, copies = connect(saved.registries[0].region), CopiesToMake()
    table = deployed.table(caller, to_apply=True)
    hands = hands_of(caller.clients, saved.rules, copies, who=_who(), window=_window(), table=table)
    run = Run(saved.registries, saved.rules, replace(hands, is_deep=saved.is_deep), copies)
    outcome, found = run.plan(wanted_by(saved.only))
    to_do, moved = moved_since(saved.fingerprints, found)
    if moved:
        typer.echo(
            f"Error: {Code.FACTS_MOVED} the facts have moved since {path} was saved, so nothing is done; plan again",
            err=True,
        )
        for subject in moved[:10]:
            typer.echo(f"  {subject}", err=True)
        if len(moved) > 10:
            typer.echo(f"  and {len(moved) - 10} more", err=True)
        raise typer.Exit(FAILED)
    if to_do and (halts := _halts(run, outcome, saved)):
        typer.echo(f"Error: {Code.SAVED_PLAN_HELD} not all of {path} may be done, so nothing is done", err=True)
        for halt in halts:
            typer.echo(f"  {halt}", err=True)
        raise typer.Exit(FAILED)
    if saved.fingerprints and not to_do and not outcome.failures:
        typer.echo(f"all that {path} says is done already", err=True)
    _tell_done(
        run.apply(to_do, outcome.failures),
        to_do,
        {"plan": str(path), "registries": [str(each) for each in saved.registries]},
        shown,
    )


def _halts(run: Run, outcome: SweepOutcome, saved: SavedPlan) -> list[str]:
    """What would keep some of a saved plan from being done: a pause, or brakes that hold or would come to hold."""
    with told():
        pause = run.hands.applier.switch.paused()
    held = (each for each in outcome.outcomes if each.halt and not saved.fingerprints.isdisjoint(fingerprints([each])))
    return [str(halt) for halt in dict.fromkeys([*([pause] if pause else []), *(each.halt for each in held)])]


def _require_rulebook(saved: SavedPlan, path: Path, rulebook: Path) -> None:
    """Have the plan's rules be those of a rulebook that is here: a plan alone could say anything."""
    if not rulebook.is_file():
        refuse(
            f"{path} was made from {rulebook}, which is not here: run this where it is, or name it with --rulebook",
            Code.SAVED_PLAN_RULEBOOK,
        )
    if not saved.is_of(read_rules(rulebook).compiled):
        refuse(
            f"{path} was not made from {rulebook} as it is now, so nothing is done; plan again",
            Code.SAVED_PLAN_RULEBOOK,
        )


def _tell_done(done: SweepOutcome, to_do: ToDo, scope: dict[str, object], shown: Shown) -> None:
    _print(done, scope, shown, is_past=True)
    planned = sum(len(steps) for found in to_do.values() for _, _, steps in found)
    counts = summary_of(done.outcomes)
    if (spared := planned - counts["to_do"] - counts["held_back"]) > 0 and not done.failures:
        typer.echo(f"{spared} of the planned steps had no effect any more when their turn came", err=True)
    if done.failures or any(outcome.halt for outcome in done.outcomes):
        raise typer.Exit(FAILED)


def _print(outcome: SweepOutcome, scope: Mapping[str, object], shown: Shown, *, is_past: bool = False) -> None:
    if shown.as_json:
        sys.stdout.write(json.dumps(document_of(outcome, scope), indent=2) + "\n")
    else:
        show_plan(outcome, sys.stdout, full=shown.full, is_past=is_past)


def _ask() -> None:
    if not sys.stdin.isatty():
        refuse(
            "standard input is no terminal to confirm this on: give --yes, or apply a saved plan (`plan --out`)",
            Code.NOT_CONFIRMED,
        )
    if not typer.confirm("Do this?", err=True):
        typer.echo("nothing was done", err=True)
        raise typer.Exit(FAILED)


def _run(rulebook: ReadRulebook, scope: Scope, *, to_apply: bool) -> Run:
    caller, copies = connect(scope.regions[0] if scope.regions else None), CopiesToMake()
    try:
        registries = registries_of(caller, scope.accounts, scope.regions)
    except InvalidNameError as error:
        refuse(str(error), Code.IMPOSSIBLE_NAME)
    table = scope.deployed.table(caller, to_apply=to_apply)
    if table is None and any(rule.image_tags and rule.image_tags.expire for rule in rulebook.rules.rules):
        typer.echo("image tags that expire are not planned: only a deployed steward knows since when", err=True)
    hands = hands_of(caller.clients, rulebook.rules, copies, who=_who(), window=_window(), table=table)
    return Run(registries, rulebook.rules, replace(hands, is_deep=scope.is_deep), copies)


def _who() -> str:
    return f"{os.environ.get('USER') or 'somebody'} by ecr-steward apply"


def _window() -> str:
    """What the brake counts together: this run."""
    return f"apply {utc_now().isoformat(timespec='microseconds')}"
