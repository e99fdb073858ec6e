"""What one push costs: invocations of functions and requests to ECR, from the push until all is quiet.

Versions of two platforms are pushed into a repository whose rule moves two aliases, keeps settings in order and copies
to another region: as the example rulebook has it, and so that a copy waits for the verdict on its scans. The first
version makes the repository what the rule says. The next one finds its settings in order, and the one after it within
an hour: the last is measured, and it moves the aliases. What the pusher asks for is not counted. Beside each figure is
what the same push cost before a push was made cheaper.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from lab.peers import REGION
from lab.verdicts import Verdict, tell
from measuring.houses import BUILD, House, house
from measuring.pushing import Pusher
from measuring.rulebooks import VERSIONS, VERSIONS_AFTER_SCANS, compiled

AWAY = "eu-west-1"
REPOSITORY = "team-1/service"
TARGETS = (6, 30)
BEFORE, BEFORE_AFTER_SCANS = (17, 99), (18, 136)
"""Invocations and requests to ECR by this benchmark, at a time when each push started every function."""
AFTER_SCANS = (8, 60)
"""Targets where a verdict is derived for the event, for the push and, again, for the copy."""
FIRST, NEXT, LAST = "1.4.1", "1.4.2", "1.4.3"
ALIASES = ("1.4-latest", "1-latest")
TIMEOUT = 120.0
SELF_CHECK = "ecr.steward.check"
"""The source of events that come every three minutes, whether there is a push or not."""


@dataclass
class Cost:
    """What came of one push."""

    invocations: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    """To ECR, on both its faces, of the functions."""
    others: Counter[str] = field(default_factory=Counter)
    """To other services."""

    def __str__(self) -> str:
        rows = (("invocations", self.invocations), ("to ECR", self.requests), ("to others", self.others))
        return "".join(
            f"\n  {count.total():>3} {name}: {', '.join(f'{n} {what}' for what, n in count.most_common())}"
            for name, count in rows
        )


def main() -> None:
    """Measure, print by operation, and end with 1 when a target is missed."""
    tell("One push of two platforms and two aliases", [*version(), *version_after_scans()])


def version() -> list[Verdict]:
    """Tags, settings and a copy. Raises RuntimeError where a push did not come to what its rule says."""
    with _stage(VERSIONS) as (stage, pusher):
        _counted(stage, lambda: pusher.push(FIRST, is_scanned=False), FIRST)
        _counted(stage, lambda: pusher.push(NEXT, is_scanned=False), NEXT)
        cost = _counted(stage, lambda: pusher.push(LAST, is_scanned=False), LAST)
        return _few("tags and a copy", cost, BEFORE, TARGETS)


def version_after_scans() -> list[Verdict]:
    """The same, where the copy waits for scans. Raises RuntimeError likewise."""
    with _stage(VERSIONS_AFTER_SCANS) as (stage, pusher):
        _counted(stage, lambda: pusher.push(FIRST), FIRST)
        _counted(stage, lambda: pusher.push(NEXT), NEXT)
        cost = _counted(stage, lambda: pusher.push(LAST), LAST)
        return _few("tags, a verdict and a copy", cost, BEFORE_AFTER_SCANS, AFTER_SCANS)


@contextmanager
def _stage(rulebook: str) -> Iterator[tuple[House, Pusher]]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-push-") as folder,
        house(Path(folder), {}, (REGION, AWAY), BUILD) as stage,
    ):
        stage.use_rulebook(compiled(rulebook))
        yield stage, Pusher(stage, REPOSITORY)


def _counted(stage: House, push: Callable[[], object], image_tag: str) -> Cost:
    """Push, and count until all is quiet. Raises RuntimeError."""
    sandbox, cost = stage.sandbox, Cost()
    before = len(sandbox.invocations)
    of_ecr, of_others = sandbox.local_ecr.requests.mark(), sandbox.requests.mark()
    push()
    sandbox.wait_until_idle(TIMEOUT)
    sandbox.move_clock(timedelta(minutes=2))  # jobs that met another at work come again after a minute
    sandbox.wait_until_idle(TIMEOUT)
    ran = sandbox.invocations[before:]
    if failed := [one for one in ran if one.outcome != "ok"]:
        raise RuntimeError(f"{len(failed)} invocations failed, the first: {failed[0].payload}")
    cost.invocations.update(one.function for one in ran if SELF_CHECK not in json.dumps(one.event))
    asked = sandbox.local_ecr.requests.since(of_ecr)
    cost.requests.update(each.operation for each in asked if ":assumed-role/" in each.principal)
    cost.others.update(each.operation for each in sandbox.requests.since(of_others))
    print(f"push of {image_tag}:{cost}")
    _require_copy(stage, image_tag)
    return cost


def _require_copy(stage: House, image_tag: str) -> None:
    """A push that is answered less than its rule asks for would be cheaper. Raises RuntimeError where one was."""
    for region in (REGION, AWAY):
        pages = stage.sandbox.client("ecr", region=region).get_paginator("describe_images")
        holders: Mapping[str, str] = {
            tag: image["imageDigest"]
            for page in pages.paginate(repositoryName=REPOSITORY)
            for image in page["imageDetails"]
            for tag in image.get("imageTags", ())
        }
        if {holders.get(tag) for tag in ALIASES} != {holders.get(image_tag, "none")}:
            raise RuntimeError(f"{region} has {sorted(holders)}, and the aliases are not of {image_tag}")


def _few(measured: str, cost: Cost, before: tuple[int, int], most: tuple[int, int]) -> list[Verdict]:
    counts = (("invocations", cost.invocations.total()), ("requests to ECR", cost.requests.total()))
    return [
        Verdict(f"{what}, {measured}", str(ours), f"{was} before", f"at most {limit}", ours <= limit)
        for (what, ours), was, limit in zip(counts, before, most, strict=True)
    ]


if __name__ == "__main__":
    main()
