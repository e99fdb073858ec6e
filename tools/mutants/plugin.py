"""A pytest plugin, ``-p mutants.plugin``: run chosen tests, and note of each when it began and how it ended.

Notes are lines of JSON, written at once: they are there when the run is killed.
"""

import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chosen", type=Path, help="a JSON list of node ids: no others run, and files in its order")
    parser.addoption("--notes", type=Path, help="where the notes go")


def pytest_configure(config: pytest.Config) -> None:
    if (path := config.getoption("--notes")) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Notes(path))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if path := config.getoption("--chosen"):
        chosen = json.loads(path.read_text(encoding="utf-8"))
        files = {file: place for place, file in enumerate(dict.fromkeys(map(_file, chosen)))}
        ids = set(chosen)
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in ids])
        items[:] = [item for item in items if item.nodeid in ids]
        items.sort(key=lambda item: files[_file(item.nodeid)])


def _file(test: str) -> str:
    return test.partition("::")[0]


class Notes:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._seconds: dict[str, float] = defaultdict(float)
        self._failed: set[str] = set()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._note(began=nodeid, at=time.time())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration
        if report.failed and report.nodeid not in self._failed:
            self._failed.add(report.nodeid)
            self._note(failed=report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._note(failed=report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._note(ended=nodeid, seconds=round(self._seconds[nodeid], 3))

    def _note(self, **what: Any) -> None:
        with self._path.open("a", encoding="utf-8") as notes:
            print(json.dumps(what), file=notes)
