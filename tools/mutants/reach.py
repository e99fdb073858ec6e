"""Which tests reach a line: measured once for a state of the checkout by coverage, with a context for each test."""

import ast
import hashlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coverage import CoverageData

from mutants.faults import Fault, Room, Suite
from mutants.places import Place

FAST = "not slow and not client and not docker"
LONGEST = 3600


@dataclass(frozen=True)
class Test:
    seconds: float
    passes: bool


class Reach:
    """The map, as it lies in a folder."""

    def __init__(self, folder: Path, suites: Sequence[Suite]) -> None:
        self._root = Path(json.loads((folder / "map.json").read_text(encoding="utf-8"))["root"])
        self._data: list[tuple[Suite, CoverageData]] = []
        self.tests: dict[str, Test] = {}
        """All tests of the map, by node id."""
        for suite in suites:
            data = CoverageData(str(folder / f"{_name(suite)}.coverage"))
            data.read()
            self._data.append((suite, data))
            self.tests |= dict(_tests(suite, folder / f"{_name(suite)}.notes"))

    def of(self, fault: Fault, text: str) -> list[str]:
        """The tests that reach the line of a fault, and pass without it."""
        by_line: dict[int, set[str]] = {}
        for suite, data in self._data:
            for line, contexts in data.contexts_by_lineno(str(self._root / fault.file)).items():
                ids = {suite.outside(context.rpartition("|")[0]) for context in contexts if context}
                by_line.setdefault(line, set()).update(ids)
        found = reaching(fault.line_in(text), text, by_line)
        return [test for test in found if test in self.tests and self.tests[test].passes]


def reaching(line: int, text: str, by_line: Mapping[int, Collection[str]]) -> set[str]:
    """The tests of a line; or, where none is reported or it runs at import alone, of what is around it.

    That is the statement, then the innermost function, then the class, then the file.
    """
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt) and _has(node, line)]
    nodes.sort(key=lambda node: _last(node) - node.lineno)
    spans = [range(line, line + 1), *(range(node.lineno, _last(node) + 1) for node in nodes)]
    for span in spans:
        if found := {test for number in span for test in by_line.get(number, ())}:
            return found
    return {test for tests in by_line.values() for test in tests}


def make_map(folder: Path, place: Place, rooms: Collection[Room], suites: Sequence[Suite], workers: int) -> None:
    """Run the tests of the map in a copy of the checkout, and keep what came of it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    code = {file.parent for room in rooms for file in room.files_in(place.root) if file.suffix == ".py"}
    for suite in suites:
        name = _name(suite)
        command = ["pytest", "-q", "-n", str(workers), "--dist", "loadfile", "-m", FAST, "--hypothesis-seed=13"]
        command += ["-p", "mutants.plugin", f"--notes={folder / name}.notes", "--cov-context=test", "--cov-report="]
        command += [f"--cov={each}" for each in sorted(code)]
        command += [f"--ignore={path}" for path in suite.without] + list(suite.tests)
        settings = {"COVERAGE_FILE": f"{folder / name}.coverage", "COVERAGE_CORE": "ctrace"}
        exit_code, printed = place.run(
            ["env", *(f"{key}={value}" for key, value in settings.items()), *command],
            place.root / suite.folder,
            seconds=LONGEST,
        )
        (folder / f"{name}.log").write_text(printed, encoding="utf-8")
        if exit_code not in (0, 1):
            raise SystemExit(f"the map of coverage cannot be made: see {folder / name}.log")
    (folder / "map.json").write_text(
        json.dumps({"root": str(place.root), "of": state_of(place.root)}), encoding="utf-8"
    )


def is_current(folder: Path, checkout: Path) -> bool:
    """Whether the map was made of these sources and tests."""
    path = folder / "map.json"
    return path.exists() and json.loads(path.read_text(encoding="utf-8"))["of"] == state_of(checkout)


def state_of(root: Path) -> str:
    """A digest of all code."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        if not {".venv", ".tools", ".aws-sam", ".mutants", "mutants"} & set(path.relative_to(root).parts):
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _tests(suite: Suite, notes: Path) -> Iterator[tuple[str, Test]]:
    failed = set()
    for line in notes.read_text(encoding="utf-8").splitlines():
        match json.loads(line):
            case {"failed": str(test)}:
                failed.add(test)
            case {"ended": str(test), "seconds": float(seconds) | int(seconds)}:
                yield suite.outside(test), Test(seconds, test not in failed)


def _name(suite: Suite) -> str:
    return "steward" if suite.folder == "." else suite.folder.replace("/", "-")


def _has(node: ast.stmt, line: int) -> bool:
    return _first(node) <= line <= _last(node)


def _first(node: ast.stmt) -> int:
    """Decorators belong to what they decorate."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def _last(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno
