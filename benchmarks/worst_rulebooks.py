"""How long the worst patterns, globs and rulebooks take: no rulebook may stop the steward.

A backtracking matcher would take years for the first two, and a check that compares every rule with every other hours
for the last. Figures are processor time, the better of two, so that a busy machine changes nothing.
"""

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ecr_steward.errors import InvalidRulebookError
from ecr_steward.rulebook.image_tags import RegexPattern
from ecr_steward.rulebook.limits import MOST_ENTRIES, MOST_RULES
from ecr_steward.rulebook.load import parse_compiled
from ecr_steward.rulebook.patterns import (
    any_repository_matcher,
    regex_matcher,
    repository_matcher,
    star_matcher,
    tag_matcher,
)
from ecr_steward_cli.rulebook_commands import validate_files

RULES = MOST_RULES
TIMES = 2
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
    glob = "/".join(["**", "a*a*a*"] * 12)
    others = [f"- {{name: b{n}, match: {{repositories: ['{'a' * 20}/{n}/**']}}, final: true}}" for n in range(20)]
    validate(f"- {{name: a, match: {{repositories: ['{glob}']}}, final: true}}", *others)


def many_rules() -> None:
    """As many rules as no registry needs."""
    rule = "- {{name: r{0}, match: {{repositories: [team-{0}/**]}}, image_tags: {{deny: [latest]}}}}"
    validate(*map(rule.format, range(RULES)))


def many_globs() -> None:
    """Rules that begin alike, so that each is compared with all above it."""
    parse(
        {"name": f"r{n}", "match": {"repositories": [f"team-*/{n}/{each}/**" for each in range(10)]}, "final": True}
        for n in range(600)
    )


def many_copies(glob: str) -> None:
    """Rules that copy, of globs that begin with a wildcard: each may be about what any other one is about."""
    parse(
        {
            "name": f"r{n}",
            "match": {"repositories": [glob.format(n, each) for each in range(10)], "regions": ["us-east-1"]},
            "replicate": [{"to": [{"region": "eu-west-1"}]}],
        }
        for n in range(600)
    )


def many_accounts(glob: str, **to: str) -> None:
    """Rules that each copy from an account of their own."""
    parse(
        {
            "name": f"r{n}",
            "match": {"repositories": [glob.format(n)], "accounts": [f"{n:012}"]},
            "replicate": [{"to": [{key: text.format(n) for key, text in to.items()}]}],
        }
        for n in range(1, MOST_RULES + 1)
    )


def many_entries() -> None:
    """Entries by which ECR replicates within an account each, beside rules that copy within it."""
    accounts = [f"{n:012}" for n in range(1, MOST_ENTRIES + 1)]
    rules = [
        {
            "name": f"r{n}",
            "match": {"repositories": [f"team-{n}/**"], "accounts": [account], "regions": ["us-east-1"]},
            "replicate": [{"to": [{"repository": "release/{name}"}]}],
        }
        for n, account in enumerate(accounts * (MOST_RULES // MOST_ENTRIES))
    ]
    to = [{"region": f"eu-west-{number}"} for number in range(1, 6)]
    entries = [
        {
            "name": f"e{account}",
            "match": {"accounts": [account]},
            "replication": {"rules": [{"to": to, "repositories": [f"release/team-{n}{at}"]} for n in range(1, 11)]},
        }
        for at, account in enumerate(accounts)
    ]
    parse(rules, entries)


def many_regexes() -> None:
    """Expressions that take RE2 longest to compile for their length."""
    parse(
        {
            "name": f"r{n}",
            "match": {"repositories": [f"team-{n}/**"]},
            "image_tags": {"allow": [{"regex": f"x{{1,900}}{n}"}]},
        }
        for n in range(MOST_RULES)
    )


def wrong_keys() -> None:
    """A file of something else: for each key the word is looked for that may have been meant."""
    with contextlib.suppress(InvalidRulebookError):
        parse({f"x{key}": 1 for key in range(45)} for _ in range(MOST_RULES))


def parse(rules: Iterable[dict[str, Any]], registries: Iterable[dict[str, Any]] = ()) -> None:
    """A compiled rulebook, as a function reads it when it starts."""
    for matcher in (repository_matcher, any_repository_matcher, regex_matcher):
        matcher.cache_clear()
    rulebook = {"version": 1, "rules": list(rules), "registries": list(registries)}
    parse_compiled(json.dumps({"format": 1, "rulebook": rulebook}).encode(), "benchmark")


def validate(*rules: str) -> None:
    """A file, as `ecr-steward validate` reads and checks it. Exits when anything is wrong with it."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "ecr-steward.yaml")
        path.write_text("\n".join(["version: 1", "rules:", *rules, ""]), encoding="utf-8")
        if findings := validate_files([path], datetime.now(UTC).date()):
            sys.exit(f"the rulebook is not valid: {findings[0]}")


TARGETS: Mapping[str, tuple[Callable[[], None], float]] = {
    f"{len(EXPLODING)} regular expressions, a tag of 100,000 characters": (tags, 1.0),
    "globs of up to 80 wildcards": (globs, 0.5),
    "a glob of 48 wildcards before 20 rules": (wildcards, 5.0),
    f"{RULES:,} rules": (many_rules, 10.0),
    f"{MOST_RULES:,} rules of 45 wrong keys": (wrong_keys, 10.0),
    "600 rules of 10 globs that begin alike": (many_globs, 3.0),
    **{
        f"600 rules of 10 globs `{glob}` that copy": (partial(many_copies, glob), 3.0)
        for glob in ("*-{}-{}", "*-{}/{}/**", "*-{}-{}-*")
    },
    f"{MOST_RULES:,} rules that each copy within an account": (
        partial(many_accounts, "team-{}/**", region="eu-west-1"),
        3.0,
    ),
    f"{MOST_RULES:,} rules that each copy from an account to one": (
        partial(many_accounts, "**", account="999999999999", repository="from-{}/{{name}}"),
        10.0,
    ),
    f"{MOST_ENTRIES} entries by which ECR replicates, beside {MOST_RULES:,} rules": (many_entries, 10.0),
    f"{MOST_RULES:,} regular expressions of 900 repetitions": (many_regexes, 10.0),
}
"""What is measured, and the most seconds that it may take."""


def seconds(measured: Callable[[], None]) -> float:
    """The fastest."""
    found = []
    for _ in range(TIMES):
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
