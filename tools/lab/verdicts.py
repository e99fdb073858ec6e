"""A figure of ours beside a peer's, and whether it is what we promise."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Verdict:
    """One promise: what was measured, ours, what it is compared with, the target in words, and whether it is met."""

    measured: str
    ours: str
    peer: str
    target: str
    is_met: bool


def at_most(measured: str, ours: float, theirs: float, factor: float, unit: str) -> Verdict:
    """Ours may be `factor` times theirs."""
    ratio = ours / theirs
    target = f"{ratio:.2f} of at most {factor:g} times"
    return Verdict(measured, f"{ours:.2f} {unit}", f"{theirs:.2f} {unit}", target, ratio <= factor)


def at_least(measured: str, ours: float, theirs: float, factor: float, unit: str) -> Verdict:
    """Ours must be `factor` times theirs."""
    ratio = ours / theirs
    target = f"{ratio:.2f} of at least {factor:g} times"
    return Verdict(measured, f"{ours:.0f} {unit}", f"{theirs:.0f} {unit}", target, ratio >= factor)


def below(measured: str, ours: float, limit: float, unit: str, theirs: float | None = None) -> Verdict:
    """Ours must be under a limit; a peer's figure is shown for comparison only."""
    peer = "" if theirs is None else f"{theirs:.2f} {unit}"
    return Verdict(measured, f"{ours:.2f} {unit}", peer, f"under {limit:g} {unit}", ours < limit)


def tell(title: str, verdicts: Sequence[Verdict]) -> None:
    """Print all of them; ends the process with 1 when one is not met."""
    table = Table("measured", "ours", "peer", "target", "met", title=title)
    for one in verdicts:
        table.add_row(one.measured, one.ours, one.peer, one.target, "yes" if one.is_met else "NO")
    Console(width=None if sys.stdout.isatty() else 130).print(table)
    if not all(one.is_met for one in verdicts):
        sys.exit(1)
