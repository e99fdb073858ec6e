"""A person's folder with samconfig.toml, from which the real SAM deploys to a CloudFormation of this machine."""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from lab.cloudformation import CloudFormation, Regions, Stack

ROOT: Final = Path(__file__).parents[2]
SAM: Final = ROOT / ".tools" / "sam" / "bin" / "sam"
CONFIRMATIONS: Final = 5
"""Confirm changes, role creation, rollback, save, and the two names of what is saved."""
HOME_REGION: Final = "us-east-1"


@dataclass
class Desk:
    """A folder with samconfig.toml and perhaps a template, and an account to deploy to."""

    folder: Path
    regions: Regions
    environment: Mapping[str, str]

    @property
    def config(self) -> Path:
        """The folder's samconfig.toml."""
        return self.folder / "samconfig.toml"

    @property
    def account(self) -> CloudFormation:
        """CloudFormation in the region of the environment."""
        return self.regions[HOME_REGION]

    @property
    def stack(self) -> Stack:
        """The steward's own stack there."""
        return self.account.stacks["ecr-steward"]

    def deploy(self, answers: str = "", *more: str) -> subprocess.CompletedProcess[str]:
        """As `make deploy` does, but for the build."""
        script = [sys.executable, str(ROOT / "tools" / "setup" / "deploy.py"), "--config-file", str(self.config)]
        return self.run(*script, "--template-file", str(self.folder / "template.yaml"), *more, answers=answers)

    def make(
        self, target: str, *, answers: str = "", environment: str = "", more: str = "", **region: str
    ) -> subprocess.CompletedProcess[str]:
        """Run make in the checkout, with this folder's samconfig.toml; ``environment`` is the one of that file."""
        given = ["make", "--no-print-directory", "-C", str(ROOT), target, f"ARGS=--config-file {self.config} {more}"]
        return self.run(*given, *([f"CONFIG_ENV={environment}"] if environment else []), answers=answers, **region)

    def run(self, *command: str, answers: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder, with these answers to what it asks."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **more},
            input=answers,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def environment_at(folder: Path, s3: str, cloudformation: str) -> Mapping[str, str]:
    """What a command needs to find CloudFormation, and S3 and STS, on this machine."""
    return {
        "PATH": f"{SAM.parent}:{ROOT / '.venv' / 'bin'}:/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "AWS_ENDPOINT_URL": s3,
        "AWS_ENDPOINT_URL_CLOUDFORMATION": cloudformation,
        "AWS_DEFAULT_REGION": HOME_REGION,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.01",
    }


def defaults(template: Path) -> dict[str, str]:
    """The parameters of a template; what has no default is ''."""
    text = template.read_text(encoding="utf-8").partition("Parameters:")[2].partition("\nConditions:")[0]
    parameters: dict[str, dict[str, Any]] = yaml.safe_load("x:" + text.partition("\nResources:")[0])["x"]
    return {name: str(each.get("Default", "")) for name, each in parameters.items()}


def prompts(output: str) -> dict[str, str]:
    """The parameters that were asked for, and what Enter meant."""
    return dict(re.findall(r"Parameter (\w+) \[(.*?)\]: ", output))


def answering(template: Path, **given: str) -> str:
    """Enter to all prompts but those for these parameters."""
    return "\n" * 2 + "".join(given.get(name, "") + "\n" for name in defaults(template)) + "\n" * (CONFIRMATIONS + 1)
