"""A registry swept from end to end: `ecr-steward apply` beside Cloud Custodian, the deployed sweep, a large registry.

Our command and Custodian's meet an ECR alone, in a process of its own, the deployed sweep the whole sandbox; the
server's log says what was called. Both commands get a region each of the same ECR, take turns, and swap regions and
order from round to round. Each is a new process, and its start counts. A server on this machine answers in a
millisecond, which is the worst case for us: both need its processors most of the time. So both are also measured with
answers that come some milliseconds later, as from a region of AWS.
"""

import argparse
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.commands import Ran
from lab.peers import REGION
from lab.verdicts import Verdict, at_most, below, tell
from measuring.alone import Alone, alone
from measuring.custodian import custodian, require_custodian
from measuring.delays import delayed
from measuring.houses import BUILD, Calls, House, house
from measuring.rulebooks import EVERYTHING, IMAGES, SAME_AS_CUSTODIAN, compiled
from measuring.stewards import apply, plan

BESIDE_CUSTODIAN = 0.5  # times its time
CALLS = 3.0  # for each repository with nothing to do, beside list pages
MEMORY = 256.0  # MiB; a function has 512
MIB = 1 << 20
REGIONS = ("us-east-1", "eu-west-1")
FIRST, UNCHANGED = "first run", "no-change run"
OURS, THEIRS = "ecr-steward", "custodian"
SETTINGS = 3  # that both change on each repository

Key = tuple[str, str]
"""Which run, and whose."""


def main() -> None:
    """Measure, print ours beside the peer's, and end with 1 when a target is missed."""
    options = _options()
    require_custodian()
    verdicts = [
        *beside_custodian(options.repositories, options.rounds),
        *from_afar(options.afar, options.milliseconds / 1000),
        *deployed(options.repositories, options.build),
        *large(options.many, options.images, options.build),
    ]
    tell(f"Sweeps, medians of {options.rounds}", verdicts)


@dataclass
class Rounds:
    """Ours and Custodian side by side: seconds of each round, and the calls of the last one."""

    delay: float = 0.0
    """Seconds that each answer is under way."""
    times: dict[Key, list[float]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[Key, Calls] = field(default_factory=dict)

    def play(self, repositories: int, round_: int) -> None:
        """Both bring a new registry to the same settings, and then find nothing to do. Raises RuntimeError."""
        names = (OURS, THEIRS) if round_ % 2 else (THEIRS, OURS)
        with _ecr(repositories, REGIONS) as stage, self._endpoint(stage) as endpoint:
            for run in (FIRST, UNCHANGED):
                for who, region in zip(names, REGIONS, strict=True):
                    environment = stage.environment(region, endpoint)
                    with stage.counted() as made:
                        ran = _run(who, environment, region)
                    _require_changes(who, made, SETTINGS * repositories if run == FIRST else 0)
                    self.times[run, who].append(ran.seconds)
                    self.calls[run, who] = made

    def verdicts(self, told: str) -> list[Verdict]:
        """The medians."""
        medians = {key: statistics.median(values) for key, values in self.times.items()}
        return [
            at_most(f"{run}, {told} (Custodian)", medians[run, OURS], medians[run, THEIRS], BESIDE_CUSTODIAN, "s")
            for run in (FIRST, UNCHANGED)
        ]

    @contextmanager
    def _endpoint(self, stage: Alone) -> Iterator[str]:
        if not self.delay:
            yield stage.endpoint
            return
        with delayed(stage.endpoint, self.delay) as endpoint:
            yield endpoint


def beside_custodian(repositories: int, rounds: int) -> list[Verdict]:
    """Over a server on this machine, as many times as there are rounds."""
    Rounds().play(1, 0)  # so that both have compiled what they import
    measured = Rounds()
    for round_ in range(rounds):
        measured.play(repositories, round_)
    for (run, who), values in measured.times.items():
        print(f"{run} of {who}: {' '.join(f'{value:.2f}' for value in values)} s; {measured.calls[run, who]}")
    ours, theirs = measured.calls[UNCHANGED, OURS], measured.calls[UNCHANGED, THEIRS]
    few = _few_calls("calls of a no-change run (Custodian)", ours, repositories, theirs)
    return [*measured.verdicts(f"{repositories:,} repositories"), few]


def from_afar(repositories: int, delay: float) -> list[Verdict]:
    """The same once, where each answer is under way for some time."""
    measured = Rounds(delay)
    measured.play(repositories, 0)
    return measured.verdicts(f"{repositories:,} repositories, answers {delay * 1000:.0f} ms later")


def deployed(repositories: int, build: Path = BUILD) -> list[Verdict]:
    """The functions do it by the parts of their queue, with every setting that a rule can have."""
    with _registry(repositories, 0, build=build) as stage:
        told = f"{repositories:,} repositories, every setting"
        made = _sweep_twice(stage, EVERYTHING, told)
        return [
            _few_calls(f"calls of a no-change sweep as deployed, {told}", made, repositories),
            below("memory of its function", stage.peak_bytes() / MIB, MEMORY, "MiB"),
        ]


def large(repositories: int, images: int, build: Path = BUILD) -> list[Verdict]:
    """More images than should be known at once: swept as deployed, and planned by the command."""
    told = f"{repositories:,} repositories of {images} images"
    with _registry(repositories, images, build=build) as stage:
        _sweep_twice(stage, IMAGES, told)
        with stage.counted() as made:
            planned = plan(IMAGES, stage.environment(), REGION)
        print(f"ecr-steward plan, {told}: {planned.seconds:.1f} s, {planned.peak_bytes / MIB:.0f} MiB; {made}")
        return [
            below(f"memory of the function, {told}", stage.peak_bytes() / MIB, MEMORY, "MiB"),
            below("memory of ecr-steward plan there", planned.peak_bytes / MIB, MEMORY, "MiB"),
        ]


def _run(who: str, environment: Mapping[str, str], region: str) -> Ran:
    return custodian(environment, region) if who == THEIRS else apply(SAME_AS_CUSTODIAN, environment, region)


def _sweep_twice(stage: House, rulebook: str, told: str) -> Calls:
    """The calls of a sweep with nothing to do, after one that had everything to do."""
    stage.use_rulebook(compiled(rulebook))
    for run in (FIRST, UNCHANGED):
        with stage.counted() as made:
            seconds = stage.sweep()
        print(f"{run} of the deployed sweep, {told}: {seconds:.1f} s; {made}")
    _require_changes("the deployed sweep", made, 0)
    return made


def _require_changes(who: str, made: Calls, changes: int) -> None:
    """Whoever did less than was asked was not faster. Raises RuntimeError."""
    if made.mutating.total() != changes:
        raise RuntimeError(f"{who} had {changes} settings to change, and made other changes: {made}")


def _few_calls(measured: str, made: Calls, repositories: int, theirs: Calls | None = None) -> Verdict:
    ours = made.beside_pages(repositories)
    peer = f"{theirs.beside_pages(repositories):.2f}" if theirs else ""
    return Verdict(measured, f"{ours:.2f}", peer, f"at most {CALLS:g} for each repository", ours <= CALLS)


@contextmanager
def _registry(repositories: int, images: int, build: Path = BUILD) -> Iterator[House]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-sweep-") as folder,
        house(Path(folder), _counts(repositories, images), build=build) as made,
    ):
        yield made


@contextmanager
def _ecr(repositories: int, regions: Sequence[str]) -> Iterator[Alone]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-sweep-") as folder,
        alone(Path(folder), _counts(repositories, 0), regions) as made,
    ):
        yield made


def _counts(repositories: int, images: int) -> Mapping[str, int]:
    return {f"team-{number % 20}/app-{number}": images for number in range(repositories)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="beside Cloud Custodian")
    parser.add_argument("--repositories", type=int, default=1000)
    parser.add_argument("--afar", type=int, default=200, help="repositories behind the delay")
    parser.add_argument("--milliseconds", type=int, default=10, help="the delay of each answer")
    parser.add_argument("--many", type=int, default=10_000, help="repositories of the large registry")
    parser.add_argument("--images", type=int, default=20, help="of each repository there")
    parser.add_argument("--build", type=Path, default=BUILD, help="what sam build wrote (default: that of make build)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
