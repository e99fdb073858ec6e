"""`local-ecr seed` for registries as large as ECR's quotas allow, and how long their listings take, page by page.

Each seeding is a new process on a new folder. Listings are read by boto3 from a server process, and their last pages
are compared with their first ones: a page costs what is on it.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.commands import Ran, run
from lab.peers import local_ecr
from lab.verdicts import Verdict, at_most, below, tell

SECONDS = 60.0
MEMORY = 256.0  # MiB, of the command
SERVER = 100.0  # MiB, of the server that lists
LAST = 2.0  # times a page at the beginning; what reads all pages before it would take 100 times as long
MIB = 1 << 20


@dataclass(frozen=True)
class Case:
    """A registry that is seeded, and what is listed of it."""

    name: str
    repository: str
    arguments: Sequence[str]
    listings: Mapping[str, str]
    """Operation by what it is called in Python, and where its answers have the entries."""
    named: Mapping[str, str] = field(default_factory=dict)
    """What the operation is asked for."""


def cases(many: int, indexes: int) -> Sequence[Case]:
    images = {"list_images": "imageIds", "describe_images": "imageDetails"}
    named = {"repositoryName": "team/app"}
    return (
        Case(
            f"{many:,} repositories",
            "team-{}/app",
            ["--repositories", str(many)],
            {"describe_repositories": "repositories"},
        ),
        Case(f"{many:,} images", "team/app", ["--images", str(many), "--days", "365"], images, named),
        Case(
            f"{indexes:,} indexes of two platforms",
            "team/app",
            ["--images", str(indexes), "--platforms", "2", "--days", "365"],
            images,
            named,
        ),
    )


def main() -> None:
    """Measure, and end with 1 when a target is missed."""
    options = _options()
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="bench-seeding-") as name:
        for number, case in enumerate(cases(options.many, options.indexes)):
            folders = [Path(name) / f"{number}-{round_}" for round_ in range(options.rounds)]
            seeded = [_seed(case, folder) for folder in folders]
            stored = sum(file.stat().st_size for file in folders[0].rglob("*") if file.is_file()) / MIB
            verdicts += [
                below(
                    f"{case.name} ({stored:.0f} MiB on disk)", _median([one.seconds for one in seeded]), SECONDS, "s"
                ),
                below("memory of the command", max(one.peak_bytes for one in seeded) / MIB, MEMORY, "MiB"),
                *_listings(case, folders[0], options),
            ]
    tell(f"Seeding, medians of {options.rounds}", verdicts)


def _seed(case: Case, folder: Path) -> Ran:
    command = [sys.executable, "-m", "local_ecr", "seed", case.repository, "--data", str(folder), *case.arguments]
    return run(command, os.environ)


def _listings(case: Case, folder: Path, options: argparse.Namespace) -> Sequence[Verdict]:
    """Every listing from its first page to its last, several times, and the server's memory behind them."""
    verdicts = []
    with local_ecr(folder) as ours:
        client = ours.client()
        for operation, key in case.listings.items():
            for size in options.sizes:
                ask = getattr(client, operation)
                times = [_pages(ask, key, {**case.named, "maxResults": size}) for _ in range(options.rounds)]
                tenth = max(len(times[0]) // 10, 1)
                first, last = (
                    _median([_median(one[part]) for one in times]) for part in (slice(tenth), slice(-tenth, None))
                )
                whole = _median([sum(one) for one in times])
                what = f"{operation} in {len(times[0]):,} pages of {size:,}, {whole:.1f} s: last pages (first)"
                verdicts.append(at_most(what, last * 1000, first * 1000, LAST, "ms"))
        verdicts.append(below("memory of the server behind them", ours.resident_bytes() / MIB, SERVER, "MiB"))
    return verdicts


def _pages(ask: Callable[..., Any], key: str, parameters: Mapping[str, Any]) -> Sequence[float]:
    """Seconds of each page. Raises RuntimeError for a page, but the last, with fewer entries than were asked for."""
    times: list[float] = []
    more: Mapping[str, str] = {}
    while not times or more:
        started = time.perf_counter()
        answer = ask(**parameters, **more)
        times.append(time.perf_counter() - started)
        more = {"nextToken": answer["nextToken"]} if "nextToken" in answer else {}
        if more and len(answer[key]) != parameters["maxResults"]:
            raise RuntimeError(f"a page of {len(answer[key])} entries")
    return times


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--many", type=int, default=100_000, help="repositories, and images of one repository")
    parser.add_argument("--indexes", type=int, default=20_000, help="indexes of two platforms, in one repository")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000], help="entries of a page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
