"""`make deploy` and `sam deploy`, by the real SAM, against a CloudFormation, an S3 and an STS of this machine."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ecr_steward_cli.parameters import bounds_of
from lab.deploying import ROOT, SAM, Desk, answering, defaults, prompts

TEMPLATE = ROOT / "template.yaml"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("deploying")]


def _without_code(template: Path) -> str:
    """The real parameters, and a resource that has a name."""
    parameters = template.read_text(encoding="utf-8").partition("Parameters:")[2].partition("\nConditions:")[0]
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "PullOnlyRoleName"}}}
    resources = yaml.safe_dump({"Resources": {"PullOnlyRole": role}})
    return f"AWSTemplateFormatVersion: '2010-09-09'\nParameters:{parameters}\n{resources}"


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """With a template beside samconfig.toml."""
    (desk.folder / "template.yaml").write_text(_without_code(TEMPLATE), encoding="utf-8")
    return desk


def test_enter_alone_deploys_what_was_built_and_a_second_time_nothing_is_asked_and_nothing_changes(
    desk: Desk, build_for: Callable[[str], Path]
) -> None:
    """aws B1, and minor 2: a deployment without a change succeeds."""
    built = build_for("x86_64")
    shutil.copytree(built, desk.folder, dirs_exist_ok=True)
    pinned = desk.run(sys.executable, str(ROOT / "tools/setup/pin_architecture.py"), "template.yaml", "x86_64")
    assert pinned.returncode == 0, pinned.stderr

    first = desk.run(str(SAM), "deploy", "--guided", answers=answering(TEMPLATE), PATH=str(SAM.parent))

    assert first.returncode == 0, first.stdout + first.stderr
    assert "Stack Name [ecr-steward]" in first.stdout
    expected = defaults(TEMPLATE) | {"Architecture": "x86_64"}
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
    expected = defaults(TEMPLATE) | given
    asked = desk.deploy(answering(TEMPLATE, **given))
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

    failed = desk.deploy(answering(TEMPLATE))

    assert failed.returncode == 1, failed.stdout
    assert (desk.stack.status, "AlreadyExists" in failed.stdout) == ("ROLLBACK_COMPLETE", True)

    refused = desk.deploy()
    assert refused.returncode == 1
    assert "delete it with `sam delete --stack-name ecr-steward`" in refused.stderr

    deleted = desk.run(str(SAM), "delete", "--no-prompts", "--config-file", str(desk.config), "--region", "us-east-1")
    assert (deleted.returncode, desk.account.deleted) == (0, ["ecr-steward"]), deleted.stdout + deleted.stderr

    desk.account.failing = set()
    assert desk.deploy().returncode == 0
    assert (desk.stack.status, desk.stack.parameters) == ("CREATE_COMPLETE", defaults(TEMPLATE))


def test_an_update_that_fails_changes_no_parameter(desk: Desk) -> None:
    assert desk.deploy(answering(TEMPLATE)).returncode == 0
    desk.account.failing = {"PullOnlyRole"}

    failed = desk.deploy("", "--parameter-overrides", "SpokeAccounts=222233334444")

    assert failed.returncode == 1, failed.stdout
    assert (desk.stack.status, desk.stack.parameters["SpokeAccounts"]) == ("UPDATE_ROLLBACK_COMPLETE", "")
