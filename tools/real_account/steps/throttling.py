"""Step 9: are many repositories read as fast as a sweep reads them without a call that is throttled for good?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import ClientError

from real_account.beliefs import Belief, Observation
from real_account.run import Run, listed, new_client
from real_account.step import Step

WORKERS: Final = 8
_AS_A_SWEEP: Final = Config(retries={"total_max_attempts": 5, "mode": "standard"}, max_pool_connections=WORKERS)
READS: Final = (
    ("describe_images", "ImageNotFoundException"),
    ("get_lifecycle_policy", "LifecyclePolicyNotFoundException"),
    ("get_repository_policy", "RepositoryPolicyNotFoundException"),
)
BELIEF: Final = Belief(
    "sweep-is-not-throttled",
    "8 workers with 5 attempts each read 500 repositories without a ThrottlingException",
    "mondoohq/mql#8450 has ECR's Describe calls throttled; the rates are not published",
    "none",
)


def _do(run: Run) -> Iterator[Observation]:
    names = []
    for number in range(run.sizes.repositories):
        run.pace.seconds_left()
        names.append(run.repository(f"many-{number:03}"))
    ecr = new_client("ecr", run.region, config=_AS_A_SWEEP)
    throttled: Counter[str] = Counter()
    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            for found in pool.map(lambda name: _read(ecr, name), names):
                throttled.update(found)
    finally:
        ecr.close()
    seen = [f"{operation}: {count}" for operation, count in sorted(throttled.items())]
    yield Observation(BELIEF, listed(seen), f"{len(names)} repositories, {len(names) * len(READS)} calls")


def _read(ecr: Any, name: str) -> list[str]:
    """The operations that were throttled in spite of retries."""
    found = []
    for operation, usual in READS:
        try:
            getattr(ecr, operation)(repositoryName=name)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if "Throttl" in code or code == "TooManyRequestsException":
                found.append(operation)
            elif code != usual:
                raise
    return found


STEP: Final = Step(
    name="09-throttling",
    title="A sweep's calls over many repositories",
    how="creates the repositories one after the other, then reads images and policies of each as a sweep does",
    makes="500 repositories without images",
    dollars=0.0,
    budget=timedelta(minutes=10),
    beliefs=(BELIEF,),
    do=_do,
)
