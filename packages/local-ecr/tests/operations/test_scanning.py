"""How a registry scans: configured, read, asked for repository by repository; what it had before is put back."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def registry(account: Any) -> Iterator[Any]:
    before = account.ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    if before["scanType"] == "ENHANCED":
        pytest.skip("Amazon Inspector scans this registry, which nobody should switch off for a test")
    yield account
    account.ecr.put_registry_scanning_configuration(**before)


def scan_on_push(pattern: str) -> list[dict[str, Any]]:
    filters = [{"filter": pattern, "filterType": "WILDCARD"}]
    return [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": filters}]


def frequency(account: Any, name: str) -> tuple[bool, str]:
    [found] = account.ecr.batch_get_repository_scanning_configuration(repositoryNames=[name])["scanningConfigurations"]
    return found["scanOnPush"], found["scanFrequency"]


@pytest.mark.operation("PutRegistryScanningConfiguration")
def test_a_rule_counts_for_the_repositories_that_pass_its_filter(registry: Any) -> None:
    inside, outside = registry.create_repository("inside"), registry.create_repository("outside")

    registry.ecr.put_registry_scanning_configuration(scanType="BASIC", rules=scan_on_push(inside))

    assert frequency(registry, inside) == (True, "SCAN_ON_PUSH")
    assert frequency(registry, outside) == (False, "MANUAL")


@pytest.mark.operation("GetRegistryScanningConfiguration")
def test_a_configuration_is_read_as_it_was_put(registry: Any) -> None:
    rules = scan_on_push(registry.name("*"))
    registry.ecr.put_registry_scanning_configuration(scanType="BASIC", rules=rules)

    answer = registry.ecr.get_registry_scanning_configuration()

    assert answer["registryId"] == registry.id
    assert answer["scanningConfiguration"] == {"scanType": "BASIC", "rules": rules}


@pytest.mark.operation("BatchGetRepositoryScanningConfiguration")
def test_what_is_asked_for_is_told_and_what_is_missing_is_a_failure(account: Any) -> None:
    name = account.create_repository("app")

    answer = account.ecr.batch_get_repository_scanning_configuration(repositoryNames=[name, account.name("missing")])

    described = account.ecr.describe_repositories(repositoryNames=[name])["repositories"]
    arns = [one["repositoryArn"] for one in answer["scanningConfigurations"]]
    assert arns == [one["repositoryArn"] for one in described]
    [failure] = answer["failures"]
    assert (failure["repositoryName"], failure["failureCode"]) == (account.name("missing"), "REPOSITORY_NOT_FOUND")


@pytest.mark.operation("PutImageScanningConfiguration")
def test_a_repository_scans_on_push_when_it_says_so_itself(account: Any) -> None:
    name = account.create_repository("app")

    account.ecr.put_image_scanning_configuration(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})

    [described] = account.ecr.describe_repositories(repositoryNames=[name])["repositories"]
    assert described["imageScanningConfiguration"] == {"scanOnPush": True}
