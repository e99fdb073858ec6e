"""``python -m mutants [ROOM or ID ...]``: plant the faults again; exit 1 if one that was killed survives."""

import argparse
import json
import queue
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from mutants import report, runs
from mutants.faults import FAULTS, HERE, ROOMS, Fault, Gone, Room, Suite, read_faults, read_rooms, read_suites
from mutants.places import Place
from mutants.reach import Reach, is_current, make_map
from mutants.runs import Result, Step

RECORD = HERE / "killed.json"


def main() -> int:
    """Try the chosen faults; show, keep and judge what came of each."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what runs is ended then, as by Ctrl-C
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument(
        "only", nargs="*", help="rooms or ids; all without one, but for those that survived the last time"
    )
    parser.add_argument("--afresh", action="store_true", help="try all, and not the recorded test first")
    parser.add_argument("--record", choices=["before", "after"], help="write what came of it into killed.json")
    parser.add_argument("--checkout", type=Path, default=Path(), help="where the faults are planted")
    parser.add_argument("--faults", type=Path, default=FAULTS, help="of a checkout whose files lie elsewhere")
    parser.add_argument("--rooms", type=Path, default=ROOMS, help="likewise")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    known = {id_: killer for id_, entry in record.items() if (killer := entry.get("after") or entry.get("before"))}
    surviving = {id_ for id_, entry in record.items() if "after" in entry} - known.keys()
    faults = [fault for fault in read_faults(arguments.faults) if not fault.equivalent]
    if arguments.only:
        faults = [fault for fault in faults if {fault.id, fault.room} & set(arguments.only)]
    elif not arguments.afresh:
        faults = [fault for fault in faults if fault.id not in surviving]
    if not faults:
        parser.error(f"no fault and no room is called {arguments.only}")
    checkout = arguments.checkout.resolve()
    console = Console(soft_wrap=True, highlight=False)
    with ExitStack() as stack:
        folders = [tempfile.TemporaryDirectory(prefix="mutants-") for _ in range(1 + arguments.workers)]
        places = [Place(checkout, Path(stack.enter_context(folder))) for folder in folders]
        mill = Mill(
            places[0], places[1:], read_rooms(arguments.rooms), read_suites(arguments.rooms), checkout / ".mutants"
        )
        mill.tell = lambda result: report.line(console, result)
        results = mill.grind(faults, {} if arguments.afresh else known)
    report.table(console, results)
    report.keep(checkout / ".mutants", results)
    if arguments.record:
        for result in results:
            record.setdefault(result.fault.id, {})[arguments.record] = result.killed_by
        RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    lost = [result.fault.id for result in results if result.killed_by is None and result.fault.id in known]
    if lost:
        console.print(f"[red]Killed before, and no longer:[/] {', '.join(lost)}")
    return 1 if lost else 0


class Mill:
    """Tries faults in several copies of a checkout at once."""

    def __init__(
        self,
        clean: Place,
        places: Sequence[Place],
        rooms: Mapping[str, Room],
        suites: Sequence[Suite],
        kept: Path,
    ) -> None:
        self._clean = clean
        """Where no fault is ever planted."""
        self._places = places
        self._rooms = rooms
        self._suites = suites
        self._kept = kept
        self._usual: Mapping[str, float] = {}
        self.tell: Callable[[Result], None] = lambda result: None

    def grind(self, faults: Sequence[Fault], known: Mapping[str, str]) -> list[Result]:
        """First the test that is known for a fault; where that does not fail, all that reach it."""
        first = {fault: runs.recorded(known[fault.id], self._suites) for fault in faults if fault.id in known}
        results = {result.fault: result for result in self._confirmed(self._try(first)) if result.killed_by}
        if left := [fault for fault in faults if fault not in results]:
            reach = self._reach() if any(fault.file.endswith(".py") for fault in left) else None
            steps = {fault: self._steps(fault, reach) for fault in left}
            results |= {result.fault: result for result in self._confirmed(self._try(steps))}
        return [results[fault] for fault in faults]

    def _reach(self) -> Reach:
        if not is_current(self._kept, self._clean.root):
            print("Measuring which test reaches which line: some minutes", file=sys.stderr)
            make_map(self._kept, self._clean, self._rooms.values(), self._suites, len(self._places))
        reach = Reach(self._kept, self._suites)
        self._usual = {test: known.seconds for test, known in reach.tests.items()}
        return reach

    def _steps(self, fault: Fault, reach: Reach | None) -> list[Step]:
        try:
            text = (self._clean.root / fault.file).read_text(encoding="utf-8")
            return runs.reaching(fault, text, self._rooms[fault.room], reach, self._suites)
        except (Gone, FileNotFoundError):
            return []  # planting it says so

    def _try(self, steps: Mapping[Fault, Sequence[Step]]) -> Iterator[Result]:
        free: queue.SimpleQueue[Place] = queue.SimpleQueue()
        for place in self._places:
            free.put(place)

        def take(fault: Fault) -> Result:
            place = free.get()
            try:
                return runs.try_fault(place, fault, steps[fault], self._usual)
            finally:
                free.put(place)

        with ThreadPoolExecutor(len(self._places)) as pool:
            try:
                for future in as_completed([pool.submit(take, fault) for fault in steps]):
                    yield future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for place in self._places:
                    place.stop()
                raise

    def _confirmed(self, results: Iterator[Result]) -> list[Result]:
        """Only what fails on a fault and not without it has killed it."""
        tried = []
        for result in results:
            self.tell(result)
            tried.append(result)
        killers = {result.killed_by for result in tried if result.killed_by}
        failing = runs.failing_without_fault(self._clean, killers, self._suites)
        return [
            Result(result.fault, None, result.seconds, f"{result.killed_by} fails without it, too")
            if result.killed_by in failing
            else result
            for result in tried
        ]


if __name__ == "__main__":
    sys.exit(main())
