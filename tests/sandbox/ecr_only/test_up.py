"""ECR alone, as a person starts it and ends it."""

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

from ecr_steward_cli import sandbox_commands
from ecr_steward_sandbox.demo.layout import write_layout
from ecr_steward_sandbox.ecr_only import EcrOnly
from local_ecr.__main__ import command_line
from local_ecr.options import StartOptions, quirks_table

COMMAND = Path(sys.executable).with_name("ecr-steward")
ACCOUNT = "111122223333"

type Run = Callable[..., subprocess.CompletedProcess[str]]


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
    of_the_house = {"rulebook", "build", "ecr_only", "account", "region", "parameter"}
    told = {one.name: one.help for one in up.params if one.name not in of_the_house}
    alone = {one.dest: one.help for one in command_line()._actions if one.dest not in {"help", "registry", "version"}}
    assert told.keys() == alone.keys()
    assert told == {name: f"{help_[0].upper()}{help_[1:]}." for name, help_ in alone.items()}
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
        assert f"Error: ES816 {endpoint} cannot be trusted" in untold.stderr
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
        (["--parameter", "RulebookBucket"], "--parameter RulebookBucket is not NAME=VALUE"),
        (["--ecr-only", "--parameter", "A=b"], "--parameter is about the template, which --ecr-only leaves out"),
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

    assert done.returncode == 1
    assert why in done.stderr
    assert "Traceback" not in done.stderr
