"""The command, run as people run it."""

import gc
import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from steward_cli.main import main

type Run = Callable[..., subprocess.CompletedProcess[str]]

RULE = "rules: [{name: a, match: {repositories: ['**']}, final: true}]\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``ecr-steward`` in an empty folder. A text instead of files is written to ``ecr-steward.yaml`` first.

    All of it but the process, whose start costs more than most commands: see ``run_program``.
    """

    def run_command(*arguments: str, rulebook: str | bytes | None = None) -> subprocess.CompletedProcess[str]:
        _write(tmp_path, rulebook)
        said, told = _Captured(), _Captured()
        with monkeypatch.context() as patch, redirect_stdout(said), redirect_stderr(told):
            patch.chdir(tmp_path)
            patch.setattr(sys, "argv", ["ecr-steward", *arguments])
            for name in set(os.environ) - {"PATH"}:
                patch.delenv(name)
            patch.setenv("COLUMNS", "40")
            code = _exit_code(main)
        return subprocess.CompletedProcess(arguments, code, said.text, told.text)

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
            env={"PATH": os.environ["PATH"], "COLUMNS": "40"},
            check=False,
        )

    return run_command


class _Captured(io.TextIOWrapper):
    """What is written, as text or as bytes."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    @property
    def text(self) -> str:
        self.seek(0)
        return self.read()


def _write(folder: Path, rulebook: str | bytes | None) -> None:
    if rulebook is not None:
        source = rulebook if isinstance(rulebook, bytes) else rulebook.encode()
        (folder / "ecr-steward.yaml").write_bytes(source)


def _exit_code(program: Callable[[], None]) -> int:
    """As a shell sees it. What a program sets for the rest of its process is put back."""
    thresholds = gc.get_threshold()
    try:
        program()
    except SystemExit as ended:
        assert ended.code is None or isinstance(ended.code, int)
        return ended.code or 0
    finally:
        gc.set_threshold(*thresholds)
    return 0


@pytest.fixture
def valid_rulebook() -> str:
    """The shortest rulebook there is."""
    return f"version: 1\n{RULE}"
