"""What the steward costs each month, from counts that the benchmarks measure and a table of list prices.

Prints the tables of docs/scale.md; ``--write`` puts them there.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
MARK = "<!-- made by benchmarks/cost.py -->"
MILLION = 1_000_000
SWEEPS = 720
"""A month, at the default schedule."""
ALARMS, METRICS, SECRETS = 35, 40, 1
SELF_CHECKS = 14_400
"""A month: one every three minutes."""
PLATFORMS = 2

READ_IN = "2025"
PRICES = {
    "Lambda, arm64, a GB-second": 0.0000133334,
    "Lambda, a million requests": 0.20,
    "EventBridge, a million events": 1.00,
    "SQS, a million requests": 0.40,
    "DynamoDB on demand, a million reads": 0.125,
    "DynamoDB on demand, a million writes": 0.625,
    "CloudWatch Logs, a GB": 0.50,
    "CloudWatch, an alarm": 0.10,
    "CloudWatch, a metric": 0.30,
    "Secrets Manager, a secret": 0.40,
    "transfer to another region, a GB": 0.02,
    "ECR storage, a GB-month": 0.10,
    "GuardDuty, a million management events": 4.00,
    "CloudTrail, a further copy of 100,000 management events": 2.00,
}
"""List prices of us-east-1 in dollars, without free tiers."""


@dataclass(frozen=True)
class Push:
    """Of a version of two platforms with two aliases that is copied to one region (benchmarks/one_push.py)."""

    invocations: int = 6
    events: int = 4
    """Forwarded, and the steward's own."""
    messages: int = 4
    requests: int = 44
    """To ECR, by the steward, where two configs and two layers are new."""
    reads: int = 17
    writes: int = 14
    """Of the tables."""
    copy_gb_seconds: float = 20.0
    """Assumed."""
    other_gb_seconds: float = 0.25
    """Of each other invocation: half a second of 512 MB. Assumed."""
    copied_gb: float = 0.15
    """Of new layers. Assumed."""


@dataclass(frozen=True)
class Sweep:
    """Of a quiet repository, here and where its copies are (benchmarks/quiet_sweeps.py)."""

    requests: float = 8.0
    reads: float = 5.0
    writes: float = 4.0
    seconds: float = 0.1
    """Of an invocation of 1 GB that waits for eight repositories at a time: 30 ms a request, assumed."""


@dataclass(frozen=True)
class Installation:
    """How much there is."""

    name: str
    repositories: int
    pushes: int
    """A day."""

    @property
    def pushes_a_month(self) -> int:
        return 30 * self.pushes

    @property
    def repositories_swept(self) -> int:
        """In a month, each time counted."""
        return SWEEPS * self.repositories


SIZES = (Installation("small", 50, 200), Installation("large", 5_000, 20_000))
PUSH, SWEEP = Push(), Sweep()
KB_LOGGED = 2.0
"""By an invocation. Assumed."""


@dataclass(frozen=True)
class Line:
    """One row of the bill."""

    what: str
    count: str
    dollars: tuple[float, ...]


def stack() -> Iterator[Line]:
    """What the stack itself costs."""
    for_push = PUSH.copy_gb_seconds + (PUSH.invocations - 1) * PUSH.other_gb_seconds
    yield _line(
        "Lambda",
        f"a push: {PUSH.invocations} invocations, {for_push:g} GB-seconds (assumed); a quiet repository: "
        f"{SWEEP.seconds:g} GB-seconds each hour (assumed)",
        lambda of: (
            PRICES["Lambda, arm64, a GB-second"]
            * (of.pushes_a_month * for_push + of.repositories_swept * SWEEP.seconds)
            + PRICES["Lambda, a million requests"] * _millions(of.pushes_a_month * PUSH.invocations)
        ),
    )
    yield _line(
        "EventBridge",
        f"{PUSH.events} events a push, forwarded or the steward's own",
        lambda of: PRICES["EventBridge, a million events"] * _millions(of.pushes_a_month * PUSH.events),
    )
    yield _line(
        "SQS",
        f"{PUSH.messages} messages a push, 3 requests each; Lambda polls 1.9 million times",
        lambda of: PRICES["SQS, a million requests"] * (1.9 + _millions(3 * of.pushes_a_month * PUSH.messages)),
    )
    yield _line(
        "DynamoDB",
        f"{PUSH.reads} reads and {PUSH.writes} writes a push, {SWEEP.reads:g} and {SWEEP.writes:g} a quiet repository "
        "each hour",
        lambda of: (
            PRICES["DynamoDB on demand, a million reads"]
            * _millions(of.pushes_a_month * PUSH.reads + of.repositories_swept * SWEEP.reads)
            + PRICES["DynamoDB on demand, a million writes"]
            * _millions(of.pushes_a_month * PUSH.writes + of.repositories_swept * SWEEP.writes)
        ),
    )
    yield _line(
        "CloudWatch Logs",
        f"{KB_LOGGED:g} KB an invocation (assumed)",
        lambda of: PRICES["CloudWatch Logs, a GB"] * of.pushes_a_month * PUSH.invocations * KB_LOGGED / MILLION,
    )
    yield _line("CloudWatch alarms", f"{ALARMS} alarms", lambda _: PRICES["CloudWatch, an alarm"] * ALARMS)
    yield _line(
        "CloudWatch metrics",
        f"at most {METRICS} custom metrics; one is paid for the hours in which it had a value",
        lambda _: PRICES["CloudWatch, a metric"] * METRICS,
    )
    yield _line(
        "the self-check",
        f"{SELF_CHECKS:,} events, put and forwarded; {4 * SELF_CHECKS:,} invocations of 20 ms (assumed)",
        lambda _: (
            PRICES["EventBridge, a million events"] * _millions(2 * SELF_CHECKS)
            + PRICES["Lambda, a million requests"] * _millions(4 * SELF_CHECKS)
            + PRICES["SQS, a million requests"] * _millions(2 * 3 * SELF_CHECKS)
            + PRICES["Lambda, arm64, a GB-second"] * 4 * SELF_CHECKS * 0.02 * 0.5
        ),
    )
    yield _line(
        "Secrets Manager", f"{SECRETS} secret for a login", lambda _: PRICES["Secrets Manager, a secret"] * SECRETS
    )


def others() -> Iterator[Line]:
    """What it makes others charge for."""

    def management_events(of: Installation) -> float:
        return of.pushes_a_month * PUSH.requests + of.repositories_swept * SWEEP.requests

    counted = " and ".join(f"{management_events(of) / MILLION:.1f}" for of in SIZES)
    yield _line(
        "transfer to one other region",
        f"{PUSH.copied_gb:g} GB of new layers a push (assumed)",
        lambda of: PRICES["transfer to another region, a GB"] * of.pushes_a_month * PUSH.copied_gb,
    )
    yield _line(
        "storage of the copies, more each month until a lifecycle ends it",
        "as above",
        lambda of: PRICES["ECR storage, a GB-month"] * of.pushes_a_month * PUSH.copied_gb,
    )
    yield _line(
        "GuardDuty, where it is on",
        f"{PUSH.requests} requests a push, {SWEEP.requests:g} a repository each hour: {counted} million management "
        "events",
        lambda of: PRICES["GuardDuty, a million management events"] * _millions(management_events(of)),
    )
    yield _line(
        "each **further** copy of management events: a second trail, an organization's trail, CloudTrail Lake",
        "as above",
        lambda of: (
            PRICES["CloudTrail, a further copy of 100,000 management events"] * 10 * _millions(management_events(of))
        ),
    )


def tables() -> str:
    """Both tables and the prices, as docs/scale.md has them."""
    stacks, charged = list(stack()), list(others())
    total = Line("**the stack**", "", tuple(sum(line.dollars[n] for line in stacks) for n in range(len(SIZES))))
    head = [
        "| | small | large |",
        "|---|---|---|",
        f"| repositories | {' | '.join(f'{of.repositories:,}' for of in SIZES)} |",
        f"| pushes a day of a version of {PLATFORMS} platforms | {' | '.join(f'{of.pushes:,}' for of in SIZES)} |",
    ]
    prices = [
        "| list price of us-east-1 | $ |",
        "|---|---|",
        *(f"| {what} | {price:g} |" for what, price in PRICES.items()),
    ]
    parts = [
        "\n".join(head),
        "\n".join(_rows("The stack, each month", [*stacks, total])),
        "\n".join(_rows("Others, each month", charged)),
        "\n".join(prices),
    ]
    return "\n\n".join(parts)


def _rows(title: str, lines: Sequence[Line]) -> Iterator[str]:
    yield f"| {title} | count | {' | '.join(of.name for of in SIZES)} |"
    yield f"|---|---|{'---|' * len(SIZES)}"
    for line in lines:
        yield f"| {line.what} | {line.count} | {' | '.join(map(_dollars, line.dollars))} |"


def _line(what: str, count: str, dollars: Callable[[Installation], float]) -> Line:
    return Line(what, count, tuple(dollars(of) for of in SIZES))


def _dollars(amount: float) -> str:
    return f"${amount:,.0f}" if amount >= 10 else f"${amount:,.2f}"


def _millions(count: float) -> float:
    return count / MILLION


def written(page: str) -> str:
    """The page with these tables between its two marks. Raises ValueError where it has not two."""
    before, _, after = page.split(MARK)
    return f"{before}{MARK}\n\n{tables()}\n\n{MARK}{after}"


def main() -> None:
    """Print or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put them into docs/scale.md")
    if parser.parse_args().write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(tables())


if __name__ == "__main__":
    main()
