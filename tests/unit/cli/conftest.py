"""The command, run as people run it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import run_here

type Run = Callable[..., subprocess.CompletedProcess[str]]

RULE = "rules: [{name: a, match: {repositories: ['**']}, final: true}]\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``ecr-steward`` in an empty folder. A text instead of files is written to ``ecr-steward.yaml`` first."""

    def run_command(*arguments: str, rulebook: str | bytes | None = None) -> subprocess.CompletedProcess[str]:
        _write(tmp_path, rulebook)
        return run_here(*arguments, folder=tmp_path, environment=_environment())

    return run_command


@pytest.fixture
def run_program(tmp_path: Path) -> Run:
    """The same as a process of its own, as a shell starts it."""

    def run_command(*arguments: str, rulebook: str | bytes | None = None) -> subprocess.CompletedProcess[str]:
        _write(tmp_path, rulebook)
        return subprocess.run(
            [Path(sys.executable).with_name("ecr-steward"), *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            cwd=tmp_path,
            env=_environment(),
            check=False,
        )

    return run_command


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "COLUMNS": "40"}


def _write(folder: Path, rulebook: str | bytes | None) -> None:
    if rulebook is not None:
        source = rulebook if isinstance(rulebook, bytes) else rulebook.encode()
        (folder / "ecr-steward.yaml").write_bytes(source)


@pytest.fixture
def valid_rulebook() -> str:
    """The shortest rulebook there is."""
    return f"version: 1\n{RULE}"
