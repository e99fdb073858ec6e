"""How long it takes to decide about input that made others take the square of its length, or for ever.

Ends with 1 when one took longer than its target.
"""

import sys
import time
from collections.abc import Callable

from local_ecr.iam.patterns import like, like_arn, like_resource
from local_ecr.lifecycle.plan import ImageFacts, Step, followers
from local_ecr.lifecycle.policy import EXPIRE
from local_ecr.names import Digest

FILLED = tuple(("é*?" * 300, True) for _ in range(600))
WILDCARDS = ("*" * 10_000, "*a" * 5_000, "?*" * 5_000, "*:" * 5_000)


def patterns_that_a_request_has_filled() -> None:
    for _ in range(20):
        like(FILLED)("x" * 1024)


def patterns_of_wildcards_alone() -> None:
    for build in (like, like_resource, like_arn):
        for pattern in WILDCARDS:
            build(((pattern + "\n", False),))("a" * 1000)


def a_chain_of_10_000_referrers() -> None:
    facts = [
        ImageFacts(
            id=number,
            digest=Digest(f"{number}"),
            image_tags=(),
            pushed_at=0.0,
            storage_class="STANDARD",
            subject=Digest(f"{number - 1}"),
        )
        for number in range(1, 10_000)
    ]
    followers(reversed(facts), [Step(facts[0], EXPIRE, 1)])


TARGETS: dict[Callable[[], None], float] = {
    patterns_that_a_request_has_filled: 1.0,
    patterns_of_wildcards_alone: 5.0,
    a_chain_of_10_000_referrers: 2.0,
}


def main() -> int:
    missed = 0
    for decide, target in TARGETS.items():
        began = time.perf_counter()
        decide()
        seconds = time.perf_counter() - began
        missed += seconds > target
        verdict = "MISSED" if seconds > target else "met"
        sys.stdout.write(f"{decide.__name__.replace('_', ' ')}: {seconds:.3f} s, at most {target:g} s: {verdict}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
