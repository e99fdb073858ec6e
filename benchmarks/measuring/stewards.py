"""Our command, with a rulebook in a folder of its own."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lab.commands import Ran, run

PROGRAM = Path(sys.executable).with_name("ecr-steward")


def apply(rulebook: str, environment: Mapping[str, str], region: str) -> Ran:
    """`ecr-steward apply` over a region."""
    return _ran("apply", rulebook, environment, region, "--yes")


def plan(rulebook: str, environment: Mapping[str, str], region: str) -> Ran:
    """`ecr-steward plan` over a region."""
    return _ran("plan", rulebook, environment, region)


def _ran(command: str, rulebook: str, environment: Mapping[str, str], region: str, *options: str) -> Ran:
    with tempfile.TemporaryDirectory(prefix="bench-steward-") as name:
        file = Path(name) / "ecr-steward.yaml"
        file.write_text(rulebook, encoding="utf-8")
        return run([PROGRAM, command, file, "--region", region, "--no-stack", *options], environment)
