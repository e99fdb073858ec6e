"""What a sweep costs that finds nothing to do, in a repository as they are: some of its images stay at home.

Images of two platforms are put into one repository and copied to another region by the deployed functions. Then come an
untagged leftover of a tag that was moved, an image in quarantine, and one whose scan has not ended: none of them may
make the next sweeps read the others again.

Then a repository whose rule asks for labels, an SBOM and a scan of each image, which the second sweep does not read.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from lab.peers import ACCOUNT, REGION
from lab.verdicts import Verdict, tell
from local_ecr import Registry, SeededImages
from measuring.houses import BUILD, Calls, House, house
from measuring.pushing import Pusher
from measuring.rulebooks import DESCRIBED, RELEASES, compiled

AWAY = "eu-west-1"
REPOSITORY = "team-1/service"
CALLS = 8
"""Calls to ECR of a whole quiet sweep."""
DESCRIBED_CALLS = 15
"""The same, where labels, companions and scans are asked of a thousand images."""
OF_TABLE = ("Query", "GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")


def main() -> None:
    """Measure, print, and end with 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--described", type=int, default=1_000, help="images whose labels and companions are asked for")
    options = parser.parse_args()
    tell("Quiet sweeps", [*quiet(options.images), *described(options.described)])


def quiet(images: int) -> list[Verdict]:
    """The calls of a sweep before and after something stays at home for good. Raises RuntimeError."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-quiet-") as folder,
        house(Path(folder), {}, (REGION, AWAY), BUILD) as stage,
    ):
        stage.use_rulebook(compiled(RELEASES))
        filled = Pusher(stage, REPOSITORY)
        with _unheard(stage):
            for number in range(images):
                filled.push(f"v{number}")
        stage.sweep()
        stage.sandbox.move_clock(timedelta(minutes=5))  # jobs that met another at work come again after a minute
        stage.sandbox.wait_until_idle(60)
        _require_copies(stage, images)
        clean = _sweep_counted(stage)
        with _unheard(stage):
            filled.leave_behind("v0")
            filled.push("latest")  # which no rule allows
            filled.push("waiting", is_scanned=False)
        stage.sweep()  # quarantines, and asks for the copy of the new v0
        _require_copies(stage, images)
        return [_few(f"{images} images", clean), _few("the same, and three that stay at home", _sweep_counted(stage))]


def described(images: int) -> list[Verdict]:
    """The calls of a second sweep where each image is asked for more than its tags. Raises RuntimeError."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-described-") as folder,
        house(Path(folder), {}, (REGION, AWAY), BUILD) as stage,
    ):
        stage.use_rulebook(compiled(DESCRIBED))
        with _unheard(stage):
            for region in (REGION, AWAY):
                _seed_described(stage, region, images)
        first = _sweep_counted(stage)
        second = _sweep_counted(stage)
        of_table = sum(second.of_others[name] for name in OF_TABLE)
        print(f"{first.of_ecr.total():,} calls to ECR of the first sweep; {of_table} to the state table of the second")
        calls = second.of_ecr.total()
        measured = f"calls to ECR of a second sweep, {images:,} images, labels, companions and scans"
        return [Verdict(measured, str(calls), "", f"at most {DESCRIBED_CALLS}", calls <= DESCRIBED_CALLS)]


def _seed_described(stage: House, region: str, images: int) -> None:
    """Images of two platforms with labels, clean scans, and an SBOM each."""
    ecr = stage.sandbox.local_ecr
    seeded = SeededImages(count=images, platforms=2, labels={"team": "1"})
    ecr.seed(Registry(ACCOUNT, region), [REPOSITORY], seeded)
    filled = Pusher(stage, REPOSITORY, region)
    pages = filled.client.get_paginator("describe_images").paginate(repositoryName=REPOSITORY)
    details = [detail for page in pages for detail in page["imageDetails"]]
    filled.scan([each["imageDigest"] for each in details if "imageTags" not in each])
    for each in details:
        if "imageTags" in each:
            filled.attach(each["imageDigest"], each["imageManifestMediaType"])


def _sweep_counted(stage: House) -> Calls:
    """The calls of a sweep; raises RuntimeError where it changed something."""
    with stage.counted() as made:
        seconds = stage.sweep()
    print(f"quiet sweep: {seconds:.2f} s; {made}")
    if made.mutating.total():
        raise RuntimeError(f"the sweep had something to do: {made}")
    return made


def _few(measured: str, made: Calls) -> Verdict:
    calls = made.of_ecr.total()
    return Verdict(f"calls to ECR of a quiet sweep, {measured}", str(calls), "", f"at most {CALLS}", calls <= CALLS)


def _require_copies(stage: House, images: int) -> None:
    """A sweep that copies less than it is asked for would be cheaper. Raises RuntimeError where one did."""
    pages = (
        stage.sandbox.client("ecr", region=AWAY).get_paginator("describe_images").paginate(repositoryName=REPOSITORY)
    )
    tags = {tag for page in pages for each in page["imageDetails"] for tag in each.get("imageTags", ())}
    if len(tags) != images:
        raise RuntimeError(f"{AWAY} has {len(tags)} image tags of {images}")


@contextmanager
def _unheard(stage: House) -> Iterator[None]:
    """Let no event of ECR reach a function meanwhile: what is measured is the sweep alone."""
    events = stage.sandbox.client("events")
    name = stage.sandbox.deployment.resources["ForwardToStewardRule"].physical_id
    events.disable_rule(Name=name)
    yield
    stage.sandbox.wait_until_idle(60)
    events.enable_rule(Name=name)


if __name__ == "__main__":
    main()
