"""The faults of ``faults.toml`` and the rooms of ``rooms.toml``."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FAULTS, ROOMS = HERE / "faults.toml", HERE / "rooms.toml"


class Gone(Exception):
    """A fault's line is no longer in its file: another one is to be picked in its place."""


@dataclass(frozen=True)
class Fault:
    """One line of a file, found by its text, and what stands there instead."""

    id: str
    room: str
    file: str
    operator: str
    """Of cosmic-ray, or of our own for templates."""
    before: str
    after: str
    """Empty where the line is left out."""
    which: int = 1
    """Of several equal lines, counted from 1."""
    equivalent: str = ""
    """Why no test can fail on it, where that is so."""

    def line_in(self, text: str) -> int:
        """The number of its line, from 1."""
        numbers = [number for number, line in enumerate(text.splitlines(), start=1) if line == self.before]
        if len(numbers) < self.which:
            raise Gone(f"{self.id}: {self.file} has no line {self.before.strip()!r}")
        return numbers[self.which - 1]

    def planted_in(self, text: str) -> str:
        lines = text.splitlines(keepends=True)
        lines[self.line_in(text) - 1] = f"{self.after}\n" if self.after else ""
        return "".join(lines)


@dataclass(frozen=True)
class Room:
    name: str
    sources: Sequence[str]
    faults: int
    """How many are picked."""
    also: Sequence[str] = field(default=())
    """Tests to run one after the other where none of those that reach the line fails."""
    without: Sequence[str] = field(default=())
    """Folders of the sources in which none are picked."""

    def files_in(self, root: Path) -> Iterator[Path]:
        """The files that faults of the room are picked in."""
        for source in self.sources:
            for path in sorted(root.glob(source)):
                files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
                yield from (file for file in files if not set(self.without) & set(file.relative_to(path).parts))


@dataclass(frozen=True)
class Suite:
    """A folder that pytest runs in."""

    folder: str
    tests: Sequence[str]
    """What the map of coverage is made of."""
    without: Sequence[str] = field(default=())

    def inside(self, test: str) -> str:
        """A node id, or path, of the checkout as one of the suite."""
        return test.removeprefix(f"{self.folder}/")

    def outside(self, test: str) -> str:
        """A node id, or path, of the suite as one of the checkout."""
        return test if self.folder == "." else f"{self.folder}/{test}"


def read_rooms(path: Path = ROOMS) -> Mapping[str, Room]:
    return {name: Room(name, **entry) for name, entry in _read(path)["rooms"].items()}


def read_suites(path: Path = ROOMS) -> Sequence[Suite]:
    """The one of the whole checkout comes last: to it belongs what is in no other folder."""
    suites = [Suite(folder, **entry) for folder, entry in _read(path)["suites"].items()]
    return sorted(suites, key=lambda suite: suite.folder == ".")


def suite_of(test: str, suites: Sequence[Suite]) -> Suite:
    return next(suite for suite in suites if suite.folder == "." or test.startswith(f"{suite.folder}/"))


def read_faults(path: Path = FAULTS) -> list[Fault]:
    return [Fault(id_, **entry) for id_, entry in _read(path).items()]


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
