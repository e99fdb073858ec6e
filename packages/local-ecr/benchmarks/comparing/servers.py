"""What is compared and not only measured: local_ecr and MiniStack; and who asks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from comparing.operations import ACCOUNT
from lab.peers import free_port, logging_to, wait_for
from local_ecr import LocalEcr, LocalEcrServer

REGIONS = ("us-east-1", "eu-west-1")


@contextmanager
def local_ecr(folder: Path) -> Iterator[tuple[LocalEcrServer, list[dict[str, Any]]]]:
    """A server with a registry in each region, and all events that it tells."""
    events: list[dict[str, Any]] = []
    ecr = LocalEcr(folder / "ecr", on_event=lambda account, region, event: events.append(event))
    with LocalEcrServer(ecr, [(ACCOUNT, region) for region in REGIONS]) as server:
        yield server, events


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
