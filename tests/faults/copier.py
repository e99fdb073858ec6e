"""A process that copies when it is told, each time in a child of its own, which whoever tells it may kill.

It reads lines from its standard input: two places as JSON. It answers each with the child's number, and again when that
has ended. Forking is what makes a child cheap: it has imported everything already.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ecr_steward.adapters.transport import Transport
from tests.faults.copying import attempt
from tests.faults.places import Repository

ROOT = Path(__file__).parents[2]


class Copier:
    """Tells such a process, and hears from it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._child = 0
        self._begun = threading.Event()

    def begin(self, *ends: Repository, by: Sequence[str]) -> None:
        """Copy from a repository to another, each by an address of its registry."""
        self._begun.clear()
        assert self._process.stdin is not None
        asked = [(url, end.name, end.authorization, end.is_ecr) for end, url in zip(ends, by, strict=True)]
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        self._child = int(self._heard())
        self._begun.set()

    def kill(self) -> None:
        """End the child at once. Called from any thread, as soon as a child has done anything."""
        self._begun.wait(10)
        os.kill(self._child, 9)

    def end(self) -> int:
        """Wait for the child; 0 when it has copied, -9 when it was killed."""
        return os.waitstatus_to_exitcode(int(self._heard()))

    def _heard(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def copier() -> Iterator[Copier]:
    command = [sys.executable, "-m", "tests.faults.copier"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Copier(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def serve(told: IO[str], answers: IO[str]) -> None:
    for line in told:
        child = os.fork()
        if child == 0:
            ends = [Repository(url, name, login, Transport(), is_ecr) for url, name, login, is_ecr in json.loads(line)]
            os._exit(1 if attempt(*(end.store() for end in ends), referrers=True) else 0)
        print(child, file=answers, flush=True)
        print(os.waitpid(child, 0)[1], file=answers, flush=True)


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
