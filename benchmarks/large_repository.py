"""The first sweep of one large repository among small ones: labels, scans and copies of each image, by quotas of ECR.

The repository is too large for one invocation, whose timeout is shortened here. It has to go on over several, while
every small repository has its turn in the first pass, and none may be ended by Lambda or grow without bound.
"""

import argparse
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from ecr_steward_sandbox.delivery.ledger import Invocation
from lab.peers import ACCOUNT, REGION
from lab.verdicts import Verdict, tell
from local_ecr import Quotas, Registry, SeededImages
from measuring.houses import BUILD, SCHEDULE, Calls, House, house
from measuring.reports import report_scans
from measuring.rulebooks import LARGE, compiled

AWAY = "eu-west-1"
LARGEST, SMALL = "team-1/largest", 60
MIB = 1 << 20
MEMORY = 300 * MIB
SHARE = 0.8
"""Of its timeout that no invocation may exceed."""
TIMEOUT = 3_600.0


def main() -> None:
    """Measure, print, and end with 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=4_000, help="of two platforms")
    parser.add_argument("--timeout", type=int, default=110, help="seconds of an invocation")
    options = parser.parse_args()
    tell("A large repository", first_sweep(options.images, options.timeout))


def first_sweep(images: int, timeout: int) -> list[Verdict]:
    """Sweep until nothing is left."""
    with tempfile.TemporaryDirectory(prefix="bench-large-") as folder:
        build = _shortened(Path(folder, "build"), timeout)
        with house(Path(folder, "data"), {}, (REGION, AWAY), build, Quotas()) as stage:
            stage.use_rulebook(compiled(LARGE))
            _fill(stage, images)
            with stage.counted() as calls:
                stage.sandbox.tick(SCHEDULE)
                stage.sandbox.wait_until_idle(TIMEOUT)
            swept = [one for one in stage.sandbox.invocations if one.function == "ReconcileRegistryFunction"]
            print(f"{images:,} images of two platforms: {calls}")
            for one in swept:
                print(f"  {one.started:%H:%M:%S} {one.seconds:6.1f} s {one.outcome} {_told(one)}")
            with stage.counted() as again:
                stage.sweep()
            print(f"the next sweep: {again}")
            return _verdicts(stage, swept, calls, images, timeout)


def _verdicts(stage: House, swept: Sequence[Invocation], calls: Calls, images: int, timeout: int) -> list[Verdict]:
    going_on = [one for one in swept if "cursor" in _told(one)]
    small = [one for one in swept if "cursor" not in _told(one) and "part" in _told(one)]
    longest = max(one.seconds for one in swept)
    scans = calls.of_ecr["DescribeImageScanFindings"]
    peak = stage.peak_bytes()
    first_again = min((one.started for one in going_on), default=None)
    in_time = first_again is not None and max(one.started for one in small) <= first_again + timedelta(seconds=1)
    most = SHARE * timeout
    failed = [one for one in swept if one.outcome != "ok"]
    return [
        Verdict("invocations of the sweep", str(len(swept)), "", "some go on", len(going_on) > 0),
        Verdict("that failed", str(len(failed)), "", "none", not failed),
        Verdict("scans read", f"{scans:,}", "", f"all {2 * images:,}", scans >= 2 * images),
        Verdict("small repositories in the first pass", f"{len(small)} parts", "", "all", in_time),
        Verdict("longest invocation", f"{longest:.0f} s", "", f"at most {most:.0f} s", longest <= most),
        Verdict("memory of a function", f"{peak / MIB:.0f} MiB", "", f"at most {MEMORY / MIB:.0f} MiB", peak <= MEMORY),
    ]


def _told(one: Invocation) -> str:
    """What an invocation was about."""
    records: list[dict[str, Any]] = one.event.get("Records", []) if isinstance(one.event, dict) else []
    if not records:
        return "cut"
    detail = json.loads(records[0]["body"])["detail"]
    where = f"cursor {detail['job']} {str(detail.get('after'))[:20]}" if detail.get("job") else "from the beginning"
    return f"part {detail['number']} of {len(detail['repository-names'])}, {where}, hops {detail['hops']}"


def _shortened(build: Path, timeout: int) -> Path:
    """The functions as they were built, with another timeout of those that have 15 minutes."""
    shutil.copytree(BUILD, build)
    template = build / "template.yaml"
    text, count = re.subn(r"Timeout: 900\b", f"Timeout: {timeout}", template.read_text(encoding="utf-8"))
    if not count:
        raise RuntimeError(f"{template} has no timeout of 900")
    template.write_text(text, encoding="utf-8")
    return build


def _fill(stage: House, images: int) -> None:
    registry = Registry(ACCOUNT, REGION)
    small = [f"team-2/service-{number}" for number in range(SMALL)]
    stage.sandbox.local_ecr.seed(registry, small, SeededImages(count=2))
    for region in (REGION, AWAY):  # what was copied is not copied again
        seeded = SeededImages(count=images, platforms=2, labels={"team": "1"})
        stage.sandbox.local_ecr.seed(Registry(ACCOUNT, region), [LARGEST], seeded)
    pages = stage.sandbox.client("ecr").get_paginator("describe_images").paginate(repositoryName=LARGEST)
    details = [detail for page in pages for detail in page["imageDetails"]]
    platforms = [each["imageDigest"] for each in details if "imageTags" not in each]
    report_scans(stage, ((LARGEST, digest) for digest in platforms))


if __name__ == "__main__":
    main()
