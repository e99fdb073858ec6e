"""The commands that watch ECR alone, ask it why, and move its clock."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from ecr_steward_cli import sandbox_commands
from ecr_steward_sandbox.demo.layout import write_layout
from ecr_steward_sandbox.ecr_only import EcrOnly
from local_ecr import LocalEcr, LocalEcrServer

ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR")
COMMAND = Path(sys.executable).with_name("ecr-steward")
ACCOUNT = "111122223333"

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("command", [["seed", "layout", "team-a/api:1.0.0"], ["events"]])
def test_nobody_is_asked_when_it_is_not_said_where_the_sandbox_is(command: list[str]) -> None:
    done = CliRunner().invoke(sandbox_commands.app, command, env=dict.fromkeys(ENDPOINTS))

    assert done.exit_code == 1
    assert "which sandbox? Export the AWS_ENDPOINT_URL" in done.stderr


def test_a_command_says_so_when_an_ecr_without_a_sandbox_answers(tmp_path: Path) -> None:
    with LocalEcrServer(LocalEcr(tmp_path / "alone")) as server:
        done = CliRunner().invoke(sandbox_commands.app, ["clock", "--endpoint", server.endpoint_url])

    assert done.exit_code == 1
    assert f"Error: ES816 {server.endpoint_url} answers 400 and is no sandbox: " in done.stderr


def test_an_endpoint_is_refused_when_it_is_no_url() -> None:
    done = CliRunner().invoke(sandbox_commands.app, ["clock", "--endpoint", "127.0.0.1:4566"])

    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ES815 127.0.0.1:4566 is no URL of a sandbox; write it as")


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

    assert (nothing.returncode, unknown.returncode) == (1, 1)
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

    assert done.returncode == 1
    assert "write a whole number and s, m, h or d" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", [["events"], ["clock"], ["events", "--follow"]])
def test_a_command_says_how_to_start_a_sandbox_when_none_answers(run: Run, command: list[str]) -> None:
    done = run(*command, "--endpoint", "http://127.0.0.1:1")

    assert done.returncode == 1
    assert "no sandbox answers at http://127.0.0.1:1: start one with `ecr-steward sandbox up`" in done.stderr
