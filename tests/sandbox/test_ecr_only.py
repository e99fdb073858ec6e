"""ECR alone, as a person runs it: one command starts it, others fill it, watch it and move its clock."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
import typer
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from local_ecr import LocalEcr, LocalEcrServer
from local_ecr.__main__ import command_line
from local_ecr.options import StartOptions, quirks_table
from sandbox.demo.layout import write_layout
from sandbox.ecr_only import EcrOnly
from sandbox.seed import SeedError, seed
from steward_cli import sandbox_commands

ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR")
COMMAND = Path(sys.executable).with_name("ecr-steward")
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
        return subprocess.run(
            [COMMAND, "sandbox", *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            cwd=tmp_path,
            env=environment,
            check=False,
        )

    return run_command


def test_an_image_is_there_with_all_its_platforms_when_it_was_seeded(ecr: EcrOnly, run: Run, tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "layout")

    done = run("seed", tmp_path / "layout", "team-a/api:1.0.0")

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(layout.digest)
    assert "created repository team-a/api" in done.stderr
    assert "3 manifests and 5 new blobs" in done.stderr
    keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "any", "region_name": "us-east-1"}
    found = boto3.client("ecr", endpoint_url=ecr.endpoint_url, **keys).describe_images(repositoryName="team-a/api")
    tagged = [image for image in found["imageDetails"] if image.get("imageTags") == ["1.0.0"]]
    assert [image["imageDigest"] for image in tagged] == [str(layout.digest)]
    assert len(found["imageDetails"]) == 3


@pytest.mark.slow
def test_nothing_is_pushed_again_when_an_image_is_seeded_twice(run: Run, tmp_path: Path) -> None:
    write_layout(tmp_path / "layout")
    run("seed", tmp_path / "layout", "team-a/api:1.0.0")

    again = run("seed", tmp_path / "layout", "team-a/api:1.0.1")

    assert again.returncode == 0, again.stderr
    assert "0 new blobs" in again.stderr
    assert "created" not in again.stderr
    assert "AlreadyExists" not in run("events").stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "image", "why"),
    [
        ("nowhere", "team-a/api:1.0.0", "is no folder with an OCI image layout"),
        ("layout", "team-a/api", "write REPOSITORY:TAG, such as team-a/api:1.0.0"),
        ("layout", "127.0.0.1:5000/team-a/api", "write REPOSITORY:TAG, such as team-a/api:1.0.0"),
        ("layout", "team-a/api:", "write REPOSITORY:TAG, such as team-a/api:1.0.0"),
        ("layout", "team-a/api:-1", "'-1' is no image tag: at most 300 letters"),
        ("two", "team-a/api:1.0.0", "two holds 2 images: copy the one that is meant to a folder alone"),
        ("layout", "Team/api:1.0.0", "must satisfy regular expression"),
        ("torn", "team-a/api:1.0.0", "No such file or directory"),
    ],
)
def test_seeding_says_what_is_wrong_when_it_cannot(run: Run, tmp_path: Path, layout: str, image: str, why: str) -> None:
    write_layout(tmp_path / "layout")
    blobs = write_layout(tmp_path / "torn").root / "blobs" / "sha256"
    max(blobs.iterdir(), key=lambda path: path.stat().st_size).unlink()
    index = write_layout(tmp_path / "two").root / "index.json"
    told = json.loads(index.read_text())
    index.write_text(json.dumps({**told, "manifests": told["manifests"] * 2}))

    done = run("seed", layout, image)

    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert "CreateRepository team-a" not in run("events").stdout


def test_nothing_is_seeded_when_no_port_of_ours_is_the_registrys(
    ecr: EcrOnly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_layout(tmp_path / "layout")
    keys = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "ap-south-1"}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SeedError, match="the registry of 111122223333 in ap-south-1 has no port here: take another"):
        seed(tmp_path / "layout", "team-a/api", "1.0.0", ecr.endpoint_url, print)

    assert not ecr.ledger.events


@pytest.mark.parametrize("command", [["seed", "layout", "team-a/api:1.0.0"], ["events"]])
def test_nobody_is_asked_when_it_is_not_said_where_the_sandbox_is(command: list[str]) -> None:
    done = CliRunner().invoke(sandbox_commands.app, command, env=dict.fromkeys(ENDPOINTS))

    assert done.exit_code == 2
    assert "which sandbox? Export the AWS_ENDPOINT_URL" in done.stderr


def test_a_command_says_so_when_an_ecr_without_a_sandbox_answers(tmp_path: Path) -> None:
    with LocalEcrServer(LocalEcr(tmp_path / "alone")) as server:
        done = CliRunner().invoke(sandbox_commands.app, ["clock", "--endpoint", server.endpoint_url])

    assert done.exit_code == 2
    assert f"Error: {server.endpoint_url} answers 400 and is no sandbox: " in done.stderr


def test_an_endpoint_is_refused_when_it_is_no_url() -> None:
    done = CliRunner().invoke(sandbox_commands.app, ["clock", "--endpoint", "127.0.0.1:4566"])

    assert done.exit_code == 2
    assert done.stderr.startswith("Error: 127.0.0.1:4566 is no URL of a sandbox; write it as")


def test_events_are_shown_as_lines_or_as_documents_when_asked_for(run: Run, tmp_path: Path) -> None:
    write_layout(tmp_path / "layout")
    run("seed", tmp_path / "layout", "team-a/api:1.0.0")

    lines = run("events").stdout.splitlines()
    documents = [json.loads(line) for line in run("events", "--json", "--type", "image").stdout.splitlines()]

    assert lines[0].endswith("AWS API Call via CloudTrail CreateRepository team-a/api")
    pushed = [line for line in lines if "ECR Image Action" in line]
    assert re.match(r"\S+Z event     us-east-1: ECR Image Action team-a/api 1.0.0 PUSH sha256:", pushed[-1])
    assert {one["detail-type"] for one in documents} == {"ECR Image Action"}
    assert [one["detail"]["image-tag"] for one in documents] == ["", "", "1.0.0"]


def test_a_follower_sees_events_as_they_come_and_ends_with_the_registry(ecr: EcrOnly, run: Run, tmp_path: Path) -> None:
    write_layout(tmp_path / "layout")
    environment = {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": ecr.endpoint_url}
    with subprocess.Popen(
        [COMMAND, "sandbox", "events", "--follow"], stdout=subprocess.PIPE, text=True, env=environment
    ) as follower:
        assert follower.stdout is not None
        try:
            seeded = run("seed", tmp_path / "layout", "team-a/api:1.0.0")
            assert seeded.returncode == 0, seeded.stderr
            told = []
            while "team-a/api 1.0.0 PUSH" not in "".join(told[-1:]):
                told.append(follower.stdout.readline())
            follower.send_signal(signal.SIGINT)
            rest = follower.stdout.read()
        finally:
            follower.kill()

    assert "CreateRepository" in told[0]
    assert [line for line in told if "ECR Image Action team-a/api PUSH" in line]
    assert "Traceback" not in rest


def test_why_tells_each_policy_when_a_request_was_refused(ecr: EcrOnly, run: Run) -> None:
    keys = {"aws_secret_access_key": "any", "region_name": "us-east-1", "endpoint_url": ecr.endpoint_url}
    owner = boto3.client("ecr", aws_access_key_id=ACCOUNT, **keys)
    stranger = boto3.client("ecr", aws_access_key_id="999988887777", **keys)
    owner.create_repository(repositoryName="team-a/api")
    statement = {"Sid": "Pull", "Effect": "Allow", "Principal": {"AWS": "999988887777"}, "Action": "ecr:BatchGetImage"}
    owner.set_repository_policy(
        repositoryName="team-a/api", policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    with pytest.raises(ClientError) as refused:
        stranger.list_images(registryId=ACCOUNT, repositoryName="team-a/api")
    request_id = refused.value.response["ResponseMetadata"]["RequestId"]

    told, last = run("why", request_id), run("why")

    assert told.returncode == 0, told.stderr
    assert told.stdout == last.stdout
    assert told.stdout.startswith(f"request {request_id}\nrefused arn:aws:iam::999988887777:root ecr:ListImages ")
    assert "statement Pull would allow it, but the action is ecr:ListImages, not ecr:BatchGetImage" in told.stdout


def test_why_says_so_when_nothing_was_refused_or_the_request_is_not_known(run: Run) -> None:
    nothing, unknown = run("why"), run("why", "no/such request")

    assert (nothing.returncode, unknown.returncode) == (2, 2)
    assert "no request to ECR has been refused" in nothing.stderr
    assert "no decision of request no/such request is known" in unknown.stderr


def test_a_login_dies_when_the_clock_is_moved_by_half_a_day(ecr: EcrOnly, run: Run) -> None:
    before = run("clock").stdout

    moved = run("clock", "13h")

    assert moved.returncode == 0, moved.stderr
    assert "13:00:00 ahead of this machine" in moved.stderr
    assert moved.stdout[:10] >= before[:10]
    assert ecr.clock.offset.total_seconds() == 46800


def test_the_clock_says_how_to_write_a_time_when_it_is_moved_by_something_else(run: Run) -> None:
    done = run("clock", "tomorrow")

    assert done.returncode == 2
    assert "write a whole number and s, m, h or d" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", [["events"], ["clock"], ["events", "--follow"]])
def test_a_command_says_how_to_start_a_sandbox_when_none_answers(run: Run, command: list[str]) -> None:
    done = run(*command, "--endpoint", "http://127.0.0.1:1")

    assert done.returncode == 2
    assert "no sandbox answers at http://127.0.0.1:1: start one with `ecr-steward sandbox up`" in done.stderr


def test_everything_is_still_there_when_it_is_started_again_on_the_same_folder(tmp_path: Path) -> None:
    def client(ecr: EcrOnly) -> object:
        keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "any", "region_name": "us-east-1"}
        return boto3.client("ecr", endpoint_url=ecr.endpoint_url, **keys)

    with EcrOnly(StartOptions(data=tmp_path / "kept")) as ecr:
        client(ecr).create_repository(repositoryName="team-a/api")

    with EcrOnly(StartOptions(data=tmp_path / "kept")) as ecr:
        found = client(ecr).describe_repositories()["repositories"]
        assert [one["repositoryName"] for one in found] == ["team-a/api"]


@contextmanager
def running(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`sandbox up --ecr-only` in a folder, with all that it says on standard output; killed after 30 seconds."""
    with subprocess.Popen(
        [COMMAND, "sandbox", "up", "--ecr-only", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
    ) as process:
        timer = threading.Timer(30, process.kill)
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()
            process.kill()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """Everything that is said, up to the line with these words."""
    assert process.stdout is not None
    told = ""
    while words not in told:
        line = process.stdout.readline()
        assert line, f"it ended, and had said {told}"
        told += line
    return told


def test_the_command_says_how_to_use_it_and_ends_cleanly_when_signalled(tmp_path: Path) -> None:
    twice = ["--account", "222233334444"] * 2
    with running(tmp_path, *twice, "--region", "eu-central-1") as process:
        told = read_until(process, "What happens from now on:")
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        told += process.stdout.read()
        assert process.wait(15) == 0
    assert re.match(r"ECR ready at http://127\.0\.0\.1:\d+ \(Ctrl-C ends it\)", told)
    assert "export AWS_ACCESS_KEY_ID=222233334444" in told
    assert f"export PATH={COMMAND.parent}:$PATH" in told
    assert "AWS_REGION=eu-central-1" in told
    assert "key of its root): none" in told
    assert "Traceback" not in told


@pytest.mark.slow
def test_a_follower_is_told_when_the_registry_has_ended(tmp_path: Path) -> None:
    with running(tmp_path, "--data", "kept") as process:  # a temporary folder would outlive a killed process
        endpoint = re.search(r"http://127\.0\.0\.1:\d+", read_until(process, "What happens from now on:"))[0]
        command = [COMMAND, "sandbox", "events", "--follow", "--endpoint", endpoint]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as follower:
            try:
                keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "any", "region_name": "us-east-1"}
                boto3.client("ecr", endpoint_url=endpoint, **keys).create_repository(repositoryName="team-a/api")
                assert follower.stdout is not None
                assert "CreateRepository" in follower.stdout.readline()
                process.kill()
                _, told = follower.communicate(timeout=15)
            finally:
                follower.kill()
    assert (follower.returncode, told) == (0, "the sandbox has ended\n")


def test_both_commands_have_the_same_options_by_the_same_words() -> None:
    up = typer.main.get_command(sandbox_commands.app).commands["up"]  # type: ignore[attr-defined]
    of_the_house = {"build", "ecr_only", "account", "region"}  # and the port is of both
    told = {one.name: one.help for one in up.params if one.name not in of_the_house}
    alone = {one.dest: one.help for one in command_line()._actions if one.dest not in {"help", "registry"}}
    assert told.keys() == alone.keys()
    assert {name: told[name] for name in told if name != "port"} == {
        name: f"{help_[0].upper()}{help_[1:]}." for name, help_ in alone.items() if name != "port"
    }
    defaults = {name: StartOptions.__dataclass_fields__[name].default for name in told}
    assert {one.dest: one.default for one in command_line()._actions if one.dest in told} == defaults


@pytest.mark.slow
def test_the_options_of_the_registry_count_when_it_is_started_by_this_command(tmp_path: Path) -> None:
    (tmp_path / "who.json").write_text('{"accounts": {"111122223333": {"users": {"jo": {"access_keys": ["AKIAJO"]}}}}}')
    options = ["--data", "kept", "--tls", "--identities", "who.json", "--decisions", "--quirks", "none"]
    with running(tmp_path, *options) as process:
        told = read_until(process, "What happens from now on:")
        [trust] = re.findall(r"export AWS_CA_BUNDLE=(\S+) SSL_CERT_FILE=(\S+)", told)
        endpoint = re.search(r"https://127\.0\.0\.1:\d+", told)[0]
        assert set(trust) == {str(tmp_path / "kept" / "tls" / "ca.pem")}
        jo = {"aws_access_key_id": "AKIAJO", "aws_secret_access_key": "any", "region_name": "us-east-1"}
        with pytest.raises(ClientError, match="user/jo is not authorized"):
            boto3.client("ecr", endpoint_url=endpoint, verify=trust[0], **jo).describe_repositories()
        write_layout(tmp_path / "layout")
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_CA_BUNDLE": trust[0],
            "SSL_CERT_FILE": trust[0],
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "any",
        }
        for command in (["seed", "layout", "team-a/api:1.0.0"], ["events"], ["clock", "1h"]):
            done = subprocess.run(
                [COMMAND, "sandbox", *command],
                capture_output=True,
                text=True,
                cwd=tmp_path,
                env=environment,
                check=False,
            )
            assert done.returncode == 0, done.stderr
        untold = CliRunner().invoke(sandbox_commands.app, ["events", "--endpoint", endpoint])
        assert f"Error: {endpoint} cannot be trusted" in untold.stderr
        assert "export the SSL_CERT_FILE that `ecr-steward sandbox up` says" in untold.stderr
        assert "refused" in read_until(process, "user/jo ecr:DescribeRepositories")


@pytest.mark.slow
def test_the_quirks_are_listed_when_they_are_asked_for(run: Run) -> None:
    listed = run("up", "--ecr-only", "--quirks", "list")
    assert (listed.returncode, listed.stdout) == (0, quirks_table())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--data", "folder"], "--data goes with --ecr-only"),
        (["--account", "111122223333"], "--account goes with --ecr-only"),
        (["--tls"], "--tls goes with --ecr-only"),
        (["--access", "off"], "--access goes with --ecr-only"),
        (["--public-host", "here"], "--public-host goes with --ecr-only"),
        (["--ecr-only", "--account", "12"], "--account 12: not a 12-digit account"),
        (["--ecr-only", "--region", "nowhere"], "--region nowhere: not a region"),
        (["--ecr-only", "--data", os.devnull], f"{os.devnull}: not a folder; name one with --data"),
        (["--ecr-only", "--quirks", "ecr,-blob_redirct"], "did you mean 'blob_redirect'"),
        (["--ecr-only", "--identities", "none.json"], "--identities none.json: No such file or directory\n"),
        (["--ecr-only", "--identities", __file__], f"--identities {__file__}: no JSON: "),
        (["--ecr-only", "--host", "somewhere"], "--host somewhere: not an IP address"),
        (["--ecr-only", "--host", "192.0.2.1"], "cannot listen on 192.0.2.1: "),
        (["--ecr-only", "--port", "65535"], "cannot listen on port 65536: the last one is 65535"),
        (["--ecr-only", "--public-host", "a:1"], "--public-host a:1: not a host name without a port"),
    ],
)
def test_up_says_what_is_wrong_when_it_cannot_start(run: Run, options: list[str], why: str) -> None:
    done = run("up", *options)

    assert done.returncode in {1, 2}
    assert why in done.stderr
    assert "Traceback" not in done.stderr
