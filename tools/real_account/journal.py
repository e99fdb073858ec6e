"""The journal of a run: each thing is recorded before it is made, and struck off when it is deleted."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FILE: Final = "journal.jsonl"


@dataclass(frozen=True)
class Made:
    """A thing that a run makes: enough to delete it by."""

    kind: str
    name: str
    region: str
    facts: Mapping[str, Any]


class Journal:
    """A file of JSON lines, written through to the disk line by line."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE

    def begin(self, **facts: Any) -> None:
        """Start the file. Raises FileExistsError."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("x", encoding="utf-8"):
            self._write({"run": facts})

    def making(self, made: Made) -> None:
        """Record what is about to be made."""
        self._write({"making": {"kind": made.kind, "name": made.name, "region": made.region, "facts": made.facts}})

    def gone(self, made: Made) -> None:
        """Record what does not exist any more."""
        self._write({"gone": [made.kind, made.name, made.region]})

    def note(self, name: str, value: Any) -> None:
        """Keep a fact for the later commands."""
        self._write({"note": {name: value}})

    @property
    def run(self) -> Mapping[str, Any]:
        """What the run began with."""
        return next(dict(line["run"]) for line in self._lines() if "run" in line)

    @property
    def notes(self) -> Mapping[str, Any]:
        """The facts for the later commands."""
        return {name: value for line in self._lines() for name, value in line.get("note", {}).items()}

    def left(self) -> tuple[Made, ...]:
        """What was made and is not gone, the latest first."""
        found: dict[tuple[str, str, str], Made] = {}
        for line in self._lines():
            if "making" in line:
                made = Made(**line["making"])
                found.setdefault((made.kind, made.name, made.region), made)
            elif "gone" in line:
                found.pop(tuple(line["gone"]), None)
        return tuple(reversed(found.values()))

    def _lines(self) -> list[dict[str, Any]]:
        lines = self.file.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1]]  # a last line without its end was never acted upon

    def _write(self, line: Mapping[str, Any]) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
