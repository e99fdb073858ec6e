"""Step 4: the contract suites that can run against a real account."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from real_account.beliefs import Belief, Observation
from real_account.run import Run
from real_account.step import Step

ROOT: Final = Path(__file__).parents[3]
PREFIX: Final = "ecr-steward-test-"
_DOCS: Final = "packages/local-ecr/docs/real-account.md"
CONTRACT: Final = Belief("suite-contract", "tests/contract passes on AWS as on local_ecr", _DOCS, "no failures")
OPERATIONS: Final = Belief(
    "suite-operations", "packages/local-ecr/tests/operations passes on AWS as on local_ecr", _DOCS, "no failures"
)
_SUITES: Final = (
    (OPERATIONS, ROOT / "packages" / "local-ecr", "tests/operations"),
    (CONTRACT, ROOT, "tests/contract"),
)


def _do(run: Run) -> Iterator[Observation]:
    run.making("suites", PREFIX, regions=[run.region, run.second_region])
    for belief, folder, tests in _SUITES:
        code, said = _pytest(run, folder, tests)
        value, detail = outcome(code, said)
        yield Observation(belief, value, detail)


def outcome(code: int, said: str) -> tuple[str, str]:
    """What a run of pytest comes to, by its exit code and its words: a value, and the tests that failed."""
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    summary = (said.strip().splitlines() or ["no output"])[-1]
    if code == 0 and re.search(r"\d+ passed", summary):
        return "no failures", summary
    if code == 1:
        return f"{len(failed)} failed", f"{summary}: {', '.join(failed)}"
    return f"pytest ended with {code}", summary


def _pytest(run: Run, folder: Path, tests: str) -> tuple[int, str]:
    """Run one suite; what is over its time is interrupted, so that its tests clean up."""
    named = {"STEWARD_TEST_AWS_REGION": run.region, "STEWARD_TEST_AWS_SECOND_REGION": run.second_region}
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rfE", tests, "-k", run.sizes.contract],
        cwd=folder,
        env={**os.environ, **named, "STEWARD_TEST_AWS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said, _ = process.communicate(timeout=run.pace.seconds_left())
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=120)
    except KeyboardInterrupt:  # a terminal sends it to pytest, too
        process.send_signal(signal.SIGINT)
        process.wait(timeout=120)
        raise
    return process.returncode, said


STEP: Final = Step(
    name="04-suites",
    title="The contract suites",
    how="runs pytest with STEWARD_TEST_AWS=1",
    makes="repositories, templates, roles and an exclusion named ecr-steward-test-..., and settings that it puts back",
    dollars=0.01,
    budget=timedelta(minutes=40),
    beliefs=(OPERATIONS, CONTRACT),
    do=_do,
)
