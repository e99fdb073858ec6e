"""The servers that are compared, on free ports of 127.0.0.1."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import urllib3

from sandbox.sandbox import Sandbox

START_TIMEOUT = 60.0  # seconds
TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Unused:
    Type: AWS::SQS::Queue
"""
REGIONS = ("us-east-1", "eu-west-1")


@contextmanager
def local_ecr(folder: Path) -> Iterator[tuple[str, str]]:
    """URL of the API, with moto for the rest of AWS beside it as in the sandbox, and of the registry."""
    build = folder / "build"
    build.mkdir()
    (build / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    with Sandbox(build, data=folder / "sandbox") as sandbox:
        yield sandbox.endpoint_url, sandbox.registry_url(REGIONS[0])


@contextmanager
def moto(folder: Path) -> Iterator[str]:
    port = free_port()
    program = str(Path(sys.executable).with_name("moto_server"))
    url = f"http://127.0.0.1:{port}"
    with _running([program, "-p", str(port)], folder / "moto.log", f"{url}/moto-api/"):
        yield url


@contextmanager
def ministack(folder: Path, program: str) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {"GATEWAY_PORT": str(port), "HOME": str(folder)}
    with _running([program], folder / "ministack.log", f"{url}/_ministack/health", environment):
        yield url


@contextmanager
def distribution(folder: Path) -> Iterator[str]:
    """CNCF distribution, which authenticates nobody unless it is told to."""
    program = shutil.which("docker-registry")
    if program is None:
        raise FileNotFoundError("docker-registry is missing: apt-get install docker-registry")
    port = free_port()
    settings = folder / "distribution.yml"
    settings.write_text(
        "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'distribution'}}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: 127.0.0.1:{port}}}\n",
        encoding="utf-8",
    )
    url = f"http://127.0.0.1:{port}"
    with _running([program, "serve", str(settings)], folder / "distribution.log", f"{url}/v2/"):
        yield url


def credentials_of_account(account: str) -> Mapping[str, str]:
    """For local_ecr and MiniStack, which take a key of twelve digits for the account."""
    return {"aws_access_key_id": account, "aws_secret_access_key": "not-verified"}


def credentials_from_moto(url: str, account: str) -> Mapping[str, str]:
    """For moto, where an account is entered by becoming a role of it, which need not exist."""
    make: Any = boto3.client
    sts = make("sts", region_name=REGIONS[0], endpoint_url=url, **credentials_of_account("1"))
    given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/compare", RoleSessionName="compare")["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@contextmanager
def _running(
    command: Sequence[str], log: Path, url: str, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A process for as long as the block runs, from the moment when it answers."""
    with (
        log.open("w") as output,
        subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(environment or {})}) as process,  # noqa: S603
    ):
        try:
            _wait_for(url, process)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib3.request("GET", url, retries=False, timeout=1)
        except urllib3.exceptions.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"no answer from {url}")
