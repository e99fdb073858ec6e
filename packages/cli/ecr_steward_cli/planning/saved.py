"""A saved plan: the document that ``plan --json`` prints, with the rules by which it was made."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.rules import Rules
from ecr_steward.errors import StewardError
from ecr_steward.rulebook.load import compiled_text, parse_compiled
from ecr_steward_cli.planning.document import SCHEMA_VERSION, Fingerprint, saved_fingerprints


class NotAPlanError(Exception):
    """A file that ``plan --out`` has not written, or that another version has. ``str(error)`` says which."""


@dataclass(frozen=True)
class SavedPlan:
    """A plan that was made earlier."""

    rules: Rules
    rulebook: Path
    """The file that the rules were read from, as it was named then."""
    compiled: Mapping[str, Any]
    """What that file compiled to."""
    registries: tuple[RegistryRef, ...]
    only: tuple[str, ...]
    """Globs of the repositories that it was made for; none means all."""
    fingerprints: frozenset[Fingerprint]
    is_deep: bool = False
    """Whether nothing of a copy was taken for granted."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a saved plan. Raises OSError and NotAPlanError."""
        text = path.read_bytes()
        try:
            return cls._of(json.loads(text), path)
        except (ValueError, KeyError, TypeError, AttributeError, StewardError) as error:
            why = f"it has no {error}" if isinstance(error, KeyError) else error
            raise NotAPlanError(f"{path} is no plan that `ecr-steward plan --out` has written: {why}") from error

    def is_of(self, compiled: str) -> bool:
        """Whether a compiled rulebook says the same as the one that the plan was made from, whatever its file is."""
        return bool(json.loads(compiled)["rulebook"] == self.compiled["rulebook"])

    @classmethod
    def _of(cls, document: Mapping[str, Any], path: Path) -> Self:
        if (version := document["schema_version"]) != SCHEMA_VERSION:
            raise NotAPlanError(
                f"{path} has the version {version}, and this ecr-steward reads {SCHEMA_VERSION}; plan again"
            )
        registries = [str(each).split("/") for each in document["registries"]]
        if not registries:
            raise NotAPlanError(f"{path} names no registry; plan again")
        rulebook, text = document["rulebook"], compiled_text(document["compiled"])
        if sha256(text.encode()).hexdigest() != rulebook["sha256"]:
            raise NotAPlanError(f"{path} was changed: the rules in it are not those of its sha256; plan again")
        return cls(
            rules=parse_compiled(text.encode(), str(path)),
            rulebook=Path(rulebook["file"]),
            compiled=document["compiled"],
            registries=tuple(RegistryRef(account, region) for account, region in registries),
            only=tuple(map(str, document["only"])),
            fingerprints=frozenset(saved_fingerprints(document)),
            is_deep=document.get("deep") is True,
        )


def is_saved_plan(path: Path) -> bool:
    """Whether somebody means a saved plan and not a rulebook, by its name."""
    return path.suffix == ".json"


def save(document: Mapping[str, Any], compiled: str, path: Path) -> None:
    """Write a plan with the compiled rulebook by which it was made. Raises OSError."""
    path.write_text(json.dumps({**document, "compiled": json.loads(compiled)}, indent=2) + "\n", encoding="utf-8")
