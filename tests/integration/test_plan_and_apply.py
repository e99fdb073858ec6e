"""The commands `plan` and `apply`, run as people run them, against a local ECR."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from local_ecr.ecr import LocalEcr
from local_ecr.server import LocalEcrServer

ACCOUNT, REGION = "111122223333", "us-east-1"
RULEBOOK = """
version: 1
defaults: {mode: enforce}
rules:
  - name: services
    match: {repositories: ["team-*/**"]}
    repository:
      lifecycle: [{expire: {untagged: true, after: 14d}}]
      mutability: {immutable: true}
      scanning: on_push
registries:
  - name: accounts
    mode: enforce
    account_settings: {blob_mounting: true}
"""

ALONE = (
    f"note: no stack ecr-steward in {REGION}: no pause, brake or release of a deployed steward counts, and `undo` will "
    "not know of what is done here\n"
)

pytestmark = pytest.mark.slow

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalEcrServer]:
    with LocalEcrServer(LocalEcr(tmp_path / "ecr"), [(ACCOUNT, REGION)]) as server:
        yield server


@pytest.fixture
def ecr(server: LocalEcrServer):
    session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="any", region_name=REGION)
    client = session.client("ecr", endpoint_url=server.endpoint_url)
    for number in range(20):
        client.create_repository(repositoryName=f"team-{number}/api")
    return client


@pytest.fixture
def run(server: LocalEcrServer, tmp_path: Path) -> Run:
    (tmp_path / "ecr-steward.yaml").write_text(RULEBOOK)

    def run_command(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("ecr-steward"), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "AWS_ENDPOINT_URL": server.endpoint_url,
                "AWS_ACCESS_KEY_ID": ACCOUNT,
                "AWS_SECRET_ACCESS_KEY": "any",
                "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION,
                **env,
            },
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run_command


def test_a_saved_plan_is_applied_once_and_then_nothing_is_left(ecr, run: Run) -> None:
    planned = run("plan", "--detailed-exitcode", "--out", "plan.json")

    assert (planned.returncode, planned.stderr) == (
        2,
        f"{ALONE}saved: `ecr-steward apply plan.json` does exactly this, or nothing where the facts have moved\n",
    )
    assert "Plan: 0 to add, 61 to change, 0 to remove. 20 repositories looked at." in planned.stdout

    applied = run("apply", "plan.json")

    assert (applied.returncode, applied.stderr) == (0, ALONE)
    assert "Done: 0 added, 61 changed, 0 removed." in applied.stdout
    assert {each["imageTagMutability"] for each in ecr.describe_repositories()["repositories"]} == {"IMMUTABLE"}
    assert ecr.get_account_setting(name="BLOB_MOUNTING")["value"] == "ENABLED"
    assert run("plan", "--detailed-exitcode").returncode == 0
    again = run("apply", "plan.json")
    assert "Nothing was done." in again.stdout
    assert again.stderr.endswith("all that plan.json says is done already\n")


def test_a_saved_plan_does_nothing_when_the_facts_have_moved(ecr, run: Run) -> None:
    run("plan", "--out", "plan.json")
    ecr.put_image_scanning_configuration(repositoryName="team-7/api", imageScanningConfiguration={"scanOnPush": True})

    applied = run("apply", "plan.json")

    assert applied.returncode == 1
    assert applied.stderr.removeprefix(ALONE).splitlines() == [
        "Error: ES834 the facts have moved since plan.json was saved, so nothing is done; plan again",
        f"  {ACCOUNT}/{REGION}/team-7/api",
    ]
    assert {each["imageTagMutability"] for each in ecr.describe_repositories()["repositories"]} == {"MUTABLE"}


def test_a_saved_plan_does_nothing_when_a_brake_would_hold_some_of_it(ecr, run: Run, tmp_path: Path) -> None:
    """P6: the plan said "150 to remove", and apply held most of it back."""
    strict = "brake: {removals: 0}\n    repository:\n      policy: {foreign: remove}\n"
    (tmp_path / "ecr-steward.yaml").write_text(RULEBOOK.replace("repository:\n", strict, 1))
    statement = {"Sid": "x", "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "ecr:BatchGetImage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    ecr.set_repository_policy(repositoryName="team-3/api", policyText=policy)

    planned = run("plan", "--out", "plan.json")
    applied = run("apply", "plan.json")

    assert "Held back: the brake of rule services holds" in planned.stdout
    assert (applied.returncode, applied.stdout) == (1, "")
    assert "ES836 not all of plan.json may be done, so nothing is done\n  the brake of rule services" in applied.stderr
    assert (
        ecr.describe_repositories(repositoryNames=["team-1/api"])["repositories"][0]["imageTagMutability"] == "MUTABLE"
    )
    assert ecr.get_repository_policy(repositoryName="team-3/api")["policyText"]


def test_nothing_is_done_when_nobody_is_there_to_be_asked(ecr, run: Run) -> None:
    refused = run("apply")

    assert refused.returncode == 1
    assert "standard input is no terminal to confirm this on: give --yes" in refused.stderr
    assert run("apply", "--yes", "--json", "--repository", "team-1/*").returncode == 0
    made = {each["repositoryName"]: each["imageTagMutability"] for each in ecr.describe_repositories()["repositories"]}
    assert [name for name, mutability in made.items() if mutability == "IMMUTABLE"] == ["team-1/api"]


def test_standard_output_is_json_and_nothing_else_when_asked_for(ecr, run: Run) -> None:
    document = json.loads(run("plan", "--json").stdout)

    assert document["schema_version"] == 1
    assert document["registries"] == [f"{ACCOUNT}/{REGION}"]
    assert document["summary"] == {"to_do": 61, "only_reported": 0, "held_back": 0, "destructive": 0, "violations": 0}
    steps = [step for subject in document["subjects"] for step in subject["steps"]]
    assert {step["rule"] for step in steps} == {"services", "accounts"}
    assert all(step["why"] and step["what"] for step in steps)


def test_it_is_a_failure_when_a_registry_cannot_be_looked_at(run: Run) -> None:
    failed = run("plan", "--account", "444455556666", AWS_MAX_ATTEMPTS="1")

    assert failed.returncode == 1
    assert "Failed" in failed.stdout


@pytest.mark.parametrize("text", ["{}", "[]", "no JSON", '{"schema_version": 99}'])
def test_a_file_that_is_no_plan_is_refused_by_its_name(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)

    refused = run("apply", "plan.json")

    assert refused.returncode == 1
    assert "Error: " in refused.stderr
    assert "plan.json" in refused.stderr
