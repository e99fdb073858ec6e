"""The command, run as people run it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

type Run = Callable[..., subprocess.CompletedProcess[str]]

RULE = "rules: [{name: a, match: {repositories: ['**']}, final: true}]\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``ecr-steward`` in an empty folder. A text instead of files is written to ``ecr-steward.yaml`` first."""

    def run_command(*arguments: str, rulebook: str | bytes | None = None) -> subprocess.CompletedProcess[str]:
        if rulebook is not None:
            source = rulebook if isinstance(rulebook, bytes) else rulebook.encode()
            (tmp_path / "ecr-steward.yaml").write_bytes(source)
        return subprocess.run(
            [Path(sys.executable).with_name("ecr-steward"), *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "COLUMNS": "40"},
            check=False,
        )

    return run_command


@pytest.fixture
def valid_rulebook() -> str:
    """The shortest rulebook there is."""
    return f"version: 1\n{RULE}"
