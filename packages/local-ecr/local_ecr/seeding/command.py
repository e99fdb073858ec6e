"""`local-ecr seed`: fill a folder that no server uses."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from local_ecr.ecr import LocalEcr
from local_ecr.errors import EcrError
from local_ecr.images.push import MAX_IMAGES
from local_ecr.names import DEFAULT_REGISTRY, Registry, is_repository_name
from local_ecr.options import WRONG_USE, StartError, starting
from local_ecr.ready import named
from local_ecr.seeding.seeded_images import (
    ARCHITECTURES,
    MAX_AGE,
    MAX_LAYER_BYTES,
    NUMBER,
    SeededImages,
)
from local_ecr.written import read_registry, whole_number

MAX_REPOSITORIES = 1_000_000
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it."""


def main(arguments: Sequence[str]) -> int:
    given = command_line().parse_args(arguments)
    registry: Registry = given.registry
    started = time.perf_counter()
    try:
        names, images = _names(given.repository, given.repositories), _images(given)
        with starting(), contextlib.closing(LocalEcr(given.data)) as ecr:
            ecr.seed(registry, names, images)
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return error.status
    except EcrError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the same command continues\n")
        return INTERRUPTED
    what = names[0] if len(names) == 1 else f"{len(names):,} repositories, {names[0]} to {names[-1]}"
    sys.stdout.write(
        f"{named(registry)}: {what}, {images.digests * len(names):,} images, in {time.perf_counter() - started:.1f} s\n"
        f"next: local-ecr --data {given.data}\n"
    )
    return 0


def _names(pattern: str, count: int) -> Sequence[str]:
    """Repository names with their numbers in place of `{}`, in the order in which listings have them.

    Raises StartError for what is no name, or not a name for each.
    """
    digits = len(str(count - 1))
    names = [pattern.replace(NUMBER, f"{number:0{digits}}") for number in range(count)]
    if not is_repository_name(names[-1]):
        raise StartError(f"{pattern!r} makes no repository name", WRONG_USE)
    if count > 1 and NUMBER not in pattern:
        raise StartError(
            f"{pattern!r} has no {NUMBER}: {count:,} repositories need names of their own, such as {pattern}-{NUMBER}",
            WRONG_USE,
        )
    return names


def _images(given: argparse.Namespace) -> SeededImages:
    """Raises StartError."""
    try:
        return SeededImages(
            count=given.images,
            platforms=given.platforms,
            image_tag=given.image_tag or None,
            age=timedelta(days=given.days),
            layer_bytes=given.layer_bytes or SeededImages.layer_bytes,
            labels=dict(given.label),
        )
    except ValueError as cause:
        raise StartError(str(cause), WRONG_USE) from cause


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="local-ecr seed",
        description="Fill a folder with repositories and images as pushes would have left them, without pushing them: "
        "100,000 of either in seconds. What exists stays as it is. The folder must not be in use by a server.",
    )
    add = parser.add_argument
    add(
        "repository",
        metavar="REPOSITORY",
        help=f"a name, with its number in place of {NUMBER}, as in team-{NUMBER}/app",
    )
    add("--data", type=Path, required=True, help="the folder, created if it does not exist")
    add(
        "--registry",
        type=read_registry,
        default=DEFAULT_REGISTRY,
        metavar="ACCOUNT/REGION",
        help=f"default: {named(DEFAULT_REGISTRY)}",
    )
    add("--repositories", type=whole_number(1, MAX_REPOSITORIES), default=1, help="how many (default: 1)")
    add(
        "--images",
        type=whole_number(0, MAX_IMAGES),
        default=SeededImages.count,
        help=f"in each repository (default: 0); with what indexes list, {MAX_IMAGES:,} fit",
    )
    add(
        "--platforms",
        type=whole_number(0, len(ARCHITECTURES)),
        default=SeededImages.platforms,
        help="make each image an index of so many platforms (default: 0, no index)",
    )
    add(
        "--image-tag",
        default=SeededImages.image_tag,
        help=f"with its number in place of {NUMBER} (default: {SeededImages.image_tag}); '' for untagged images",
    )
    add(
        "--days",
        type=whole_number(0, MAX_AGE.days),
        default=0,
        help="how long ago the first image was pushed; the others were pushed evenly since then (default: 0, all now)",
    )
    add(
        "--layer-bytes",
        type=whole_number(0, MAX_LAYER_BYTES),
        action="append",
        metavar="BYTES",
        help=f"size of an image's layer, about (default: {SeededImages.layer_bytes[0]:,}); given several times, the "
        "images have the sizes in turn",
    )
    add("--label", type=_label, action="append", default=[], metavar="KEY=VALUE", help="of each image; may be repeated")
    return parser


def _label(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise argparse.ArgumentTypeError(f"not KEY=VALUE: {text!r}")
    return key, value
