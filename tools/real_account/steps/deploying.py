"""Step 1: the first deployment, one without a change, and one with a parameter that was set before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from real_account.beliefs import Belief, Observation
from real_account.run import Run
from real_account.stacks import stack_of
from real_account.step import Step

ROOT: Final = Path(__file__).parents[3]
STACK: Final = "stack"
SCHEDULE: Final = "rate(3 hours)"
NO_STACK: Final = "it deploys its template by itself; tests/packaging/test_deploying.py runs SAM"
FIRST: Final = Belief(
    "deploy-first",
    "make deploy as a newcomer, with Enter alone, creates the stack",
    "docs/deploy/first-day.md",
    "CREATE_COMPLETE",
)
AGAIN: Final = Belief(
    "deploy-again", "make deploy without a change ends well", "docs/deploy/first-day.md", "exit code 0"
)
KEPT: Final = Belief(
    "deploy-keeps-parameters",
    "make deploy keeps a parameter that was set before",
    "docs/deploy/first-day.md; SAM's UsePreviousValue",
    SCHEDULE,
)


def deploy(run: Run, answers: str = "") -> int:
    """`make deploy` with a samconfig.toml of the run's own; SAM's exit code. Its words are in deploy.log."""
    script = [sys.executable, str(ROOT / "tools" / "setup" / "deploy.py"), "--config-file", str(_config(run))]
    with (run.folder / "deploy.log").open("a", encoding="utf-8") as log:
        done = subprocess.run(  # noqa: S603
            [*script, "--tags", f"ecr-steward-run={run.run_id}"],
            cwd=ROOT,
            input=answers,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=run.pace.seconds_left(),
            check=False,
        )
    return done.returncode


def _config(run: Run) -> Path:
    return run.folder / "samconfig.toml"


def write_config(run: Run, parameters: str = "") -> None:
    """What SAM is to know before: the stack's name and region, and parameters where some are set."""
    overrides = f"parameter_overrides = '{parameters}'\n" if parameters else ""
    named = f'stack_name = "{run.name(STACK)}"\nregion = "{run.region}"\n'
    _config(run).write_text(f"version = 0.1\n[default.deploy.parameters]\n{named}{overrides}", encoding="utf-8")


def _do(run: Run) -> Iterator[Observation]:
    name = run.making("stack", run.name(STACK))
    write_config(run)
    code = deploy(run, "\n" * 60)
    status = (stack_of(run, name) or {}).get("StackStatus", "no stack")
    yield Observation(FIRST, status, f"exit code {code}; deploy.log")
    if status != FIRST.expected:
        raise RuntimeError(f"the stack is {status}: deploy.log says why")
    yield Observation(AGAIN, f"exit code {deploy(run)}")
    write_config(run, f'SweepSchedule="{SCHEDULE}"')
    first = deploy(run)
    write_config(run)
    second = deploy(run)
    parameters = {
        one["ParameterKey"]: one["ParameterValue"] for one in (stack_of(run, name) or {}).get("Parameters", [])
    }
    yield Observation(KEPT, parameters.get("SweepSchedule", ""), f"exit codes {first} and {second}")


STEP: Final = Step(
    name="01-deploy",
    title="Deploy as a newcomer, again, and with parameters",
    how="runs tools/setup/deploy.py with a samconfig.toml of its own and Enter for each question",
    makes="a stack of the template (its rulebook observes), the layers and log groups with it; SAM's own bucket stays",
    dollars=0.5,
    budget=timedelta(minutes=25),
    beliefs=(FIRST, AGAIN, KEPT),
    do=_do,
    only_on_aws=NO_STACK,
)
