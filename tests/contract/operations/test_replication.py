"""Replication: configured, and followed to the other region; what the registry copied before, it copies throughout.

What was configured keeps its place among the rules, since a registry that copies is somebody's. The first rule ever
makes a service-linked role, which stays.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

COPIED_WITHIN = {True: 30 * 60.0, False: 30.0}
"""Seconds that a copy may take, by whether the account is real: ECR says that most take less than 30 minutes."""


def rules_of(account: Any) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = account.ecr.describe_registry()["replicationConfiguration"]["rules"]
    return rules


@pytest.fixture
def registry(account: Any) -> Iterator[Any]:
    before = rules_of(account)
    yield account
    account.ecr.put_replication_configuration(replicationConfiguration={"rules": before})


def replicate(account: Any, name: str) -> dict[str, Any]:
    """Have what is pushed below a name of ours copied into the second region, besides all that was; our rule."""
    rule = {
        "destinations": [{"region": account.ecr_abroad.meta.region_name, "registryId": account.id}],
        "repositoryFilters": [{"filter": name, "filterType": "PREFIX_MATCH"}],
    }
    configuration = {"rules": [*rules_of(account), rule]}
    account.ecr.put_replication_configuration(replicationConfiguration=configuration)
    return rule


def status_of(account: Any, name: str, digest: str) -> list[tuple[str, str, str]]:
    """Region, account and status of each copy, when none is under way or the time for that is over."""
    asked = {"repositoryName": name, "imageId": {"imageDigest": digest}}
    deadline = time.monotonic() + COPIED_WITHIN[account.is_real]
    while True:
        found = account.ecr.describe_image_replication_status(**asked)["replicationStatuses"]
        statuses = [(one["region"], one["registryId"], one["status"]) for one in found]
        is_over = bool(found) and all(status != "IN_PROGRESS" for _, _, status in statuses)
        if is_over or time.monotonic() > deadline:
            return statuses
        time.sleep(10 if account.is_real else 0.01)


@pytest.mark.operation("PutReplicationConfiguration")
def test_a_configuration_is_described_as_it_was_put(registry: Any) -> None:
    before = rules_of(registry)

    rule = replicate(registry, registry.name("app"))

    *others, ours = rules_of(registry)
    assert others == before
    assert {key: ours[key] for key in rule} == rule


@pytest.mark.operation("DescribeImageReplicationStatus")
def test_an_image_is_in_the_other_region_when_its_copy_is_complete(registry: Any) -> None:
    replicate(registry, registry.name("copied"))
    copied, kept = registry.create_repository("copied"), registry.create_repository("kept")
    digest, other = registry.push_image(copied, "copied", "1.0"), registry.push_image(kept, "kept", "1.0")

    abroad = registry.ecr_abroad
    assert status_of(registry, copied, digest) == [(abroad.meta.region_name, registry.id, "COMPLETE")]

    [found] = abroad.describe_images(repositoryName=copied)["imageDetails"]
    assert (found["imageDigest"], found["imageTags"]) == (digest, ["1.0"])
    asked = {"repositoryName": kept, "imageId": {"imageDigest": other}}
    assert registry.ecr.describe_image_replication_status(**asked)["replicationStatuses"] == []
