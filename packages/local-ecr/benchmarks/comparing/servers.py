"""What is compared and not only measured: local_ecr with the rest of AWS around it, and MiniStack; and who asks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from ecr_steward_sandbox.sandbox import Sandbox
from lab.peers import free_port, logging_to, wait_for
from local_ecr.background import Background

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Unused:
    Type: AWS::SQS::Queue
"""
REGIONS = ("us-east-1", "eu-west-1")


@contextmanager
def local_ecr(folder: Path) -> Iterator[tuple[str, str, Background]]:
    """URL of the API, with moto for the rest of AWS beside it as in the sandbox, and of the registry; what it does by
    itself."""
    build = folder / "build"
    build.mkdir()
    (build / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    with Sandbox(build, data=folder / "sandbox") as sandbox:
        yield sandbox.endpoint_url, sandbox.registry_url(REGIONS[0]), sandbox.local_ecr.background


@contextmanager
def ministack(folder: Path, program: str) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "GATEWAY_PORT": str(port), "HOME": str(folder)}
    with logging_to(folder / "ministack.log", [program], env=environment) as process:
        wait_for(f"{url}/_ministack/health", process)
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
