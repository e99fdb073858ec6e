"""The real ``sam local invoke`` in a real Docker engine, on a build of its own."""

import json
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

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.xdist_group("containers")]


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
        timeout=1860,  # the run itself ends after 1800 and says so
        capture_output=True,
        text=True,
    )


def test_every_function_has_its_effect_and_nothing_is_left_behind_when_sam_invokes_it_with_each_event(
    build: Path, tmp_path: Path
) -> None:
    done = run(build, TMPDIR=str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"{len(CASES)} passed, 0 failed"
    assert list(tmp_path.iterdir()) == []
    processes = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert [words for words in processes if str(tmp_path).encode() in words] == []


def write_handler(build: Path, function: str, body: str) -> None:
    handler = f"def lambda_handler(event, context): {body}"
    (build / function / "app.py").write_text(handler, encoding="utf-8")


def drop_conditions_of_copies(build: Path) -> None:
    file = build / "RulebookLayer" / "rulebook.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    dropped = [copies.pop("when", None) for rule in document["rulebook"]["rules"] for copies in rule["replicate"]]
    assert ["scan_passed"] in dropped
    file.write_text(json.dumps(document), encoding="utf-8")


def test_run_fails_and_says_why_when_something_is_broken(build: Path, tmp_path: Path) -> None:
    broken = tmp_path / "build"
    shutil.copytree(build, broken)
    write_handler(broken, "EnforceImageTagsFunction", "raise KeyError('broken')")
    write_handler(broken, "ApplyRepositoryPoliciesFunction", "return {'outcomes': []}")
    write_handler(broken, "RefreshCredentialsFunction", "__import__('boto3').client('ecr').get_authorization_token()")
    drop_conditions_of_copies(broken)
    complaints = {
        "EnforceImageTagsFunction ecr_image_action/push_tagged": "the function raised KeyError",
        "ApplyRepositoryPoliciesFunction repository_pushed/team_a_api": "has not a repository policy",
        "RefreshCredentialsFunction": "the role of the function does not do: refused",
        "copy_job_from_verdict [payments/api: nothing found, a HIGH finding]": "the sandbox held",
    }

    done = run(broken, *(word for case in complaints for word in ("--only", case)))

    assert done.returncode == 1, done.stderr
    assert re.search(r"^0 passed, 4 failed$", done.stdout, re.MULTILINE)
    assert [complaint for complaint in complaints.values() if complaint not in done.stdout] == []
