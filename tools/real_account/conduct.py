"""Play the steps of a run, delete what they made, and write the report, whatever happens in between."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import version

from real_account.beliefs import Finding, Verdict, without_observation
from real_account.clean_up import clean_up
from real_account.journal import Made
from real_account.report import Head, Played, as_json, as_markdown
from real_account.run import Run
from real_account.step import Step, play


def conduct(run: Run, steps: Sequence[Step], *, keep_for_later: bool) -> int:
    """Play, clean up, report. The exit code of the command."""
    began = run.pace.now()
    played: dict[str, list[Finding]] = {step.name: [] for step in steps}
    interrupted = False
    left: tuple[str, ...] = ()
    try:
        for step in steps:
            print(f"{step.name}: {step.title} ...", flush=True)
            for finding in play(step, run):
                played[step.name].append(finding)
                print(f"  {finding.verdict}: {finding.belief.id} {finding.observed or finding.why}", flush=True)
    except KeyboardInterrupt:
        interrupted = True
        print("Interrupted: what was made is deleted now.", flush=True)
    finally:
        keep = [run.name(name) for step in steps for name in step.kept] if keep_for_later and not interrupted else []
        with undisturbed():
            left = clean_up(run, keep)
            head = _head(run, began, left, [made for made in run.journal.left() if made.name in keep])
            write_report(run, head, [(step, _completed(step, played[step.name])) for step in steps])
    if left:
        print("\n".join(["Not deleted:", *left, "Try again: make real-account ... ARGS=--clean-up"]))
    return 130 if interrupted else 1 if left else 0


def look_later(run: Run, name: str, step: Step) -> int:
    """Try what has to wait for hours or days. It makes and deletes nothing; a report of its own says what came out."""
    began, found = run.pace.now(), list(play(step, run))
    for finding in found:
        print(f"  {finding.verdict}: {finding.belief.id} {finding.observed or finding.why}", flush=True)
    write_report(run, _head(run, began, (), run.journal.left()), [(step, found)], f"report-{name}")
    return 0


def write_report(run: Run, head: Head, played: Played, name: str = "report") -> None:
    """Write both reports beside the journal."""
    (run.folder / f"{name}.json").write_text(as_json(head, played), encoding="utf-8")
    (run.folder / f"{name}.md").write_text(as_markdown(head, played), encoding="utf-8")
    print(f"The report is {run.folder / name}.md, and {name}.json beside it.", flush=True)


def _head(run: Run, began: datetime, left: Sequence[str], kept: Iterable[Made]) -> Head:
    return Head(
        stage="AWS" if run.on_aws else "the sandbox",
        account=run.account,
        region=run.region,
        run_id=run.run_id,
        began_at=f"{began:%Y-%m-%d %H:%M}",
        ended_at=f"{run.pace.now():%Y-%m-%d %H:%M}",
        version=version("ecr-steward-core"),
        left=left,
        kept=[f"{made.kind} {made.name}" for made in kept],
    )


def _completed(step: Step, found: Sequence[Finding]) -> tuple[Finding, ...]:
    why = "the run was interrupted before"
    return (*found, *without_observation(step.beliefs, found, Verdict.NOT_LOOKED_AT, why))


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore Ctrl-C and SIGTERM: a deletion that is under way is short."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
