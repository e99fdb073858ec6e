"""Fixtures for every test."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from lab.runs import (  # noqa: F401
    pytest_collection,
    pytest_collection_modifyitems,
    pytest_make_parametrize_id,
    pytest_runtest_makereport,
)

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "events"


@pytest.fixture
def load_event() -> Callable[[str], Any]:
    """Read a sample payload of ``events/``, such as ``ecr_image_action/push_tagged``: a fresh copy every time."""

    def load(name: str) -> Any:
        return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))

    return load


@pytest.fixture(scope="session")
def build_for(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str], Path]:
    """What ``sam build`` makes of the sources as they are, for an architecture; not what `make build` once left.

    Nobody changes it: of several processes that run tests the first one builds, for all.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent

    def build(architecture: str) -> Path:
        folder, done = shared / f"build-{architecture}", shared / f"built-{architecture}"
        with FileLock(shared / "build.lock"):
            if not done.exists():
                sam_build(architecture, folder)
                done.touch()
        return folder

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
            "ECR_STEWARD_RULEBOOK": str(ROOT / "docs" / "rulebook" / "example" / "ecr-steward.yaml"),
            "SAM_CLI_TELEMETRY": "0",
        },
        check=False,
        timeout=300,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
