"""Registries that copy into each other: configured, waited for, and looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

ACCOUNT = "111122223333"
HOME = "us-east-1"


@dataclass
class Registries:
    """What a test does with several registries of one stand; a registry is a region, and an account."""

    stand: Any

    def configure(
        self,
        *destinations: tuple[str, str],
        prefixes: Sequence[str] = (),
        deletes: bool | None = None,
        region: str = HOME,
        account: str = ACCOUNT,
    ) -> None:
        """Replication by one rule; none at all without a destination."""
        rule: dict[str, Any] = {"destinations": [{"region": to, "registryId": owner} for to, owner in destinations]}
        if prefixes:
            rule["repositoryFilters"] = [{"filter": one, "filterType": "PREFIX_MATCH"} for one in prefixes]
        if deletes is not None:
            rule["deleteReplication"] = {"enabled": deletes}
        rules = [rule] if destinations else []
        self.stand.client(region, account).put_replication_configuration(replicationConfiguration={"rules": rules})

    def held(self, region: str, account: str = ACCOUNT, repository_name: str = "team/app") -> dict[str, set[str]]:
        """The tags of each image of a repository, by its digest, when all is copied."""
        self.stand.ecr.wait_until_idle()
        pages = self.stand.client(region, account).get_paginator("describe_images")
        found = pages.paginate(repositoryName=repository_name)
        return {one["imageDigest"]: set(one.get("imageTags", ())) for page in found for one in page["imageDetails"]}

    def names(self, region: str, account: str = ACCOUNT) -> set[str]:
        """Names of the repositories of a registry, when all is copied."""
        self.stand.ecr.wait_until_idle()
        found = self.stand.client(region, account).describe_repositories()["repositories"]
        return {one["repositoryName"] for one in found}

    def told(self) -> list[dict[str, Any]]:
        """Every ECR Replication Action so far, when all is copied."""
        self.stand.ecr.wait_until_idle()
        return [event for _, _, event in self.stand.events if event["detail-type"] == "ECR Replication Action"]

    def statuses(self, repository_name: str = "team/app", **image_id: str) -> list[tuple[str, str, str, str | None]]:
        """Region, account, status and failure code of each destination, when all is copied."""
        self.stand.ecr.wait_until_idle()
        answer = self.stand.client().describe_image_replication_status(repositoryName=repository_name, imageId=image_id)
        return [
            (one["region"], one["registryId"], one["status"], one.get("failureCode"))
            for one in answer["replicationStatuses"]
        ]


@pytest.fixture
def registries(stand: Any) -> Registries:
    return Registries(stand)


@pytest.fixture
def registries_of() -> type[Registries]:
    """For a stand of the test's own."""
    return Registries
