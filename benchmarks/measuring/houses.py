"""The sandbox over repositories that nobody had to push into, and what its own logs say was asked of it."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ecr_steward_sandbox.rulebook_layer import RulebookLayer
from ecr_steward_sandbox.sandbox import Sandbox
from lab.commands import peak_bytes, resident_bytes, run
from lab.peers import ACCOUNT, REGION, caller_at
from lab.seeding import seed
from local_ecr import Quotas

BUILD = Path(__file__).parents[2] / ".aws-sam" / "build"
SCHEDULE = "ReconcileRegistryFunctionSweep"
PROGRAM = Path(sys.executable).with_name("ecr-steward")
TIMEOUT = 1800.0  # seconds that a sweep may take


@dataclass
class Calls:
    """What was asked meanwhile, over HTTP, by the operation's name."""

    of_ecr: Counter[str] = field(default_factory=Counter)
    of_others: Counter[str] = field(default_factory=Counter)
    """Of other services, such as the queue of a sweep's parts."""
    mutating: Counter[str] = field(default_factory=Counter)
    """Those of ECR that change something."""

    def beside_pages(self, repositories: int) -> float:
        """Calls of ECR for each repository, beside the pages of lists.

        A page has 25 repositories or more, but for the last: whoever asks for fewer at a time reads no list.
        """
        pages = min(self.of_ecr["DescribeRepositories"], -(-repositories // 25) + 1)
        pages += self.of_ecr["DescribeImages"] + self.of_ecr["ListImages"]
        return (self.of_ecr.total() - pages) / repositories

    def __str__(self) -> str:
        return ", ".join(f"{count:,} {name}" for name, count in (self.of_ecr + self.of_others).most_common())


@dataclass(frozen=True)
class House:
    """A running sandbox in which nothing but the sweep's schedule starts a function."""

    sandbox: Sandbox

    def environment(self, region: str = REGION, endpoint: str | None = None) -> Mapping[str, str]:
        """What a command needs to take the sandbox for AWS; `endpoint` is another way to it."""
        return {**caller_at(region), "AWS_ENDPOINT_URL": endpoint or self.sandbox.endpoint_url}

    @contextmanager
    def counted(self) -> Iterator[Calls]:
        """Filled, at the end, with what was asked meanwhile."""
        calls = Calls()
        of_ecr, of_others = self.sandbox.local_ecr.requests.mark(), self.sandbox.requests.mark()
        yield calls
        asked = self.sandbox.local_ecr.requests.since(of_ecr)
        calls.of_ecr.update(request.operation for request in asked)
        calls.mutating.update(request.operation for request in asked if request.mutating)
        calls.of_others.update(request.operation for request in self.sandbox.requests.since(of_others))

    def use_rulebook(self, compiled: str) -> None:
        """Give the functions another rulebook."""
        RulebookLayer(self.sandbox).deploy_compiled(compiled)

    def sweep(self) -> float:
        """Let the sweep's schedule come due; seconds until every part of it is done. Raises RuntimeError."""
        before, started = len(self.sandbox.invocations), time.perf_counter()
        self.sandbox.tick(SCHEDULE)
        self.sandbox.wait_until_idle(TIMEOUT)
        seconds = time.perf_counter() - started
        ran = self.sandbox.invocations[before:]
        if failed := [one for one in ran if one.outcome != "ok"]:
            raise RuntimeError(f"{len(failed)} of {len(ran)} invocations failed, the first: {failed[0].payload}")
        return seconds

    def resident_bytes(self) -> Mapping[int, int]:
        """The memory that each process of a function has now."""
        return {pid: resident_bytes(pid) for pid in self.sandbox.engine.invocations.pids}

    def risen_by(self, before: Mapping[int, int]) -> int:
        """How far the memory of any of these processes has risen, at the most, above what it was."""
        return max(peak_bytes(pid) - resident for pid, resident in before.items())

    def push(self, layout: Path, repository: str, image_tag: str) -> None:
        """Push an image by its layout, and let all follow. Raises RuntimeError."""
        before = len(self.sandbox.invocations)
        run([PROGRAM, "sandbox", "seed", layout, f"{repository}:{image_tag}"], self.environment())
        self.sandbox.wait_until_idle(TIMEOUT)
        if failed := [one for one in self.sandbox.invocations[before:] if one.outcome != "ok"]:
            raise RuntimeError(f"{len(failed)} invocations failed, the first: {failed[0].payload}")

    def peak_bytes(self) -> int:
        """The most memory that any process of a function has had so far, of those that live."""
        return max(map(peak_bytes, self.sandbox.engine.invocations.pids))


@contextmanager
def house(
    folder: Path,
    counts: Mapping[str, int],
    regions: Sequence[str] = (REGION,),
    build: Path = BUILD,
    quotas: Quotas | None = None,
) -> Iterator[House]:
    """A sandbox in which each region has these repositories with so many images; ECR throttles where quotas say so.

    No trail tells of calls: what a command writes would start the functions, and be measured with it.
    """
    for region in regions:
        seed(folder / "ecr", counts, region)
    with Sandbox(build, data=folder, account=ACCOUNT, regions=regions, ecr_quotas=quotas) as sandbox:
        sandbox.local_ecr.trail = False
        yield House(sandbox)
