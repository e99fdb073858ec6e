"""The commands that pause, release and undo, as people type them, against a sandbox with the steward's state table."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.brake import Hold
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.pause import Pause
from ecr_steward_cli.app import app
from ecr_steward_cli.remembered import Remembered
from ecr_steward_cli.where import Where
from ecr_steward_sandbox.deploy.translate import read_template

ROOT = Path(__file__).parents[2]
ACCOUNT = "111122223333"

pytestmark = pytest.mark.slow  # each command makes a session, as it does on a terminal


@pytest.fixture(scope="module")
def box(start, new_template):
    """A stack with the state table and its output as the steward's own template has them."""
    table = read_template(ROOT / "template.yaml")["Resources"]["StateTable"]
    template = new_template()
    properties = {name: value for name, value in table["Properties"].items() if name != "SSESpecification"}
    template.resources["StateTable"] = {"Type": table["Type"], "Properties": properties}  # without conditions
    template.outputs["StateTableName"] = {"Value": template.ref("StateTable")}
    return start(template)


@pytest.fixture
def cli(box, monkeypatch):
    """Run the command as the root of the account; what it printed and how it ended."""
    for name, value in {
        "AWS_ENDPOINT_URL": box.sandbox.endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    runner = CliRunner()

    def run(*arguments, stack="ecr-steward"):
        of_stack = ["--stack-name", stack] if stack else []
        done = runner.invoke(app, [*arguments, *of_stack], catch_exceptions=False)
        return SimpleNamespace(code=done.exit_code, out=done.stdout, err=done.stderr)

    return run


@pytest.fixture
def remembered(cli):
    remembered = Remembered(Where("ecr-steward", None))
    yield remembered
    remembered.switch.resume()
    for hold in list(remembered.brakes.holds()):
        remembered.brakes.release(hold, 0)


@pytest.fixture
def push(box):
    """Push an image without layers; its digest."""
    ecr = box.sandbox.client("ecr")

    def push(repository, text, *image_tags):
        if not any(one["repositoryName"] == repository for one in ecr.describe_repositories()["repositories"]):
            ecr.create_repository(repositoryName=repository)
        upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
        blob = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Labels": {"text": text}}}).encode()
        ecr.upload_layer_part(
            repositoryName=repository, uploadId=upload, partFirstByte=0, partLastByte=len(blob) - 1, layerPartBlob=blob
        )
        digest = "sha256:" + hashlib.sha256(blob).hexdigest()
        ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[digest])
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(blob)},
            "layers": [],
        }
        for tag in image_tags:
            put = ecr.put_image(repositoryName=repository, imageManifest=json.dumps(manifest), imageTag=tag)
        return put["image"]["imageId"]["imageDigest"]

    return push


@pytest.fixture
def tags(box):
    """Which image holds each image tag of a repository."""

    def tags(repository):
        details = box.sandbox.client("ecr").describe_images(repositoryName=repository)["imageDetails"]
        return {tag: each["imageDigest"] for each in details for tag in each.get("imageTags", [])}

    return tags


# ---------------------------------------------------------------- pause, resume, status, release-brake


def test_a_pause_says_who_and_why_and_ends_when_it_is_resumed(cli, remembered):
    assert cli("status").out == "not paused\nno brake holds\n"

    paused = cli("pause", "--reason", " a storm of deletions ")
    status = cli("status")
    as_json = cli("status", "--json")
    resumed = cli("resume")

    said = f"paused by arn:aws:iam::{ACCOUNT}:root since "
    assert (paused.code, paused.out) == (0, "")
    assert paused.err.startswith(said)
    assert status.code == as_json.code == 1
    assert status.out.startswith(said)
    assert ": a storm of deletions\n" in status.out
    assert json.loads(as_json.out)["paused"]["why"] == "a storm of deletions"
    assert resumed.err.startswith(f"no longer {said}")
    assert cli("resume").err == "nothing was paused\n"
    assert cli("status").code == 0


def test_functions_see_the_pause_that_a_person_has_made(cli, remembered):
    cli("pause", "--reason", "looking at it")

    pause = remembered.switch.paused()

    assert isinstance(pause, Pause)
    assert (pause.who, pause.why) == (f"arn:aws:iam::{ACCOUNT}:root", "looking at it")


def test_a_pause_without_a_reason_is_refused(cli, remembered):
    done = cli("pause", "--reason", " ")

    assert (done.code, remembered.switch.paused()) == (1, None)
    assert "a pause needs a reason" in done.err


def test_a_brake_that_holds_is_shown_and_let_go(cli, remembered):
    subject = f"{ACCOUNT}/us-east-1/team-a/api"
    remembered.brakes.hold(Hold("services", subject, 60, "60 removals", NOON))

    status = cli("status")
    released = cli("release-brake", "services")

    assert (status.code, released.code) == (1, 0)
    assert "the brake of rule services holds since 2026-11-24 12:00 UTC" in status.out
    assert f"to let go: ecr-steward release-brake services {subject}\n" in status.out
    assert released.err == f"rule services may take away 60 from {subject} beyond its brake within 24 hours\n"
    assert cli("status").code == 0


def test_a_brake_that_does_not_hold_is_refused_with_those_that_do(cli, remembered):
    nothing = cli("release-brake", "servces")
    remembered.brakes.hold(Hold("services", "there", 60, "60 removals", NOON))

    wrong = cli("release-brake", "servces")

    assert (nothing.code, wrong.code) == (1, 1)
    assert "no brake does" in nothing.err
    assert "those that do: services: there" in wrong.err


# ---------------------------------------------------------------- quarantine, release, steps, undo


def test_an_image_is_quarantined_and_released_by_hand(cli, push, tags):
    digest = push("team-a/one", "one", "latest", "1.4.2")
    quarantine = f"quarantine-{digest[7:19]}"

    would = cli("quarantine", "team-a/one:latest", "--reason", "CVE-2026-12345", "--dry-run")
    assert tags("team-a/one") == {"latest": digest, "1.4.2": digest}
    done = cli("quarantine", f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/team-a/one:latest", "--reason", "CVE-2026-1")

    assert would.out.replace("would ", "done: ") == done.out
    assert done.out.startswith(f"done: add image tag {quarantine} to {ACCOUNT}/us-east-1/team-a/one@{digest}\n")
    assert tags("team-a/one") == {quarantine: digest}

    released = cli("release", f"{ACCOUNT}/us-east-1/team-a/one:{quarantine}", "--reason", "a mistake", "--days", "7")

    assert released.code == 0
    assert tags("team-a/one") == {"latest": digest, "1.4.2": digest}
    assert released.err.startswith("the rules let it be until 20")
    listed = cli("steps", "--repository", "team-a/one")
    assert len(listed.out.splitlines()) == 2 * 6
    assert f"CVE-2026-1 (by hand, by arn:aws:iam::{ACCOUNT}:root)" in listed.out


def test_a_step_is_listed_and_undone(cli, push, tags):
    digest = push("team-a/two", "two", "latest", "1.4.2")
    cli("quarantine", "team-a/two:latest", "--reason", "CVE-2026-1")
    (step,) = [
        one
        for one in json.loads(cli("steps", "--repository", "team-a/two", "--json").out)
        if one["image_tags"] == ["latest"]
    ]

    would = cli("undo", step["id"], "--dry-run")
    assert "latest" not in tags("team-a/two")
    done = cli("undo", step["id"])
    again = cli("undo", step["id"])

    assert (step["state"], step["digest"], step["step"]) == ("done", digest, "RemoveImageTag")
    assert would.out == f"would add image tag latest to {ACCOUNT}/us-east-1/team-a/two@{digest}\n"
    assert (done.code, tags("team-a/two")["latest"]) == (0, digest)
    assert again.out == "image tag latest is where it was before\n"


def test_the_reason_is_told_when_a_step_cannot_be_undone(cli, push, tags):
    push("team-a/three", "three", "latest")
    cli("quarantine", "team-a/three:latest", "--reason", "w")
    other = push("team-a/three", "another three", "latest")
    step = next(
        one["id"]
        for one in json.loads(cli("steps", "--repository", "team-a/three", "--json").out)
        if one["image_tags"] == ["latest"]
    )

    refused = cli("undo", step)

    assert refused.code == 1
    assert f"image tag latest is on {other} by now" in refused.err
    assert tags("team-a/three")["latest"] == other
    assert cli("undo", step, "--force").code == 0
    assert tags("team-a/three")["latest"] != other


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["undo", "20261126-041530-00000000"], "the journal has no step `20261126-041530-00000000`"),
        (["quarantine", "team-a/one", "--reason", "w"], "`team-a/one` names no image"),
        (["quarantine", "ghcr.io/team-a/one:1", "--reason", "w"], "`ghcr.io` is no host of an ECR registry"),
        (["quarantine", "team-a/four:nobody", "--reason", "w"], "no image of 111122223333/us-east-1/team-a/four holds"),
        (["release", "team-a/nowhere:1", "--reason", "w"], "RepositoryNotFoundException"),
        (["quarantine", "team-a/one:1", "--reason", ""], "say why"),
    ],
)
def test_the_reason_is_told_when_a_command_cannot_be_done(cli, push, arguments, reason):
    push("team-a/four", "".join(arguments), "latest")

    done = cli(*arguments)

    assert done.code == 1
    assert reason in done.err


def test_the_table_is_found_by_its_name_when_there_is_no_stack(cli, remembered):
    table = remembered._table._name

    assert cli("status", "--table", table, stack=None).code == 0
    missing = cli("status", stack="nobody")

    assert missing.code == 1
    assert "the state table of the stack nobody in us-east-1 is not known" in missing.err
    assert "--table" in missing.err


def test_own_registry_is_that_of_the_caller(cli, remembered):
    assert remembered.own_registry() == RegistryRef(ACCOUNT, "us-east-1")


TWO = "222233334444"


def test_connected_accounts_are_listed_and_one_is_forgotten_when_its_stack_is_deleted(cli, box):
    """1 s."""
    long_ago = Remembered(Where("ecr-steward", None), now=lambda: utc_now() - timedelta(days=2))
    assert (cli("accounts").out, cli("accounts").err) == ("", "no account has announced itself\n")
    long_ago.announcements.note(RegistryRef(TWO, "eu-west-1"))
    Remembered(Where("ecr-steward", None)).announcements.note(RegistryRef("333344445555", "us-east-1"))

    shown, document = cli("accounts"), cli("accounts", "--json")
    forgotten, again = cli("forget-account", TWO), cli("forget-account", TWO)
    left = cli("accounts", "--json")

    assert (shown.code, document.code, left.code) == (1, 1, 0)
    first, second = shown.out.splitlines()
    assert first.startswith(f"{TWO}  eu-west-1  ")
    assert first.endswith(" UTC  no self-check for a day")
    assert second.endswith(" UTC")
    assert [(one["account"], one["quiet"]) for one in json.loads(document.out)] == [
        (TWO, True),
        ("333344445555", False),
    ]
    assert f"{TWO} is not connected any more, within a minute; it was in eu-west-1" in forgotten.err
    assert again.err == f"nothing is noted of {TWO}\n"
    assert [one["account"] for one in json.loads(left.out)] == ["333344445555"]
    cli("forget-account", "333344445555")
