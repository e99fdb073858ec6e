"""The corpus as tests read it: its files, and what `sources.toml` says of each."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ecr_steward_sandbox.deploy.translate import translate

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


@cache
def patterns_of_aws() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """What our rules want of AWS's own events, by their logical ids: the alternatives of each."""
    resources = translate(HERE.parents[1], region="us-east-1", parameters={}).template["Resources"]
    rules = {
        name: each["Properties"]["EventPattern"]
        for name, each in resources.items()
        if each["Type"] == "AWS::Events::Rule"
    }
    of_aws = {name: [one for one in rule.get("$or", [rule]) if _is_of_aws(one)] for name, rule in rules.items()}
    return {name: alternatives for name, alternatives in of_aws.items() if alternatives}


def _is_of_aws(pattern: Mapping[str, Any]) -> bool:
    """One that a condition of the template decides is of our own self-check."""
    return all(source.startswith("aws.") for source in pattern.get("source", ["own"]))
