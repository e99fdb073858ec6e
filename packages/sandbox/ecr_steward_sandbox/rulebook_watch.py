"""The rulebook file that a person edits while the sandbox runs: each time it is saved, it is put in force."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

type Version = tuple[int, int, int]

LOOK_EVERY: Final = 0.2
"""Seconds between two looks at the file."""


class InvalidRulebookError(Exception):
    """The file cannot be compiled. ``str(error)`` says what is wrong with it, for people."""


@dataclass(frozen=True)
class RulebookSource:
    """A rulebook file, and how it is compiled for the functions.

    `compile` raises InvalidRulebookError, or OSError where the file cannot be read.
    """

    path: Path
    compile: Callable[[], str]

    def version(self) -> Version | None:
        """What tells one version of the file from another; None where there is no file."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


class RulebookWatch:
    """Looks at a rulebook file until `end` is set, and hands each version that is not `in_force` to `use`.

    A file that is gone for a moment, as while an editor saves it, is looked at again. One that does not compile is
    reported once, and what was in force stays so.
    """

    def __init__(
        self,
        source: RulebookSource,
        in_force: Version | None,
        use: Callable[[str], object],
        report: Callable[[str], None],
        end: threading.Event,
    ) -> None:
        self._source = source
        self._use = use
        self._report = report
        self._end = end
        self._seen = in_force

    def run(self) -> None:
        """Look until the end."""
        while not self._end.wait(LOOK_EVERY):
            self.look()

    def look(self) -> None:
        """Put the file in force if it has changed since the last look."""
        version = self._source.version()
        if version is None or version == self._seen:
            return
        try:
            compiled = self._source.compile()
        except OSError:
            return  # the next look finds it again
        except InvalidRulebookError as error:
            self._seen = version
            self._report(f"{error}\nrulebook  {self._source.path} is not in force: the one before stays")
            return
        self._seen = version
        self._use(compiled)
        self._report(f"rulebook  {self._source.path} is in force")
