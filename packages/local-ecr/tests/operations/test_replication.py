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


@pytest.fixture
def backfilling(registry: Any) -> Any:
    """A registry in which a backfill to the second region copies nothing but what is ours."""
    to = {"region": registry.ecr_abroad.meta.region_name, "registryId": registry.id}
    if any(to in rule["destinations"] for rule in rules_of(registry)):
        pytest.skip("a backfill to the second region would copy images that are somebody's")
    return registry


def start_backfill(account: Any) -> str:
    to = {"region": account.ecr_abroad.meta.region_name, "registryId": account.id}
    started = account.ecr.start_replication_backfill(destination=to)
    assert (started["status"], started["destination"]) == ("PREPARING", to)
    backfill_id: str = started["replicationBackfillId"]
    return backfill_id


def ended(account: Any, backfill_id: str) -> dict[str, Any]:
    """What is told of a backfill when it is over, or the time for that is."""
    deadline = time.monotonic() + COPIED_WITHIN[account.is_real]
    while True:
        asked = {"replicationBackfillId": backfill_id, "maxResults": 1000}
        told: dict[str, Any] = account.ecr.describe_replication_backfill_results(**asked)
        if told.get("endedAt") or time.monotonic() > deadline:
            return told
        time.sleep(10 if account.is_real else 0.01)


def listed_status(account: Any, backfill_id: str) -> str:
    pages = account.ecr.get_paginator("list_replication_backfills").paginate()
    statuses = {one["replicationBackfillId"]: one["status"] for page in pages for one in page["backfills"]}
    status: str = statuses[backfill_id]
    return status


@pytest.mark.operation("StartReplicationBackfill", "DescribeReplicationBackfillResults", "ListReplicationBackfills")
def test_an_image_from_before_is_in_the_other_region_when_a_backfill_is_complete(backfilling: Any) -> None:
    name = backfilling.create_repository("before")
    digest = backfilling.push_image(name, "before", "1.0")
    replicate(backfilling, backfilling.name("before"))

    backfill_id = start_backfill(backfilling)

    told = ended(backfilling, backfill_id)
    assert (told["status"], told["progress"]["failedReplicationCount"]) == ("COMPLETE", 0)
    results = [(one["repositoryName"], one["imageId"], one["status"]) for one in told["results"]]
    assert results == [(name, {"imageDigest": digest, "imageTag": "1.0"}, "COMPLETE")]
    [found] = backfilling.ecr_abroad.describe_images(repositoryName=name)["imageDetails"]
    assert (found["imageDigest"], found["imageTags"]) == (digest, ["1.0"])
    assert listed_status(backfilling, backfill_id) == "COMPLETE"


@pytest.mark.operation("StopReplicationBackfill")
def test_a_backfill_that_is_stopped_is_listed_so(backfilling: Any) -> None:
    replicate(backfilling, backfilling.name("stopped"))
    with backfilling.paused():
        backfill_id = start_backfill(backfilling)
        try:
            stopped = backfilling.ecr.stop_replication_backfill(replicationBackfillId=backfill_id)
        except backfilling.ecr.exceptions.ReplicationBackfillInvalidStatusException:
            if not backfilling.is_real:
                raise
            pytest.skip("the backfill was over before it could be stopped")

    assert stopped["status"] in {"STOPPING", "STOPPED"}
    assert ended(backfilling, backfill_id)["status"] == "STOPPED"
    assert listed_status(backfilling, backfill_id) == "STOPPED"
