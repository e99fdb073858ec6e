"""A client's process: bounded in time, its memory watched."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.commands import peak_bytes

SECONDS = 30.0
"""Then a client is ended."""
_NAP = 0.01


@dataclass(frozen=True)
class Ran:
    """A process that has ended, or was ended."""

    status: int | None
    """``None`` where it had to be ended."""
    seconds: float
    peak_bytes: int
    output: str
    errors: str


def run(command: Sequence[str | Path], environment: Mapping[str, str]) -> Ran:
    """Run a command for at most thirty seconds."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        started, peak = time.monotonic(), 0
        with subprocess.Popen(command, env=environment, stdout=said, stderr=complained) as process:
            while process.poll() is None and time.monotonic() - started < SECONDS:
                peak = max(peak, peak_bytes(process.pid))
                time.sleep(_NAP)
            status = process.poll()
            process.kill()
        seconds = time.monotonic() - started
        texts = []
        for file in (said, complained):
            file.seek(0)
            texts.append(file.read(1 << 20).decode(errors="replace"))
    return Ran(status, seconds, peak, *texts)
