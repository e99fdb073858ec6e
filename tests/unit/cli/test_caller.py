"""Region, account and deployed steward of a command: from one place, whatever the command."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from ecr_steward_cli.caller import PROMPT, Caller, region_of
from ecr_steward_cli.planning.deployed import Deployed
from ecr_steward_cli.stacks import USUAL_STACK
from tests.command import run_here
from tests.given.aws import session

HERE, AWAY = "eu-west-1", "us-east-1"
TABLE = "kept-state"
TEMPLATE = {
    "Resources": {
        "StateTable": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": TABLE,
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
            },
        }
    },
    "Outputs": {"StateTableName": {"Value": {"Ref": "StateTable"}}},
}


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """The URL of an AWS that has the stack in one region alone."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    session(region=HERE).create_client("cloudformation", endpoint_url=url).create_stack(
        StackName=USUAL_STACK, TemplateBody=json.dumps(TEMPLATE)
    )
    yield url
    server.stop()


@pytest.fixture
def environment(aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """Set what a shell exports, and nothing else of AWS."""

    def export(**variables: str) -> dict[str, str]:
        (tmp_path / "config").write_text(f"[default]\nregion = {AWAY}\n[profile here]\nregion = {HERE}\n")
        everything = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": aws,
            "AWS_ACCESS_KEY_ID": "111122223333",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
            **variables,
        }
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in everything.items():
            monkeypatch.setenv(name, value)
        return everything

    return export


@pytest.mark.parametrize(
    ("variables", "given", "region"),
    [
        ({}, None, AWAY),
        ({"AWS_PROFILE": "here"}, None, HERE),
        ({"AWS_DEFAULT_REGION": "eu-west-3", "AWS_PROFILE": "here"}, None, "eu-west-3"),
        ({"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3", "AWS_PROFILE": "here"}, None, "eu-west-2"),
        ({"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}, HERE, HERE),
        ({"AWS_REGION": "", "AWS_PROFILE": "here"}, None, HERE),
    ],
)
def test_the_option_counts_before_the_environment_and_the_environment_before_the_profile(
    environment, variables, given, region
):
    """tools 6.3."""
    environment(**variables)

    assert region_of(given) == region
    assert Caller(given).clients.region == region


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["steps"], ["resume"], ["pause", "--reason", "x"], ["release-brake", "services", "--removals", "1"]],
)
@pytest.mark.parametrize(
    ("variables", "options"),
    [
        pytest.param({"AWS_REGION": HERE}, [], id="AWS_REGION"),
        pytest.param({"AWS_REGION": AWAY}, ["--region", HERE], id="the option"),
        pytest.param({"AWS_PROFILE": "here"}, [], id="the profile", marks=pytest.mark.slow),
    ],
)
def test_a_command_acts_on_the_steward_of_the_region_that_is_meant(
    environment, tmp_path, arguments, variables, options
):
    """tools 6.3: with AWS_REGION=eu-west-1 and a profile of us-east-1 these acted on the stack in us-east-1."""
    folder = {"folder": tmp_path, "environment": environment(**variables)}

    done = run_here(*arguments, *options, **folder)

    assert "Error" not in done.stderr
    assert "ES822" in run_here(*arguments, "--region", AWAY, **folder).stderr
    run_here("resume", "--region", HERE, **folder)


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan"],
        ["apply", "--yes"],
        ["lifecycle", "preview"],
        ["status"],
        ["steps"],
        ["pause", "--reason", "x"],
        ["resume"],
        ["release-brake", "services"],
        ["undo", "x"],
        ["quarantine", "team-a/api:1.0.0", "--reason", "x"],
        ["release", "team-a/api:1.0.0", "--reason", "x"],
        ["explain", "team-a/api"],
    ],
    ids=" ".join,
)
def test_a_region_that_aws_does_not_have_is_refused_with_the_nearest_one(
    environment, tmp_path, arguments, valid_rulebook
):
    """use P13: ``plan --region eu-wst-1`` said "No changes", and exited with 0."""
    (tmp_path / "ecr-steward.yaml").write_text(valid_rulebook)

    done = run_here(*arguments, "--region", "eu-wst-1", folder=tmp_path, environment=environment())

    assert done.returncode == 1
    assert done.stderr.startswith("Error: ES229 `eu-wst-1` is not a region of AWS; did you mean eu-west-1? ")


def test_the_steward_with_the_usual_name_counts_when_none_is_named(environment, capsys):
    """tools 6.5."""
    environment(AWS_REGION=HERE)

    assert Deployed().table(Caller(), to_apply=True) == TABLE
    assert capsys.readouterr().err == "note: pause, brakes, journal and releases of the stack ecr-steward count\n"


def test_one_line_says_so_when_there_is_no_deployed_steward(environment, capsys):
    """tools 6.5."""
    environment(AWS_REGION=AWAY)

    assert Deployed().table(Caller(), to_apply=True) is None
    assert capsys.readouterr().err.startswith(
        "note: no stack ecr-steward in us-east-1: no pause, brake or release of a "
    )


def test_nothing_is_asked_or_said_when_no_deployed_steward_is_to_count(environment, capsys):
    """tools 6.5."""
    environment(AWS_REGION=HERE, AWS_ENDPOINT_URL="http://127.0.0.1:1")

    assert Deployed(is_left_out=True).table(Caller(), to_apply=True) is None
    assert Deployed(table_name="mine").table(Caller(), to_apply=True) == "mine"
    assert capsys.readouterr().err == ""


def test_the_steward_in_aws_does_not_count_when_the_registry_is_a_local_one(environment, aws):
    """tools 6.5: what is done to an ECR on a laptop is no entry of the journal in AWS."""
    environment(
        AWS_REGION=HERE, AWS_ENDPOINT_URL="https://cloudformation.eu-west-1.amazonaws.com", AWS_ENDPOINT_URL_ECR=aws
    )

    assert Deployed().table(Caller(), to_apply=True) is None


def test_nothing_is_applied_when_it_cannot_be_known_whether_a_steward_is_paused(environment, capsys):
    """tools 6.5."""
    environment(AWS_REGION=HERE, AWS_ENDPOINT_URL="http://127.0.0.1:1")

    assert Deployed().table(Caller(), to_apply=False) is None
    with pytest.raises(SystemExit):
        Deployed().table(Caller(), to_apply=True)
    noted, refused = capsys.readouterr().err.splitlines()
    assert noted.startswith("note: whether there is a stack ecr-steward in eu-west-1, and a pause, is not known: ")
    assert refused.startswith("Error: ES822 ")
    assert refused.endswith("Name it with --stack-name or --table, or give --no-stack")


def test_nothing_is_applied_while_the_deployed_steward_is_paused(environment, tmp_path):
    """tools 6.5: after ``pause``, ``apply --yes`` changed registries all the same."""
    rule = "{name: all, mode: enforce, match: {repositories: ['**']}, repository: {scanning: on_push}}"
    (tmp_path / "ecr-steward.yaml").write_text(f"version: 1\nrules: [{rule}]\n")
    folder = {"folder": tmp_path, "environment": environment(AWS_REGION=HERE)}
    ecr = Caller().clients.other("ecr", PROMPT)
    ecr.create_repository(repositoryName="team-a/api")
    run_here("pause", "--reason", "a look first", **folder)

    planned, paused = run_here("plan", **folder), run_here("apply", "--yes", **folder)
    before = ecr.describe_repositories()["repositories"][0]["imageScanningConfiguration"]["scanOnPush"]
    alone = run_here("apply", "--yes", "--no-stack", **folder)
    after = ecr.describe_repositories()["repositories"][0]["imageScanningConfiguration"]["scanOnPush"]

    run_here("resume", **folder)
    assert "a look first" in planned.stderr
    assert (paused.returncode, before) == (1, False)
    assert "a look first" in paused.stdout
    assert (alone.returncode, after) == (0, True)
