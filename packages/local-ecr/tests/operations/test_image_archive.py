"""The archive of images, and whose pulls count before an image goes there."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

RESTORED_WITHIN = {True: 30 * 60.0, False: 30.0}
"""Seconds that a restore may take, by whether the account is real: ECR says usually up to 20 minutes."""


def status_of(account: Any, name: str, digest: str) -> str:
    found = account.ecr.describe_images(repositoryName=name, filter={"imageStatus": "ANY"})["imageDetails"]
    [status] = [one["imageStatus"] for one in found if one["imageDigest"] == digest]
    return str(status)


def await_active(account: Any, name: str, digest: str) -> str:
    """The status when it is ACTIVE, or when the time for that is over."""
    deadline = time.monotonic() + RESTORED_WITHIN[account.is_real]
    while (status := status_of(account, name, digest)) != "ACTIVE" and time.monotonic() < deadline:
        time.sleep(10 if account.is_real else 0.01)
    return status


@pytest.mark.operation("UpdateImageStorageClass")
def test_an_archived_image_cannot_be_pulled_until_it_is_restored(account: Any) -> None:
    name = account.create_repository()
    digest = account.push_image(name, "archived", "1.0")
    wanted = {"repositoryName": name, "imageId": {"imageDigest": digest}}

    archived = account.ecr.update_image_storage_class(**wanted, targetStorageClass="ARCHIVE")

    assert archived["imageStatus"] == status_of(account, name, digest) == "ARCHIVED"
    assert account.http("GET", f"/v2/{name}/manifests/1.0").status == 404

    restored = account.ecr.update_image_storage_class(**wanted, targetStorageClass="STANDARD")

    assert restored["imageStatus"] in {"ACTIVATING", "ACTIVE"}
    assert await_active(account, name, digest) == "ACTIVE"
    assert account.http("GET", f"/v2/{name}/manifests/1.0").status == 200


@pytest.fixture
def role_arn(account: Any) -> Iterator[str]:
    """A role that nobody else excludes; it is no longer excluded afterwards."""
    arn = f"arn:aws:iam::{account.id}:role/{account.prefix}"
    yield arn
    if arn in excluded(account):
        account.ecr.deregister_pull_time_update_exclusion(principalArn=arn)


def excluded(account: Any) -> list[str]:
    """All exclusions, page by page."""
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = account.ecr.list_pull_time_update_exclusions(maxResults=100, **token)
        found += page["pullTimeUpdateExclusions"]
        if "nextToken" not in page:
            return found
        token = {"nextToken": page["nextToken"]}


@pytest.mark.operation("RegisterPullTimeUpdateExclusion")
@pytest.mark.operation("ListPullTimeUpdateExclusions")
def test_a_registered_exclusion_is_listed(account: Any, role_arn: str) -> None:
    assert role_arn not in excluded(account)

    registered = account.ecr.register_pull_time_update_exclusion(principalArn=role_arn)

    assert registered["principalArn"] == role_arn
    assert role_arn in excluded(account)


@pytest.mark.operation("DeregisterPullTimeUpdateExclusion")
def test_a_deregistered_exclusion_is_listed_no_more(account: Any, role_arn: str) -> None:
    account.ecr.register_pull_time_update_exclusion(principalArn=role_arn)

    account.ecr.deregister_pull_time_update_exclusion(principalArn=role_arn)

    assert role_arn not in excluded(account)
