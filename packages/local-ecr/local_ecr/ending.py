"""The end of a process in the foreground: Ctrl-C or SIGTERM, on whatever thread it arrives."""

from __future__ import annotations

import os
import select
import signal
from typing import Self


class Ending:
    """Ctrl-C and SIGTERM, noted for whoever waits. Enter it on the main thread.

    The interpreter writes to a pipe the moment a signal arrives, on whatever thread. A handler in Python would run on
    the main thread only, which may sleep on while another thread is interrupted; and one that sets a threading.Event
    could wait for a lock that the code it interrupts holds.
    """

    def __enter__(self) -> Self:
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)
        self._fd_before = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._handlers_before = {number: signal.signal(number, lambda *_: None) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._fd_before)
        os.close(self._read_end)
        os.close(self._write_end)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for a signal, at most so long; whether one came. What came once stays."""
        return bool(select.select([self._read_end], [], [], seconds)[0])
