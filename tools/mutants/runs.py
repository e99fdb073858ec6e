"""Plant a fault, run the tests that could fail on it, and say which one did."""

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutants.faults import Fault, Gone, Room, Suite, suite_of
from mutants.places import Place
from mutants.reach import Reach

type Event = dict[str, Any]
"""One note of the plugin's."""

REACHING_SECONDS, ALSO_SECONDS = 120, 180
HANG_SECONDS, HANG_FACTOR = 40, 20
"""A test that runs longer than both, and the given times what it takes without the fault, would never end."""


@dataclass(frozen=True)
class Step:
    """One run of pytest, in a suite."""

    suite: Suite
    paths: Sequence[str]
    chosen: Sequence[str] | None
    """None for all tests of the paths."""
    seconds: float


@dataclass(frozen=True)
class Result:
    fault: Fault
    killed_by: str | None
    """A node id, or the file that pytest could not even collect; None where no test failed."""
    seconds: float
    note: str = ""


def recorded(known: str, suites: Sequence[Suite]) -> list[Step]:
    """The one test that failed on the fault when it was last tried."""
    suite = suite_of(known, suites)
    test = suite.inside(known)
    return [Step(suite, [test.partition("::")[0]], [test] if "::" in test else None, REACHING_SECONDS)]


def reaching(fault: Fault, text: str, room: Room, reach: Reach | None, suites: Sequence[Suite]) -> list[Step]:
    """All tests that reach its line, first the file whose tests take least; then those of its room."""
    found = reach.of(fault, text) if reach is not None and fault.file.endswith(".py") else []
    steps = _in_order({test: reach.tests[test].seconds for test in found} if reach is not None else {}, suites)
    for path in room.also:
        suite = suite_of(path, suites)
        steps.append(Step(suite, [suite.inside(path)], None, ALSO_SECONDS))
    return steps


def _in_order(tests: Mapping[str, float], suites: Sequence[Suite]) -> list[Step]:
    costs: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for test, seconds in tests.items():
        costs[suite_of(test, suites).folder][test.partition("::")[0]] += seconds
    steps = []
    for suite in sorted(suites, key=lambda suite: sum(costs[suite.folder].values())):
        files = sorted(costs[suite.folder], key=costs[suite.folder].__getitem__)
        if files:
            of_suite = [test for test in tests if suite_of(test, suites) == suite]
            of_suite.sort(key=lambda test: files.index(test.partition("::")[0]))
            chosen = [suite.inside(test) for test in of_suite]
            steps.append(Step(suite, [suite.inside(file) for file in files], chosen, REACHING_SECONDS))
    return steps


def try_fault(place: Place, fault: Fault, steps: Iterable[Step], usual: Mapping[str, float]) -> Result:
    """Run one step after the other until a test fails."""
    began = time.monotonic()
    notes = []
    try:
        with place.planted(fault):
            for step in steps:
                test, note = run(place, step, usual)
                notes += [note] if note else []
                if test:
                    return Result(fault, test, time.monotonic() - began, note)
    except (Gone, FileNotFoundError) as gone:
        notes.append(f"gone: {gone}")
    return Result(fault, None, time.monotonic() - began, "; ".join(notes))


def failing_without_fault(place: Place, killers: Collection[str], suites: Sequence[Suite]) -> set[str]:
    """Those that fail here as well, where no fault is: they say nothing of one."""
    failing = set()
    for suite in suites:
        tests = [suite.inside(test) for test in killers if suite_of(test, suites) == suite]
        if tests:
            files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
            _, _, events = _pytest(place, Step(suite, files, tests, ALSO_SECONDS * 4), stop=False)
            failing |= {suite.outside(event["failed"]) for event in events if "failed" in event}
            ended = {event["ended"] for event in events if "ended" in event}
            failing |= {suite.outside(test) for test in tests if "::" in test and test not in ended}
    return failing & set(killers)


def run(place: Place, step: Step, usual: Mapping[str, float]) -> tuple[str | None, str]:
    """The first test that fails, if one does, and what is to be known besides."""
    if not any((place.root / step.suite.folder / path.partition("::")[0]).exists() for path in step.paths):
        return None, f"{step.paths[0]} is not there"
    exit_code, printed, events = _pytest(place, step)
    return killer(step, exit_code, printed, events, usual, ended=time.time())


def killer(
    step: Step,
    exit_code: int | None,
    printed: str,
    events: Sequence[Event],
    usual: Mapping[str, float],
    *,
    ended: float,
) -> tuple[str | None, str]:
    """Likewise, from how pytest ended and when, what it printed and what the plugin noted.

    No exit code: it was stopped.
    """
    failed = [event["failed"] for event in events if "failed" in event]
    if failed:
        return step.suite.outside(failed[0]), ""
    if exit_code in (0, 5):
        return None, ""
    running = _running(events)
    test = step.suite.outside(running["began"]) if running else None
    if exit_code is None:
        took = ended - running["at"] if running else 0.0
        if test and took > max(HANG_SECONDS, HANG_FACTOR * usual.get(test, HANG_SECONDS)):
            return test, f"did not end in {took:.0f} s"
        return None, f"stopped after {step.seconds:.0f} s"
    if test:
        return test, f"pytest ended in it with {exit_code}"
    last = next((line for line in reversed(printed.splitlines()) if line.strip()), "")
    return step.suite.outside(step.paths[0]), f"pytest could not start: {last[:160]}"


def _pytest(place: Place, step: Step, *, stop: bool = True) -> tuple[int | None, str, list[Event]]:
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        notes, chosen = Path(folder) / "notes", Path(folder) / "chosen.json"
        command = ["pytest", "-q", "-p", "no:cacheprovider", "-p", "mutants.plugin", f"--notes={notes}"]
        command += ["--hypothesis-seed=13", "--tb=line", *(["-x"] if stop else [])]
        if step.chosen is None:
            command += ["-m", "not client and not docker"]
        else:
            chosen.write_text(json.dumps(list(step.chosen)), encoding="utf-8")
            command += [f"--chosen={chosen}"]
        paths = sorted(step.paths)  # of a folder whose files are not given together pytest loses the fixtures
        exit_code, printed = place.run([*command, *paths], place.root / step.suite.folder, seconds=step.seconds)
        return exit_code, printed, list(_events(notes))


def _events(notes: Path) -> Iterator[Event]:
    if notes.exists():
        for line in notes.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def _running(events: Sequence[Event]) -> Event | None:
    last = next((event for event in reversed(events) if "began" in event or "ended" in event), None)
    return last if last and "began" in last else None
