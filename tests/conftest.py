"""Fixtures for every test."""

import functools
import gc
import json
import os
import subprocess
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import botocore.hooks
import botocore.loaders
import botocore.session
import pytest
from botocore.hooks import EventAliaser
from hypothesis import HealthCheck, settings

# How long an example takes says more of what else the machine does than of the code.
# CI tries four times as many examples as a person before each commit.
settings.register_profile(
    "any machine",
    deadline=None,
    max_examples=100 if os.environ.get("CI") else 25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "events"


@pytest.fixture(scope="session", autouse=True)
def botocore_prepared_once() -> Iterator[None]:
    """botocore works out anew for each session and each client what never changes, which is most of what they take.

    Here it does so once: the models of services, by which names an event goes, and whether a handler takes keywords.
    """
    aliaser, alias = EventAliaser(None), EventAliaser._alias_event_name
    look, known = botocore.hooks.accepts_kwargs, functools.cache(botocore.hooks.accepts_kwargs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", functools.cache(botocore.loaders.create_loader))
        patch.setattr(EventAliaser, "_alias_event_name", lambda self, name: alias(aliaser, name))
        # What is remembered stays; a bound method would keep the client that it belongs to.
        patch.setattr(
            botocore.hooks,
            "accepts_kwargs",
            lambda handler: (known if isinstance(handler, FunctionType) else look)(handler),
        )
        yield


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


@pytest.fixture
def load_event() -> Callable[[str], Any]:
    """Read a sample payload of ``events/``, such as ``ecr_image_action/push_tagged``: a fresh copy every time."""

    def load(name: str) -> Any:
        return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))

    return load


@pytest.fixture(scope="session")
def build_for(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """What ``sam build`` makes of the sources as they are, for an architecture; not what `make build` once left."""
    builds: dict[str, Path] = {}

    def build(architecture: str) -> Path:
        if architecture not in builds:
            folder = tmp_path_factory.mktemp(architecture) / "build"
            sam_build(architecture, folder)
            builds[architecture] = folder
        return builds[architecture]

    return build


def sam_build(architecture: str, folder: Path) -> None:
    """Build all functions and Lambda layers into a folder, as `make build` does."""
    done = subprocess.run(
        ["sam", "build", "--build-dir", folder, "--parameter-overrides", f"Architecture={architecture}"],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
            "ECR_STEWARD_ARCHITECTURE": architecture,
            "SAM_CLI_TELEMETRY": "0",
        },
        check=False,
        timeout=300,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that lacks its client or engine is skipped with what to install; where CI=true, that is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"CI=true allows no skipped test. {reason}"
    return report
