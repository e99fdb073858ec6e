"""`local-ecr seed`: fill a folder that no server uses."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from local_ecr.ecr import LocalEcr
from local_ecr.images.push import MAX_IMAGES
from local_ecr.names import DEFAULT_REGISTRY, Registry
from local_ecr.options import StartError, starting
from local_ecr.quotas.rates import MAX_REPOSITORIES
from local_ecr.ready import named
from local_ecr.seeding.content import ARCHITECTURES
from local_ecr.written import read_registry, whole_number


def main(arguments: Sequence[str]) -> int:
    given = command_line().parse_args(arguments)
    registry: Registry = given.registry
    counts = dict.fromkeys(names(given.prefix, given.repositories), given.images)
    started = time.perf_counter()
    try:
        with starting(), contextlib.closing(LocalEcr(given.data)) as ecr:
            ecr.seed(registry, counts, platforms=given.platforms)
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return error.status
    sys.stdout.write(
        f"{given.data}: {named(registry)} has {given.repositories:,} repositories {given.prefix}/... with "
        f"{given.images:,} images each, after {time.perf_counter() - started:.1f} s\n"
    )
    return 0


def names(prefix: str, count: int) -> list[str]:
    """Names in the order in which listings have them."""
    digits = len(str(count - 1))
    return [f"{prefix}/{number:0{digits}}" for number in range(count)]


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="local-ecr seed",
        description="Fill a folder with repositories and images, as pushes would have left them, in seconds. What is "
        "there stays, and nothing is told. No server may use the folder meanwhile.",
        epilog="then: local-ecr --data DIR",
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="the folder, made where it is not there")
    add(
        "--registry",
        type=read_registry,
        default=DEFAULT_REGISTRY,
        metavar="ACCOUNT/REGION",
        help=f"default: {named(DEFAULT_REGISTRY)}",
    )
    add("--prefix", default="seeded", help="what the names of repositories begin with (default: seeded, for seeded/0)")
    add("--repositories", type=whole_number(1, MAX_REPOSITORIES), default=1, help="how many (default: 1)")
    add(
        "--images",
        type=whole_number(0, MAX_IMAGES),
        default=0,
        help="in each repository, with those that an index lists (default: 0)",
    )
    add(
        "--platforms",
        type=whole_number(0, len(ARCHITECTURES)),
        default=0,
        help="of each index; the images are then indexes and what they list (default: 0, no index)",
    )
    return parser
