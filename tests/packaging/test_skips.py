"""A test that cannot run here says what to install; in CI nothing may be missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKIPPING = """
import pytest

def test_needs_a_client():
    pytest.skip("install skopeo: apt-get install skopeo")
"""


@pytest.mark.slow
@pytest.mark.parametrize("tests", ["tests", "packages/local-ecr/tests"])
@pytest.mark.parametrize(("ci", "exit_code"), [("", 0), ("true", 1)])
def test_a_skip_is_a_failure_when_ci_is_true(tests: str, ci: str, exit_code: int, tmp_path: Path) -> None:
    shutil.copy(ROOT / tests / "conftest.py", tmp_path)
    (tmp_path / "test_skipping.py").write_text(SKIPPING, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-ra", "-c", os.devnull, "--rootdir", tmp_path, tmp_path],
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT / "tools")},
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
    )

    assert done.returncode == exit_code
    assert "install skopeo: apt-get install skopeo" in done.stdout
