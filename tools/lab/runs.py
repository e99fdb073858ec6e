"""What all runs of tests have in common: settings of hypothesis, no skip in CI, and who runs what of several processes.

A conftest.py imports the hooks from here.
"""

import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more of what else the machine does than of the code.
# CI tries ten times as many examples as a person before each commit.
settings.register_profile(
    "any machine",
    deadline=None,
    max_examples=100 if os.environ.get("CI") else 10,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")

LONGEST = (
    "containers",
    "release",
    "tests/faults/test_kills.py",
    "roles: ",
    "tests/sandbox/test_real_account_mode.py",
    "tests/integration/test_killed_workers.py",
    "tests/sandbox/demo/",
    "tests/sandbox/test_foreground.py",
    "packages: ",
)
"""How the groups begin that take longest, the longest first: begun last, one would keep a single process busy alone."""

LONGEST_ID = 500


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays to the end: the garbage collector need not walk through it, ever."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 10)
        gc.enable()


def pytest_make_parametrize_id(val: object) -> str | None:
    """A long text is named by its beginning: the id of a test goes to and from each process with every report."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_ID:
        begin = val[:LONGEST_ID] if isinstance(val, str) else repr(val[:LONGEST_ID])
        return f"{begin}... of {len(val)}"
    return None


@pytest.hookimpl(tryfirst=True)  # xdist looks at the groups before a conftest.py has its turn
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process run each file, as `--dist loadfile` does, unless a test names its group; the long ones first."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
    slow = {_group(item) for item in items if any(item.get_closest_marker(name) for name in ("slow", "client"))}

    def turn(item: pytest.Item) -> tuple[int, bool]:
        group = _group(item)
        place = next((number for number, begin in enumerate(LONGEST) if group.startswith(begin)), len(LONGEST))
        return place, group not in slow

    items.sort(key=turn)


def _group(item: pytest.Item) -> str:
    mark = item.get_closest_marker("xdist_group")
    return str(mark.args[0]) if mark else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that lacks its client or engine is skipped with what to install; where CI=true, that is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"CI=true allows no skipped test. {reason}"
    return report
