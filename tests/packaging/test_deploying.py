"""`make deploy` and `sam deploy`, by the real SAM, against a CloudFormation, an S3 and an STS of this machine."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from moto.server import ThreadedMotoServer

from ecr_steward_cli.parameters import bounds_of
from lab.cloudformation import CloudFormation, Stack, serving_cloudformation

ROOT = Path(__file__).parents[2]
SAM = ROOT / ".tools" / "sam" / "bin" / "sam"
CONFIRMATIONS = 5  # confirm changes, role creation, rollback, save, and the two names of what is saved

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("deploying")]


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """S3 and STS."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@dataclass
class Desk:
    """A folder with samconfig.toml and template, and an account to deploy to."""

    folder: Path
    account: CloudFormation
    environment: Mapping[str, str]

    @property
    def config(self) -> Path:
        return self.folder / "samconfig.toml"

    @property
    def stack(self) -> Stack:
        return self.account.stacks["ecr-steward"]

    def deploy(self, answers: str = "", *more: str) -> subprocess.CompletedProcess[str]:
        """As `make deploy` does, but for the build."""
        script = [sys.executable, str(ROOT / "tools" / "setup" / "deploy.py"), "--config-file", str(self.config)]
        return self.run(*script, "--template-file", str(self.folder / "template.yaml"), *more, answers=answers)

    def run(self, *command: str, answers: str = "", **more: str) -> subprocess.CompletedProcess[str]:
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


@pytest.fixture
def desk(s3: str, tmp_path: Path) -> Iterator[Desk]:
    with serving_cloudformation(s3) as (endpoint, account):
        shutil.copy(ROOT / "samconfig.toml", tmp_path)
        (tmp_path / "template.yaml").write_text(_without_code(ROOT / "template.yaml"), encoding="utf-8")
        environment = {
            "PATH": f"{SAM.parent}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "LANG": "C.UTF-8",
            "AWS_ENDPOINT_URL": s3,
            "AWS_ENDPOINT_URL_CLOUDFORMATION": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.01",
        }
        yield Desk(tmp_path, account, environment)


def _without_code(template: Path) -> str:
    """The real parameters, and a resource that has a name."""
    parameters = template.read_text(encoding="utf-8").partition("Parameters:")[2].partition("\nConditions:")[0]
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "PullOnlyRoleName"}}}
    resources = yaml.safe_dump({"Resources": {"PullOnlyRole": role}})
    return f"AWSTemplateFormatVersion: '2010-09-09'\nParameters:{parameters}\n{resources}"


def defaults(template: Path) -> dict[str, str]:
    text = template.read_text(encoding="utf-8").partition("Parameters:")[2].partition("\nConditions:")[0]
    parameters: dict[str, dict[str, Any]] = yaml.safe_load("x:" + text.partition("\nResources:")[0])["x"]
    return {name: str(each["Default"]) for name, each in parameters.items()}


def prompts(output: str) -> dict[str, str]:
    """The parameters that were asked for, and what Enter meant."""
    return dict(re.findall(r"Parameter (\w+) \[(.*?)\]: ", output))


def answering(**given: str) -> str:
    """Enter to all prompts but those for these parameters."""
    names = defaults(ROOT / "template.yaml")
    return "\n" * 2 + "".join(given.get(name, "") + "\n" for name in names) + "\n" * (CONFIRMATIONS + 1)


def test_enter_alone_deploys_what_was_built_and_a_second_time_nothing_is_asked_and_nothing_changes(
    desk: Desk, build_for: Callable[[str], Path]
) -> None:
    """aws B1, and minor 2: a deployment without a change succeeds."""
    built = build_for("x86_64")
    shutil.copytree(built, desk.folder, dirs_exist_ok=True)
    pinned = desk.run(sys.executable, str(ROOT / "tools/setup/pin_architecture.py"), "template.yaml", "x86_64")
    assert pinned.returncode == 0, pinned.stderr

    first = desk.run(str(SAM), "deploy", "--guided", answers=answering(), PATH=str(SAM.parent))

    assert first.returncode == 0, first.stdout + first.stderr
    assert "Stack Name [ecr-steward]" in first.stdout
    expected = defaults(ROOT / "template.yaml") | {"Architecture": "x86_64"}
    assert prompts(first.stdout) == expected
    assert (desk.stack.status, desk.stack.parameters) == ("CREATE_COMPLETE", expected)
    assert desk.account.created()[0]["Capabilities"] == ["CAPABILITY_NAMED_IAM"]

    second = desk.run(str(SAM), "deploy", PATH=str(SAM.parent))

    assert second.returncode == 0, second.stdout + second.stderr
    assert "No changes to deploy" in second.stdout
    assert desk.stack.parameters == expected


def test_what_was_answered_is_kept_by_file_and_by_stack(desk: Desk) -> None:
    """aws M3."""
    given = {
        "SpokeAccounts": "222233334444,333344445555",
        "RulebookBucket": "my-rules",
        "SweepSchedule": "rate(4 hours)",
    }
    expected = defaults(ROOT / "template.yaml") | given
    asked = desk.deploy(answering(**given))
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert desk.stack.parameters == expected
    assert bounds_of(desk.folder / "rules.yaml", [], "default").connected == {"222233334444", "333344445555"}

    template = desk.folder / "template.yaml"
    template.write_text(template.read_text(encoding="utf-8") + "Description: newer\n", encoding="utf-8")
    again = desk.deploy()

    assert (again.returncode, prompts(again.stdout)) == (0, {}), again.stdout + again.stderr
    assert (desk.stack.status, desk.stack.parameters) == ("UPDATE_COMPLETE", expected)

    desk.config.write_text(desk.config.read_text(encoding="utf-8").replace("rate(4 hours)", "rate(3 hours)"))
    changed = desk.deploy()

    assert changed.returncode == 0, changed.stdout + changed.stderr
    assert desk.stack.parameters == expected | {"SweepSchedule": "rate(3 hours)"}

    refused = desk.deploy("", "--architecture", "x86_64")
    assert (refused.returncode, refused.stderr) == (
        1,
        "Error: samconfig.toml keeps Architecture=arm64: to change it, change it there\n",
    )

    shutil.copy(ROOT / "samconfig.toml", desk.config)  # a new clone
    elsewhere = desk.deploy()

    assert (elsewhere.returncode, prompts(elsewhere.stdout)) == (0, {}), elsewhere.stdout + elsewhere.stderr
    assert desk.stack.parameters == expected | {"SweepSchedule": "rate(3 hours)"}


def test_a_first_deployment_that_fails_is_deleted_and_begun_anew(desk: Desk) -> None:
    desk.account.failing = {"PullOnlyRole"}

    failed = desk.deploy(answering())

    assert failed.returncode == 1, failed.stdout
    assert (desk.stack.status, "AlreadyExists" in failed.stdout) == ("ROLLBACK_COMPLETE", True)

    refused = desk.deploy()
    assert refused.returncode == 1
    assert "delete it with `sam delete --stack-name ecr-steward`" in refused.stderr

    deleted = desk.run(str(SAM), "delete", "--no-prompts", "--config-file", str(desk.config), "--region", "us-east-1")
    assert (deleted.returncode, desk.account.deleted) == (0, ["ecr-steward"]), deleted.stdout + deleted.stderr

    desk.account.failing = set()
    assert desk.deploy().returncode == 0
    assert (desk.stack.status, desk.stack.parameters) == ("CREATE_COMPLETE", defaults(ROOT / "template.yaml"))


def test_an_update_that_fails_changes_no_parameter(desk: Desk) -> None:
    assert desk.deploy(answering()).returncode == 0
    desk.account.failing = {"PullOnlyRole"}

    failed = desk.deploy("", "--parameter-overrides", "SpokeAccounts=222233334444")

    assert failed.returncode == 1, failed.stdout
    assert (desk.stack.status, desk.stack.parameters["SpokeAccounts"]) == ("UPDATE_ROLLBACK_COMPLETE", "")
