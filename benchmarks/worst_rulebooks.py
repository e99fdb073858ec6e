"""How long the worst patterns, globs and rulebooks take: whoever writes a rulebook must not stop the steward with it.

A backtracking matcher would take years for the first two, and a check that compares every rule with every other hours
for the last. Figures are processor time, the best of three, so that a busy machine changes nothing.
"""

import sys
import time
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.table import Table

from ecr_steward.rulebook.image_tags import RegexPattern
from ecr_steward.rulebook.patterns import repository_matcher, star_matcher, tag_matcher
from ecr_steward.rulebook.validate import validate

RULES = 10_000
EXPLODING = ("(a+)+$", "(a|a)*b", "(.*)*x", "(a|aa)*c", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$")


def tags() -> None:
    """Each pattern, and an image tag three hundred times as long as it may be."""
    for pattern in EXPLODING:
        tag_matcher(RegexPattern(regex=pattern)).matches("a" * 100_000 + "!")


def globs() -> None:
    """Wildcards whose every part could end anywhere."""
    star_matcher("*a" * 60 + "b").matches("a" * 300)
    for glob in ("**/a/" * 40 + "b", "/".join(["*a*"] * 60), "**/" * 80 + "b"):
        repository_matcher(glob).matches("a/" * 127 + "c")


def wildcards() -> None:
    """Whether one rule hides another is decided for two globs at a time."""
    first = {"name": "a", "match": {"repositories": ["/".join(["**", "a*a*a*"] * 12)]}, "final": True}
    others = [{"name": f"b{n}", "match": {"repositories": [f"{'a' * 20}/{n}/**"]}, "final": True} for n in range(20)]
    validate({"version": 1, "rules": [first, *others]})


def many_rules() -> None:
    """As many rules as no registry needs."""
    rules = [
        {"name": f"r{n}", "match": {"repositories": [f"team-{n}/**"]}, "image_tags": {"deny": ["latest"]}}
        for n in range(RULES)
    ]
    validate({"version": 1, "rules": rules})


TARGETS: Mapping[str, tuple[Callable[[], None], float]] = {
    f"{len(EXPLODING)} regular expressions, a tag of 100,000 characters": (tags, 1.0),
    "globs of up to 80 wildcards": (globs, 0.5),
    "a glob of 48 wildcards before 20 rules": (wildcards, 5.0),
    f"{RULES:,} rules": (many_rules, 60.0),
}
"""What is measured, and the most seconds that it may take."""


def seconds(measured: Callable[[], None]) -> float:
    """The fastest of three."""
    found = []
    for _ in range(3):
        before = time.process_time()
        measured()
        found.append(time.process_time() - before)
    return min(found)


def main() -> None:
    """Measure all, print the figures, and fail when a target is missed."""
    table = Table("rulebook", "seconds", "target")
    missed = []
    for name, (measured, target) in TARGETS.items():
        took = seconds(measured)
        table.add_row(name, f"{took:.3f}", f"{target:g}")
        if took > target:
            missed.append(name)
    Console().print(table)
    if missed:
        sys.exit(f"targets were missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
