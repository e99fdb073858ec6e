"""``ecr-steward demo``: it says what is wrong with what it is given, and ends cleanly when it is interrupted.

That every act holds is shown where the wheels are installed: tests/packaging/test_release.py plays the story, once.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def start(build: Path, tmp_path: Path, *options: str) -> "subprocess.Popen[str]":
    """The demo as a process of its own, whose temporary folders can be looked at."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    return subprocess.Popen(
        [Path(sys.executable).with_name("ecr-steward"), "demo", "--build", build, *options],
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", ["Starting the sandbox", "Act 2"])
def test_nothing_is_left_and_no_traceback_is_shown_when_it_is_interrupted(
    build: Path, tmp_path: Path, number: signal.Signals, after: str
) -> None:
    with start(build, tmp_path) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith(after):
                demo.send_signal(number)
                break
        _, errors = demo.communicate(timeout=30)

    assert demo.returncode == 130
    assert errors.strip() == "Interrupted: nothing is left running."
    assert list((tmp_path / "temporary").iterdir()) == []


def test_reason_and_a_way_out_are_told_when_the_image_is_no_layout(build: Path, tmp_path: Path) -> None:
    with start(build, tmp_path, "--image", "alpine:3") as demo:
        _, errors = demo.communicate(timeout=60)

    assert demo.returncode == 1
    assert errors.startswith("Error: ES816 ecr-steward demo: alpine:3 is no folder with an OCI image layout")
    assert "skopeo copy" in errors
