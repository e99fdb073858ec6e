"""Whole commands, from the start of their process to its end."""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

TIMEOUT = 1800.0  # seconds
NAP = 0.1  # seconds between two looks at a process's memory


@dataclass(frozen=True)
class Ran:
    """One process that has ended."""

    seconds: float
    peak_bytes: int
    """The most memory that it had, but for what it took in its last moments."""
    output: str


def run(command: Sequence[str | Path], environment: Mapping[str, str], statuses: Collection[int] = (0,)) -> Ran:
    """Run a command to its end. Raises RuntimeError, with the end of what it said, for any other status."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=complained)
        # With a timeout Popen.wait looks only every 50 ms whether a process has ended: as long as some commands take.
        late = threading.Timer(TIMEOUT, process.kill)
        late.daemon = True
        with process:
            watcher = _Watcher(process.pid)
            watcher.start()
            late.start()
            try:
                process.wait()
                seconds = time.perf_counter() - started
            finally:
                late.cancel()
                process.kill()
                watcher.end()
        output, errors = (_read(file) for file in (said, complained))
    if process.returncode not in statuses:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {(errors or output)[-2000:]}")
    return Ran(seconds, watcher.peak_bytes, output)


def resident_bytes(process: int) -> int:
    """The memory that a process has now (VmRSS), 0 when it has ended."""
    return _told_of(process, "VmRSS")


def peak_bytes(process: int) -> int:
    """The most memory that a process has had so far (VmHWM of /proc), 0 when it has ended.

    What the system says at its end (ru_maxrss) is no less than what the process that started it had.
    """
    return _told_of(process, "VmHWM")


def _told_of(process: int, name: str) -> int:
    try:
        found = re.search(rf"{name}:\s+([0-9]+) kB", Path(f"/proc/{process}/status").read_text(encoding="utf-8"))
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) * 1024 if found else 0


class _Watcher(threading.Thread):
    def __init__(self, process: int) -> None:
        super().__init__(name=f"memory-of-{process}", daemon=True)
        self._process = process
        self._ended = threading.Event()
        self.peak_bytes = 0

    def run(self) -> None:
        while not self._ended.wait(NAP):
            self.peak_bytes = max(self.peak_bytes, peak_bytes(self._process))

    def end(self) -> None:
        self._ended.set()
        self.join()


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
