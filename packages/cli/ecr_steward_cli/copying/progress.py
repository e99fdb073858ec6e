"""How far a copy is: a bar for each blob on a terminal, and without one a line every ten seconds."""

# ruff: noqa: PLC0415 - rich is for terminals alone

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ecr_steward.domain.images import Descriptor
from ecr_steward.domain.names import Digest
from ecr_steward.usecases.moving import Progress

if TYPE_CHECKING:
    from rich.progress import TaskID

EVERY = 10.0
"""Seconds between two lines."""
_MIB = 1 << 20


@contextmanager
def shown(*, quiet: bool) -> Iterator[Progress]:
    """Progress on standard error, for as long as the block runs."""
    if quiet:
        yield _Lines()
    elif sys.stderr.isatty():
        with _bars() as bars:
            yield bars
    else:
        lines = _Lines()
        ended = threading.Event()
        teller = threading.Thread(target=lines.tell_until, args=(ended,), name="progress", daemon=True)
        teller.start()
        try:
            yield lines
        finally:
            ended.set()
            teller.join()


class _Lines:
    def __init__(self) -> None:
        self._under_way: set[Digest] = set()
        self._done = self._bytes = 0
        self._lock = threading.Lock()

    def begun(self, blob: Descriptor) -> None:
        with self._lock:
            self._under_way.add(blob.digest)

    def moved(self, blob: Descriptor, count: int) -> None:
        with self._lock:
            self._bytes += count

    def ended(self, blob: Descriptor) -> None:
        with self._lock:
            self._under_way.discard(blob.digest)
            self._done += 1

    def tell_until(self, ended: threading.Event) -> None:
        while not ended.wait(EVERY):
            with self._lock:
                line = f"{self._done} blobs done, {len(self._under_way)} under way, {self._bytes / _MIB:.0f} MiB so far"
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn()
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bars(bars)


class _Bars:
    def __init__(self, bars: object) -> None:
        from rich.progress import Progress as Bars

        assert isinstance(bars, Bars)  # noqa: S101  so that nothing of rich is imported above
        self._bars = bars
        self._tasks: dict[Digest, TaskID] = {}

    def begun(self, blob: Descriptor) -> None:
        self._tasks[blob.digest] = self._bars.add_task(blob.digest.hex[:12], total=blob.size)

    def moved(self, blob: Descriptor, count: int) -> None:
        self._bars.advance(self._tasks[blob.digest], count)

    def ended(self, blob: Descriptor) -> None:
        self._bars.remove_task(self._tasks.pop(blob.digest))
