"""A sweep of very many repositories in which nothing is to be done: calls to ECR, and what 100,000 of them take.

Calls are counted with fewer repositories, since each costs the same. Time and money are computed from them: a call
takes 30 ms, of which this machine knows nothing, and an invocation waits for eight repositories at a time. Of three
settings the lifecycle takes a call; a policy would take another, and resource tags, too.
"""

import argparse
import tempfile
from pathlib import Path

from cost import PRICES
from ecr_steward.bootstrap import SWEEP_WORKERS
from ecr_steward.usecases.reconcile_registry import PART_SIZE
from lab.peers import ACCOUNT, REGION
from lab.verdicts import Verdict, tell
from local_ecr import Registry, SeededImages
from measuring.houses import BUILD, house
from measuring.rulebooks import SAME_AS_CUSTODIAN, compiled

ALL = 100_000
"""Repositories of a registry at most (Amazon ECR service quotas)."""
CALL_SECONDS = 0.03
GIGABYTES = 0.5
"""Of the sweep's function."""
CALLS = 3.0
"""For each repository."""
CONCURRENCIES = (2, 5, 10, 20)
"""``SweepConcurrency``; 5 is its default."""


def main() -> None:
    """Measure, print, and end with 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=int, default=1_000)
    tell(f"{ALL:,} repositories", quiet(parser.parse_args().repositories))


def quiet(repositories: int) -> list[Verdict]:
    """The calls of a second sweep, and what it would take of all."""
    names = [f"team-1/service-{number}" for number in range(repositories)]
    with (
        tempfile.TemporaryDirectory(prefix="bench-many-") as folder,
        house(Path(folder), {}, (REGION,), BUILD) as stage,
    ):
        stage.use_rulebook(compiled(SAME_AS_CUSTODIAN))
        stage.sandbox.local_ecr.seed(Registry(ACCOUNT, REGION), names, SeededImages(count=1))
        stage.sweep()
        with stage.counted() as calls:
            seconds = stage.sweep()
        if calls.mutating.total():
            raise RuntimeError(f"the sweep had something to do: {calls}")
        print(f"{repositories:,} repositories: {seconds:.1f} s here; {calls}")
    each = calls.of_ecr.total() / repositories
    waited = ALL * each * CALL_SECONDS / SWEEP_WORKERS
    parts = ALL // PART_SIZE
    dollars = waited * GIGABYTES * PRICES["Lambda, arm64, a GB-second"]
    lambda_seconds = f"{parts:,} parts, {waited:,.0f} s of Lambda, ${dollars:.2f} a sweep"
    print(f"{ALL:,} at {CALL_SECONDS * 1000:.0f} ms a call: {lambda_seconds}")
    for concurrency in CONCURRENCIES:
        share = waited / concurrency / 3600
        print(f"  SweepConcurrency {concurrency:>2}: {waited / concurrency / 60:5.1f} minutes, {share:.0%} of the hour")
    return [Verdict("calls to ECR for each repository", f"{each:.2f}", "", f"at most {CALLS:g}", each <= CALLS)]


if __name__ == "__main__":
    main()
