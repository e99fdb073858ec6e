"""A folder with a rulebook, and the command that tests it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from ecr_steward_cli.app import app

RULEBOOK = """\
version: 1
rules:
  - name: services
    match: {repositories: ["team-*/**"]}
    mode: enforce
    image_tags: {allow: [semver], deny: [latest], on_violation: quarantine}
    repository: {scanning: on_push}
    scan: {fail_on: {severity: HIGH}}
    replicate: [{to: [{region: eu-west-1}], when: [scan_passed]}]
  - name: everything
    match: {repositories: ["**"], resource_tags: {tier: prod}}
    repository: {mutability: {immutable: true, except: ["*-latest"]}}
waivers:
  - {finding: CVE-2026-50002, repositories: ["team-a/**"], until: 2026-11-26, reason: never reached}
"""

type RunTest = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    (tmp_path / "ecr-steward.yaml").write_text(RULEBOOK, encoding="utf-8")
    yield tmp_path


@pytest.fixture
def run_test(folder: Path) -> RunTest:
    """Run ``ecr-steward test``; cases that are given are written to ``ecr-steward-test.yaml`` first."""

    def run(*arguments: str, cases: list[Any] | None = None) -> Any:
        if cases is not None:
            with (folder / "ecr-steward-test.yaml").open("w", encoding="utf-8") as file:
                YAML().dump({"version": 1, "cases": cases}, file)
        return CliRunner().invoke(app, ["test", *arguments])

    return run


@pytest.fixture
def failures_of(run_test: RunTest) -> Callable[..., list[str]]:
    """Why a case fails with these facts and this expectation; nothing where it passes."""

    def find(expect: dict[str, Any], **given: Any) -> list[str]:
        case = {
            "name": "case",
            "given": {"repository": "team-a/api", "settings": "as_ruled", **given},
            "expect": expect,
        }
        done = run_test("--format", "json", cases=[case])
        (result,) = json.loads(done.stdout)["files"][0]["cases"]
        assert (done.exit_code == 0) is result["passed"]
        reasons: list[str] = result["reasons"]
        return reasons

    return find
