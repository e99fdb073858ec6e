"""What make says to people: where it runs, what there is, and what a build must be told."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = [
    "help",
    "setup",
    "demo",
    "check",
    "test",
    "test-all",
    "sam-local",
    "build",
    "bench",
    "bench-security",
    "sandbox",
    "clean",
    "deploy",
    "deploy-spoke",
    "real-account",
]


def make(*arguments: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "ECR_STEWARD"))
    }
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        env=inherited | environment,
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
    )


def pretend(commands: Mapping[str, str], folder: Path) -> str:
    """A PATH on which these commands answer something else."""
    for name, script in commands.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    "system",
    [
        pytest.param({"uname": "case $1 in -s) echo Darwin ;; *) echo arm64 ;; esac"}, id="macOS"),
        pytest.param({"uname": "case $1 in -s) echo MINGW64_NT-10.0 ;; *) echo x86_64 ;; esac"}, id="Windows"),
        pytest.param({"uname": "case $1 in -s) echo Linux ;; *) echo riscv64 ;; esac"}, id="other-machine"),
        pytest.param({"getconf": "exit 1"}, id="musl"),
    ],
)
def test_make_stops_with_one_sentence_when_the_system_cannot_run_it(system: Mapping[str, str], tmp_path: Path) -> None:
    answer = make("check", PATH=pretend(system, tmp_path))

    assert answer.returncode == 2
    assert answer.stdout == ""
    assert len(answer.stderr.splitlines()) == 1
    assert "container or virtual machine" in answer.stderr


def test_help_lists_every_target_with_a_sentence_when_asked() -> None:
    answer = make("help")

    listed = dict(re.findall(r"^  make ([a-z-]+) +(\S.*)$", answer.stdout, re.MULTILINE))
    assert set(TARGETS) <= listed.keys()
    assert make().stdout == answer.stdout


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_build_is_of_this_machine_when_nothing_else_is_asked(machine: str, tmp_path: Path) -> None:
    path = pretend({"uname": f"case $1 in -s) echo Linux ;; *) echo {machine} ;; esac"}, tmp_path)

    plan = make("--dry-run", "--always-make", "build", PATH=path).stdout

    assert f"Architecture={'x86_64' if machine == 'x86_64' else 'arm64'}" in plan


@pytest.mark.parametrize(("given", "asked"), [([], ""), (["ARCHITECTURE=x86_64"], "--architecture x86_64")])
def test_deploy_is_for_the_architecture_that_is_kept_when_none_is_given(given: list[str], asked: str) -> None:
    plan = make("--dry-run", "deploy", *given).stdout

    assert f"python tools/setup/deploy.py {asked} --config-env default" in plan


def test_layer_build_fails_and_says_why_when_it_is_not_told_the_architecture(tmp_path: Path) -> None:
    answer = make("build-CoreLayer", folder=ROOT / "layers" / "core", ARTIFACTS_DIR=str(tmp_path))

    assert answer.returncode == 2
    assert "ECR_STEWARD_ARCHITECTURE" in answer.stderr
    assert list(tmp_path.iterdir()) == []
