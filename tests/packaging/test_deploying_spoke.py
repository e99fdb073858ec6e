"""`make deploy-spoke`, by the real SAM, against a CloudFormation, an S3 and an STS of this machine. A run takes 2 s."""

import shutil

import pytest

from lab.deploying import ROOT, SAM, Desk, answering, defaults, prompts

SPOKE = ROOT / "spoke.yaml"
HUB = {
    "HubAccount": "111122223333",
    "HubBusArn": "arn:aws:events:us-east-1:111122223333:event-bus/ecr-steward",
    "ExternalId": "0b5a2f60-1f6e-11f1-8e0a-0affd8e5b9ab",
}
NAME = "ecr-steward-spoke"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("deploying")]


def test_spoke_is_asked_for_once_then_changed_by_the_file_joined_by_a_region_and_deleted(desk: Desk) -> None:
    """In 12 s: five runs of make and SAM, and two deletions."""
    expected = defaults(SPOKE) | HUB
    first = desk.make("deploy-spoke", answers=answering(SPOKE, **HUB))

    assert first.returncode == 0, first.stdout + first.stderr
    assert f"Stack Name [{NAME}]" in first.stdout
    assert prompts(first.stdout) == defaults(SPOKE)
    stack = desk.account.stacks[NAME]
    assert (stack.status, stack.parameters) == ("CREATE_COMPLETE", expected)
    assert desk.account.created()[0]["Capabilities"] == ["CAPABILITY_NAMED_IAM"]

    again = desk.make("deploy-spoke")

    assert (again.returncode, prompts(again.stdout)) == (0, {}), again.stdout + again.stderr
    assert "No changes to deploy" in again.stdout
    assert (stack.status, stack.parameters) == ("CREATE_COMPLETE", expected)

    kept = desk.config.read_text(encoding="utf-8")
    desk.config.write_text(kept.replace(r"SeeWorkloads=\"false\"", r"SeeWorkloads=\"true\""), encoding="utf-8")
    changed = desk.make("deploy-spoke")

    assert (changed.returncode, prompts(changed.stdout)) == (0, {}), changed.stdout + changed.stderr
    assert (stack.status, stack.parameters) == ("UPDATE_COMPLETE", expected | {"SeeWorkloads": "true"})

    answers = answering(SPOKE, **HUB, CreateRoles="false")
    europe = desk.make("deploy-spoke", answers=answers, environment="europe", more="--region eu-west-1")

    assert europe.returncode == 0, europe.stdout + europe.stderr
    assert (f"Stack Name [{NAME}]" in europe.stdout, "AWS Region [eu-west-1]" in europe.stdout) == (True, True)
    assert desk.regions["eu-west-1"].stacks[NAME].parameters == expected | {"CreateRoles": "false"}
    assert stack.parameters == expected | {"SeeWorkloads": "true"}
    unchanged = desk.make("deploy-spoke", environment="europe")
    assert (unchanged.returncode, "No changes to deploy" in unchanged.stdout) == (0, True), unchanged.stderr

    for region in ("eu-west-1", "us-east-1"):  # as docs/deploy/uninstall.md says, but for the questions
        command = [str(SAM), "delete", "--stack-name", NAME, "--region", region, "--no-prompts"]
        deleted = desk.run(*command, "--config-file", str(desk.config))
        assert (deleted.returncode, desk.regions[region].deleted) == (0, [NAME]), deleted.stdout + deleted.stderr


def test_further_region_is_refused_under_the_name_of_another(desk: Desk) -> None:
    """What is kept says CreateRoles=true. In 2 s."""
    config = desk.config.read_text(encoding="utf-8")
    desk.config.write_text(config + 'region = "us-east-1"\n', encoding="utf-8")

    refused = desk.make("deploy-spoke", more="--region eu-west-1")

    assert refused.returncode == 2
    assert "samconfig.toml keeps region=us-east-1 for the environment spoke" in refused.stderr
    assert desk.regions["eu-west-1"].stacks == {}


def test_stack_that_another_clone_deployed_is_changed_in_the_region_asked_for(desk: Desk) -> None:
    """What a stack has is sent again. In 6 s."""
    deployed = desk.make("deploy-spoke", answers=answering(SPOKE, **HUB, SeeWorkloads="true"))
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    shutil.copy(ROOT / "samconfig.toml", desk.config)  # a new clone

    again = desk.make("deploy-spoke")
    assert (again.returncode, prompts(again.stdout)) == (0, {}), again.stdout + again.stderr
    assert desk.account.stacks[NAME].parameters == defaults(SPOKE) | HUB | {"SeeWorkloads": "true"}

    asked = desk.make("deploy-spoke", answers=answering(SPOKE, **HUB, CreateRoles="false"), more="--region eu-west-1")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert desk.regions["eu-west-1"].stacks[NAME].parameters == defaults(SPOKE) | HUB | {"CreateRoles": "false"}
