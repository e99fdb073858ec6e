"""`ecr-steward copy` beside skopeo and oras, between two registries of CNCF that nobody here wrote.

Whole commands, start-up included, which take turns. Some runs go over a long path: 80 ms for a round trip, 40 MiB/s on
each connection, as between two regions. Everybody uses defaults. What was copied is deleted between two runs, so that
each has everything to do.
"""

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.commands import run
from lab.peers import REGION, distribution, require, without_proxies
from lab.verdicts import Verdict, at_most, below, tell
from measuring.houses import house
from measuring.layouts import Image, write_large_manifests, write_layout
from measuring.long_path import long_path
from measuring.rulebooks import COPIES, compiled

MIB = 1 << 20
ROUND_TRIP = 0.08  # seconds
LINE = 40 * MIB  # bytes a second, of one connection
STEWARD = Path(sys.executable).with_name("ecr-steward")
OURS, SKOPEO, ORAS = "ecr-steward", "skopeo", "oras"
MEMORY = 64.0  # MiB
FUNCTION_MEMORY = 48.0  # MiB more than before the job
AWAY = "eu-west-1"
TAGS = 50
MANIFESTS = 40
SHARED, OWN = 9, 1  # layers of each of these tags


@dataclass
class Stage:
    """Two registries, the second of which forgets."""

    source: str
    destination: str
    forget: Callable[[], None]
    seconds: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    peak_bytes: dict[str, list[int]] = field(default_factory=dict)

    def race(self, rounds: int, commands: Mapping[str, list[str | Path]], *, forgetting: bool = True) -> None:
        """Let all run in turns, in another order each time."""
        names = list(commands)
        for round_ in range(rounds):
            for name in names[round_ % len(names) :] + names[: round_ % len(names)]:
                if forgetting:
                    self.forget()
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                ran = run(commands[name], without_proxies())
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                self.seconds.setdefault(name, []).append(ran.seconds)
                used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                self.cpu.setdefault(name, []).append(used)
                self.peak_bytes.setdefault(name, []).append(ran.peak_bytes)

    def medians(self) -> Mapping[str, float]:
        """Seconds."""
        return {name: statistics.median(values) for name, values in self.seconds.items()}

    def verdict(self, measured: str, times: float) -> Verdict:
        """Ours beside the fastest of the others."""
        medians = self.medians()
        print(f"{measured}: " + ", ".join(f"{name} {value:.2f} s" for name, value in sorted(medians.items())))
        peer = min((value, name) for name, value in medians.items() if name != OURS)
        return at_most(f"{measured} ({peer[1]})", medians[OURS], peer[0], times, "s")


def main() -> None:
    """Measure, print ours beside the peers', and end with 1 when a target is missed."""
    options = _options()
    for program in (SKOPEO, ORAS, "docker-registry"):
        require(program, f"apt-get install {program}")
    large = Image("large", [64 * MIB] * 8)
    small = Image("small", [MIB // 2] * 60)
    verdicts = [
        *one_image("512 MiB in 8 layers", large, options.rounds, 1.0, is_measured=True),
        *one_image("512 MiB in 8 layers, long path", large, options.rounds, 0.6, is_far=True),
        *one_image("60 layers of 0.5 MiB, long path", small, options.rounds, 0.3, is_far=True),
        *many_tags(options.rounds),
        *memory(),
        *memory_of_manifests(),
        *memory_of_the_function(),
    ]
    tell(f"Copies, medians of {options.rounds}", verdicts)


def one_image(
    measured: str, image: Image, rounds: int, times: float, *, is_far: bool = False, is_measured: bool = False
) -> list[Verdict]:
    """One image from one registry to the other."""
    with _stage([image], is_far=is_far) as stage:
        here, there = f"{stage.source}/{image.name}:v1", f"{stage.destination}/{image.name}:v1"
        stage.race(rounds, {OURS: _ours(here, there), SKOPEO: _skopeo(here, there), ORAS: _oras(here, there)})
        verdicts = [stage.verdict(measured, times)]
        if is_measured:
            cpu = {name: statistics.median(values) for name, values in stage.cpu.items()}
            gib = image.size / (1 << 30)
            verdicts.append(at_most("CPU for a GiB (skopeo)", cpu[OURS] / gib, cpu[SKOPEO] / gib, 1.2, "s"))
        return verdicts


def many_tags(rounds: int) -> list[Verdict]:
    """A repository of tags that share most of their layers, into an empty one, and once more."""
    shared = [2 * MIB + number for number in range(SHARED)]
    images = [Image("tags", [*shared, 2 * MIB], tag=f"v{number}", seed=number) for number in range(TAGS)]
    with _stage(images) as stage:
        here, there = f"{stage.source}/tags", f"{stage.destination}/tags"
        sync: list[str | Path] = [
            SKOPEO,
            "sync",
            "--src=docker",
            "--dest=docker",
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
        ]
        commands = {OURS: _ours("--all-tags", here, there), SKOPEO: [*sync, here, stage.destination]}
        stage.race(rounds, commands)
        first = stage.verdict(f"{TAGS} tags of {SHARED + OWN} layers, {SHARED} of them shared", 0.5)
        stage.seconds.clear()
        stage.race(rounds, commands, forgetting=False)
        return [first, stage.verdict("the same again, nothing to do", 0.3)]


def memory() -> list[Verdict]:
    """The most that a copy needs, whatever the size of its blobs."""
    verdicts = []
    for size in (20 * MIB, 2048 * MIB):
        image = Image("blob", [size])
        with _stage([image]) as stage:
            stage.race(1, {OURS: _ours(f"{stage.source}/blob:v1", f"{stage.destination}/blob:v1")})
            peak = max(stage.peak_bytes[OURS]) / MIB
            verdicts.append(below(f"memory, a blob of {size // MIB} MiB", peak, MEMORY, "MiB"))
    return verdicts


def memory_of_manifests() -> list[Verdict]:
    """How far a copy rises above that of a small image when its manifests are as large as can be."""
    with _stage([Image("small", [1024])]) as stage, tempfile.TemporaryDirectory(prefix="bench-copy-") as name:
        stage.race(1, {"a small image": _ours(f"{stage.source}/small:v1", f"{stage.destination}/small:v1")})
        write_large_manifests(Path(name) / "large", MANIFESTS)
        run(_ours(f"oci:{name}/large:v1", f"{stage.source}/large:v1"), without_proxies())
        stage.race(1, {OURS: _ours(f"{stage.source}/large:v1", f"{stage.destination}/large:v1")})
        risen = (max(stage.peak_bytes[OURS]) - max(stage.peak_bytes["a small image"])) / MIB
        return [below(f"memory above a small copy, {MANIFESTS} manifests of 4 MiB", risen, MEMORY, "MiB")]


def memory_of_the_function() -> list[Verdict]:
    """How far `replicate_image` rises above what it had before a large image was pushed, as deployed in the sandbox."""
    small, large = Image("small", [MIB]), Image("large", [256 * MIB] * 8)
    with tempfile.TemporaryDirectory(prefix="bench-copy-") as name:
        folder = Path(name)
        for image in (small, large):
            write_layout(folder / image.name, image)
        with house(folder / "house", {}, regions=(REGION, AWAY)) as stage:
            stage.use_rulebook(compiled(COPIES))
            stage.push(folder / small.name, "team-1/app", "v1")
            before = stage.resident_bytes()
            started = time.perf_counter()
            stage.push(folder / large.name, "team-1/app", "v2")
            stage.sandbox.client("ecr", region=AWAY).describe_images(
                repositoryName="team-1/app", imageIds=[{"imageTag": "v2"}]
            )  # which raises where it did not arrive
            print(f"2 GiB pushed to the sandbox, and copied by it: {time.perf_counter() - started:.1f} s")
            risen = stage.risen_by(before) / MIB
            return [below("memory of the function above its start, 2 GiB in 8 layers", risen, FUNCTION_MEMORY, "MiB")]


def _ours(*arguments: str) -> list[str | Path]:
    return [STEWARD, "copy", *arguments]


def _skopeo(here: str, there: str) -> list[str | Path]:
    insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"]
    return [SKOPEO, "copy", "--quiet", *insecure, f"docker://{here}", f"docker://{there}"]


def _oras(here: str, there: str) -> list[str | Path]:
    return [ORAS, "cp", "--from-plain-http", "--to-plain-http", here, there]


@contextmanager
def _stage(images: Sequence[Image], *, is_far: bool = False) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="bench-copy-") as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "here").mkdir()
        source = stack.enter_context(distribution(folder / "source")).registry
        destination = stack.enter_context(distribution(folder / "destination")).registry
        for number, image in enumerate(images):
            layout = folder / "here" / str(number)
            write_layout(layout, image)
            run(_ours(f"oci:{layout}:{image.tag}", f"{source}/{image.name}:{image.tag}"), os.environ)
        if is_far:
            source, destination = (
                stack.enter_context(long_path(host, round_trip=ROUND_TRIP, bytes_per_second=LINE))
                for host in (source, destination)
            )
        yield Stage(source, destination, lambda: _remove(folder / "destination" / "distribution"))


def _remove(root: Path) -> None:
    """All files: the registry holds no state but them, and makes its folders anew."""
    for path in sorted(root.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
