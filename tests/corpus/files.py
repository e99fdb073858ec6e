"""The corpus as tests read it: its files, and what `sources.toml` says of each."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KINDS = ("events", "answers", "registry", "schemas")


@dataclass(frozen=True)
class Copy:
    """One file, and where it is from."""

    kind: str
    name: str
    about: Mapping[str, Any]

    def __str__(self) -> str:
        return self.name

    def load(self) -> Any:
        """What it holds: a fresh copy every time."""
        return json.loads((HERE / self.kind / f"{self.name}.json").read_text(encoding="utf-8"))


@cache
def index() -> Mapping[str, Any]:
    """`sources.toml`."""
    return tomllib.loads((HERE / "sources.toml").read_text(encoding="utf-8"))


def copies(kind: str) -> list[Copy]:
    """All that the index has of a kind."""
    return [Copy(kind, name, about) for name, about in index()[kind].items()]


def found(kind: str, name: str) -> Copy:
    """One of them."""
    return Copy(kind, name, index()[kind][name])


def kind_of_event(event: Mapping[str, Any]) -> str:
    """The detail-type, with the word of the detail that rules tell such events apart by."""
    detail = event["detail"] if isinstance(event["detail"], Mapping) else {}
    word = detail.get("eventName") or detail.get("action-type")
    return f"{event['detail-type']}: {word}" if word else event["detail-type"]
