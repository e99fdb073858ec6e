"""What was there before ECR replicated it, brought by the house as it is deployed, and by the command."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from local_ecr import LocalEcr, LocalEcrServer

pytestmark = pytest.mark.slow

ACCOUNT, HOME, AWAY, THIRD = "111122223333", "us-east-1", "eu-west-1", "eu-central-1"
RULES = [{"name": "all", "match": {"repositories": ["other/**"]}, "image_tags": {"deny": ["latest"]}}]


def registries(*regions: str, **said: Any) -> list[dict[str, Any]]:
    """Registries that have ECR replicate `native/` to these regions, and bring what was there before."""
    rules = [{"to": [{"region": region} for region in regions], "repositories": ["native/"]}]
    replication = {"rules": rules, "backfill": True, **said}
    return [{"name": "mesh", "match": {"regions": [HOME]}, "mode": "enforce", "replication": replication}]


def steps(house: Any, ran: Any) -> list[str]:
    """What functions did, as they log it."""
    return [step["what"] for line in house.outcomes(ran) for step in line.get("steps", [])]


def destinations(house: Any) -> list[str]:
    """The region of each backfill, in the order in which they were started."""
    listed = house.home.ecr.list_replication_backfills()["backfills"]
    return [one["destination"]["region"] for one in sorted(listed, key=lambda one: one["startedAt"])]


def tags(house: Any, region: str) -> set[str]:
    found = house.sandbox.client("ecr", region).describe_images(repositoryName="native/api")["imageDetails"]
    return {image_tag for image in found for image_tag in image.get("imageTags", ())}


def test_what_was_there_before_arrives_once_and_a_new_destination_gets_a_backfill_of_its_own(open_house: Any) -> None:
    house = open_house()
    house.rulebook.deploy(lambda rulebook: rulebook.update(rules=RULES, registries=[], credentials=[]))
    for image_tag in ("1.0.0", "1.1.0"):
        house.push("native/api", image_tag)
    house.push("kept/api", "1.0.0")

    house.rulebook.deploy(lambda rulebook: rulebook.update(registries=registries(AWAY)))
    ran = house.sweep()

    assert [one for one in steps(house, ran) if "replication" in one or "backfill" in one] == [
        f"put the replication configuration of registry {ACCOUNT}/{HOME}",
        f"start a backfill to {ACCOUNT}/{AWAY}",
    ]
    assert tags(house, AWAY) == {"1.0.0", "1.1.0"}
    assert not house.away.has_repository("kept/api")

    ran = house.sweep()
    assert steps(house, ran) == []
    assert destinations(house) == [AWAY]

    house.rulebook.deploy(lambda rulebook: rulebook.update(registries=registries(AWAY, THIRD)))
    house.sweep()
    house.sweep()
    assert destinations(house) == [AWAY, THIRD]
    assert tags(house, THIRD) == {"1.0.0", "1.1.0"}

    house.home.ecr.put_replication_configuration(replicationConfiguration={"rules": []})  # by hand, and nobody hears
    house.sweep()
    assert destinations(house) == [AWAY, THIRD]
    house.sandbox.move_clock(timedelta(days=1))  # whoever takes it away each hour has nobody copy all each hour
    house.sweep()
    assert sorted(destinations(house)[2:]) == [THIRD, AWAY]
    assert house.take("FailureQueue") == []


def test_what_did_not_arrive_is_a_failure_of_the_sweep_and_what_arrives_is_told_while_it_does(open_house: Any) -> None:
    house = open_house()
    house.rulebook.deploy(lambda rulebook: rulebook.update(rules=RULES, registries=[], credentials=[]))
    house.push("native/api", "1.0.0")
    house.away.ecr.create_repository_creation_template(
        prefix="native", appliedFor=["REPLICATION"], resourceTags=[{"Key": "team", "Value": "a"}]
    )  # without the role that tags need, so that no replica can be made
    house.rulebook.deploy(lambda rulebook: rulebook.update(registries=registries(AWAY)))
    house.sweep()

    house.sweep()

    [failed] = [one for one in house.take("FailureQueue") if "backfill" in one["message"]]
    assert failed["error"] == "SweepIncompleteError"
    assert f"registry {ACCOUNT}/{HOME} to {ACCOUNT}/{AWAY}: ECR's backfill " in failed["message"]
    assert "native/api:1.0.0 (RepositoryNotFound)" in failed["message"]

    house.sandbox.move_clock(timedelta(days=2))
    assert f"start a backfill to {ACCOUNT}/{AWAY}" in steps(house, house.sweep())  # though ECR calls it complete
    assert destinations(house) == [AWAY, AWAY]


def test_the_command_starts_a_backfill_when_ecr_lists_none(tmp_path: Path) -> None:
    rulebook = {"version": 1, "rules": RULES, "registries": registries(AWAY)}
    (tmp_path / "ecr-steward.yaml").write_text(json.dumps(rulebook), encoding="utf-8")
    with LocalEcrServer(LocalEcr(tmp_path / "ecr"), [(ACCOUNT, HOME)]) as server:
        ecr, away = (
            boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="any", region_name=region).client(
                "ecr", endpoint_url=server.endpoint_url
            )
            for region in (HOME, AWAY)
        )
        ecr.create_repository(repositoryName="native/api")
        index = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
        ecr.put_image(repositoryName="native/api", imageManifest=index, imageTag="1.0.0")

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            environment = {
                "PATH": os.environ["PATH"],
                "AWS_ENDPOINT_URL": server.endpoint_url,
                "AWS_ACCESS_KEY_ID": ACCOUNT,
                "AWS_SECRET_ACCESS_KEY": "any",
                "AWS_REGION": HOME,
                "AWS_DEFAULT_REGION": HOME,
            }
            program = Path(sys.executable).with_name("ecr-steward")
            return subprocess.run(
                [program, *arguments],
                capture_output=True,
                text=True,
                timeout=60,
                cwd=tmp_path,
                env=environment,
                check=False,
                stdin=subprocess.DEVNULL,
            )

        planned = run("plan", "--json")
        shown = [step for subject in json.loads(planned.stdout)["subjects"] for step in subject["steps"]]
        assert shown[1] == {
            "step": "StartReplicationBackfill",
            "what": f"start a backfill to {ACCOUNT}/{AWAY}",
            "destructive": False,
            "rule": "mesh",
            "why": "what was there before it was replicated is not there yet",
            "registry": f"{ACCOUNT}/{HOME}",
            "to": f"{ACCOUNT}/{AWAY}",
            "prefixes": ["native/"],
        }
        assert "start a backfill to 111122223333/eu-west-1" in run("plan").stdout
        assert ecr.list_replication_backfills()["backfills"] == []

        applied = run("apply", "--yes")
        assert applied.returncode == 0, applied.stdout + applied.stderr
        server.ecr.wait_until_idle()
        [found] = away.describe_images(repositoryName="native/api")["imageDetails"]
        assert found["imageTags"] == ["1.0.0"]

        again = run("plan", "--detailed-exitcode")
        assert again.returncode == 0, again.stdout
