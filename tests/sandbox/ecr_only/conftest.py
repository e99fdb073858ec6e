"""ECR alone, and the commands that speak to it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecr_steward_sandbox.ecr_only import EcrOnly
from local_ecr.options import StartOptions
from tests.command import run_here

ACCOUNT = "111122223333"

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ecr(tmp_path: Path) -> Iterator[EcrOnly]:
    with EcrOnly(StartOptions(data=tmp_path / "ecr")) as ecr:
        yield ecr


@pytest.fixture
def run(ecr: EcrOnly, tmp_path: Path) -> Run:
    """Run a command of `ecr-steward sandbox` with the environment that `up` says to export."""
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": ecr.endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "any",
    }

    def run_command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return run_here("sandbox", *map(str, arguments), folder=tmp_path, environment=environment)

    return run_command
