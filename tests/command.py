"""The command ``ecr-steward`` in this process: all of it but the process, whose start costs more than most commands."""

import gc
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from ecr_steward_cli.main import main


def run_here(*arguments: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it in a folder, and with no more of an environment than this. What it sets for its process is put back."""
    said, told = _Captured(), _Captured()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(told):
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["ecr-steward", *arguments])
        for name in set(os.environ) - environment.keys():
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        code = _exit_code()
    return subprocess.CompletedProcess(arguments, code, said.text, told.text)


class _Captured(io.TextIOWrapper):
    """What is written, as text or as bytes."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    @property
    def text(self) -> str:
        self.seek(0)
        return self.read()


def _exit_code() -> int:
    """As a shell sees it."""
    thresholds, variables = gc.get_threshold(), dict(os.environ)
    try:
        main()
    except SystemExit as ended:
        assert ended.code is None or isinstance(ended.code, int)
        return ended.code or 0
    finally:
        gc.set_threshold(*thresholds)
        for name in os.environ.keys() - variables.keys():
            del os.environ[name]
    return 0
