"""make real-account: try what is believed about AWS in the account that was named, and report."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from real_account.account import RefusedError, check_credentials, check_named, confirm
from real_account.clean_up import clean_up
from real_account.conduct import conduct, look_later
from real_account.journal import FILE, Journal
from real_account.later import LATER
from real_account.pace import Pace
from real_account.run import Run, Sizes
from real_account.step import Step
from real_account.steps import STEPS

ROOT: Final = Path(__file__).parents[2]
LONGEST: Final = timedelta(hours=2)


@dataclass(frozen=True)
class Stage:
    """What tests replace: time, answers, sizes, and the steps themselves."""

    pace: Callable[[], Pace] = Pace
    ask: Callable[[str], str] = input
    sizes: Sizes = field(default_factory=Sizes)
    steps: Sequence[Step] = STEPS


def main(argv: Sequence[str] | None = None, stage: Stage | None = None) -> int:
    """The exit code: 0 when all went well, 1 when something is left, 2 when nothing was done, 130 after Ctrl-C."""
    given, stage = _arguments().parse_args(argv), stage or Stage()
    try:
        check_named(given.account, given.region)
        run = _run(given, stage)
        try:
            return _perform(given, stage, run)
        finally:
            run.close()
    except RefusedError as refused:
        print(f"Error: {refused}", file=sys.stderr)
        return 2


def _perform(given: argparse.Namespace, stage: Stage, run: Run) -> int:
    caller = check_credentials(given.account, run.client("sts"))
    if given.clean_up:
        left = clean_up(run)
        print("\n".join(["Not deleted:", *left]) if left else "Everything of this run is deleted.")
        return 1 if left else 0
    if given.later:
        return look_later(run, given.later, LATER[given.later])
    steps = [step for step in stage.steps if not given.only or step.name in given.only]
    print(announcement(run, caller, steps))
    confirm(given.account, (lambda _: str(given.confirm)) if given.confirm else stage.ask)
    run.journal.begin(
        account=run.account, region=run.region, second_region=run.second_region, at=run.pace.now().isoformat()
    )
    run.pace.deadline = run.pace.now() + LONGEST
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    try:
        return conduct(run, steps, keep_for_later=given.keep_for_later)
    finally:
        signal.signal(signal.SIGTERM, before)


def announcement(run: Run, caller: str, steps: Sequence[Step]) -> str:
    """What a run makes, and what that costs."""
    where = "AWS" if run.on_aws else f"the endpoint {os.environ['AWS_ENDPOINT_URL']}"
    lines = [f"Run {run.run_id} on {where}, account {run.account}, region {run.region}, as {caller}.", "", "It makes:"]
    lines += [f"  {step.name}: {step.makes} (about ${step.dollars:.2f})" for step in steps]
    minutes, dollars = LONGEST.total_seconds() / 60, sum(step.dollars for step in steps)
    lines += [
        "",
        f"All of it is named {run.prefix}..., tagged, recorded in {run.journal.file} and deleted at the end.",
        f"At list prices of us-east-1 about ${dollars:.2f}, in at most {minutes:.0f} minutes.",
    ]
    return "\n".join(lines)


def _run(given: argparse.Namespace, stage: Stage) -> Run:
    folder, pace = Path(given.folder), stage.pace()
    run_id = given.run or f"{pace.now():%y%m%d%H%M%S}{secrets.token_hex(2)}"
    if given.clean_up or given.later:
        run_id = given.run or _latest(folder)
        if not (folder / run_id / FILE).is_file():
            raise RefusedError(f"there is no journal {folder / run_id / FILE}")
        began: Any = Journal(folder / run_id).run
        if (began["account"], began["region"]) != (given.account, given.region):
            raise RefusedError(f"the run {run_id} was in account {began['account']}, region {began['region']}")
    return Run(
        account=given.account,
        region=given.region,
        second_region=given.second_region,
        run_id=run_id,
        folder=folder / run_id,
        on_aws="AWS_ENDPOINT_URL" not in os.environ,
        pace=pace,
        sizes=stage.sizes,
    )


def _latest(folder: Path) -> str:
    found = sorted(file.parent.name for file in folder.glob(f"*/{FILE}"))
    if not found:
        raise RefusedError(f"there is no journal in {folder}")
    return found[-1]


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make real-account", description=__doc__)
    parser.add_argument("--account", default="", help="the account's twelve digits; these credentials must be its own")
    parser.add_argument("--region", default="", help="where the run takes place")
    parser.add_argument("--second-region", default="eu-west-1", help="where replication goes")
    parser.add_argument("--confirm", default="", help="the account id once more, instead of typing it")
    parser.add_argument("--only", nargs="*", default=[], metavar="STEP", help="these steps alone")
    parser.add_argument("--keep-for-later", action="store_true", help="keep what the later commands need")
    parser.add_argument("--clean-up", action="store_true", help="delete what a run has left, and do nothing else")
    parser.add_argument("--later", choices=LATER, help="try what had to wait, with what a run has kept")
    parser.add_argument("--run", default="", help="the id of that run (default: the latest)")
    parser.add_argument("--folder", default=str(ROOT / ".real-account"), help="where journals and reports are")
    return parser


if __name__ == "__main__":
    sys.exit(main())
