"""The real ``sam local invoke`` in a real Docker engine, on a build of its own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sam_local.cases import CASES
from sam_local.engine import ARCHITECTURE, what_is_missing

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.docker, pytest.mark.slow]


@pytest.fixture(scope="module", autouse=True)
def _engine() -> None:
    if missing := what_is_missing():
        pytest.skip(missing)


@pytest.fixture(scope="module")
def build(build_for: Callable[[str], Path]) -> Path:
    return build_for(ARCHITECTURE)


def run(build: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sam_local", "--build", build, *arguments],
        env={**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}", "CI": "true", **environment},
        check=False,
        timeout=600,
        capture_output=True,
        text=True,
    )


def test_every_function_has_its_effect_when_sam_invokes_it_with_each_event(build: Path) -> None:
    done = run(build)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"{len(CASES)} passed, 0 failed"


@pytest.mark.parametrize(
    ("broken_handler", "complaint"),
    [
        ("def lambda_handler(event, context): raise KeyError('broken')", "the function raised KeyError"),
        ("def lambda_handler(event, context): return {'outcomes': []}", "the image has the tags ['1.4.2']"),
    ],
    ids=["raises", "does-nothing"],
)
def test_run_fails_and_says_why_when_a_function_is_broken(
    build: Path, tmp_path: Path, broken_handler: str, complaint: str
) -> None:
    broken = tmp_path / "build"
    shutil.copytree(build, broken)
    (broken / "EnforceImageTagsFunction" / "app.py").write_text(broken_handler, encoding="utf-8")

    done = run(broken, "--only", "EnforceImageTagsFunction ecr_image_action/push_tagged")

    assert done.returncode == 1, done.stderr
    assert complaint in done.stdout
    assert re.search(r"^0 passed, 1 failed$", done.stdout, re.MULTILINE)


def test_nothing_is_left_behind_when_a_run_has_ended(build: Path, tmp_path: Path) -> None:
    done = run(build, "--only", "ReconcileRegistryFunction", TMPDIR=str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
    processes = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert [words for words in processes if str(tmp_path).encode() in words] == []
