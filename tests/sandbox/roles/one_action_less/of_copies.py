"""Copies: by the steward, to registries beside ECR, and by ECR itself."""

import json
from datetime import timedelta
from typing import Any, ClassVar

from lab.cncf_distribution import shown_by
from tests.sandbox.roles.one_action_less.of_images import Sweep
from tests.sandbox.roles.one_action_less.of_settings import reset_registries
from tests.sandbox.roles.one_action_less.scenario import (
    AWAY,
    HOME,
    HUB,
    NOTHING_LEFT,
    SETTINGS,
    SPOKE,
    Scenario,
    give_policies,
    nothing_left_of,
)


class Replicate(Scenario):
    """An image that passed its scan is pushed; one destination has a repository without settings, the other none."""

    effects: ClassVar = {"copy", "spoke copy", "notice", "remembered", *SETTINGS}
    function = "ReplicateImageFunction"
    account = HUB
    has_destination = True

    def prepare(self) -> None:
        self.repository = self.house.new_name("kept")
        user = self.house.at(self.account)
        user.ecr.create_repository(repositoryName=self.repository)
        if self.has_destination:
            self.house.at(self.account, AWAY).ecr.create_repository(repositoryName=self.repository)
        self.pushed = self.house.push(user, self.repository, "1.0.0")
        self.house.scan(self.account, self.repository, self.pushed, "LOW")

    def play(self) -> None:
        digest = self.pushed.index.digest
        event = self.house.event("ecr_image_action/push_tagged", self.account, self.repository, digest)
        self.house.send("ReplicateImageQueue", event)

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        found = set(self.noticed())
        away = self.house.at(self.account, AWAY)
        if away.has_repository(self.repository):
            found |= set(self.settings(self.repository, self.account, AWAY))
            if self._is_at(away, self.repository):
                found.add("copy")
        if self._is_at(self.house.at(SPOKE), f"copies/{self.repository}"):
            found.add("spoke copy")
        if self.house.notices("Image Replicated", self.repository):
            found.add("notice")
        return found

    def _is_at(self, user: Any, repository: str) -> bool:
        digest = str(self.pushed.index.digest)
        return user.has_repository(repository) and user.tags(repository) == {"1.0.0": digest}


class ReplicateToNewRepository(Replicate):
    has_destination = False


class ReplicateToBare(Replicate):
    """The destination has a policy and a lifecycle policy, and its rule wants none of both."""

    effects: ClassVar = {"copy", "spoke copy", "notice", "remembered", *NOTHING_LEFT}

    def prepare(self) -> None:
        self.repository = self.house.new_name("bare")
        home, away = self.house.at(self.account), self.house.at(self.account, AWAY)
        for user in (home, away):
            user.ecr.create_repository(repositoryName=self.repository)
        give_policies(away, self.repository)
        self.pushed = self.house.push(home, self.repository, "1.0.0")

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        found = super().happened(told)
        return found - {"policy", "lifecycle"} | nothing_left_of(found)


class ReplicateWhatIsUnderWay(Replicate):
    """Another job copies the image to both its destinations: this one goes back to its queue."""

    effects: ClassVar = {"put back"}

    def prepare(self) -> None:
        super().prepare()
        digest, table = self.pushed.index.digest, self.house.physical_id("StateTable")
        for place in (f"{HUB}/{AWAY}/{self.repository}", f"{SPOKE}/{HOME}/copies/{self.repository}"):
            lease = {"pk": {"S": f"lease#{digest} to {place}"}, "sk": {"S": "lease"}, "lease": {"S": "another's"}}
            item = {**lease, "expiration": {"N": "4000000000"}}
            self.house.sandbox.client("dynamodb").put_item(TableName=table, Item=item)

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        return {"put back"} if self.house.drop_delayed("ReplicateImageQueue") else set()


class ReplicateFromSpoke(Replicate):
    """Copies to another account come from the hub alone."""

    effects: ClassVar = Replicate.effects - {"spoke copy"}
    account = SPOKE


class Withdraw(Scenario):
    """An image was copied, and fails its scan now."""

    effects: ClassVar = {"withdrawn", "notice", "remembered"}
    function = "ReplicateImageFunction"

    def prepare(self) -> None:
        self.repository = self.house.new_name("withdrawn")
        for user in (self.house.at(), self.house.at(region=AWAY)):
            user.ecr.create_repository(repositoryName=self.repository)
            self.pushed = self.house.push(user, self.repository, "1.0.0")
        self.house.scan(HUB, self.repository, self.pushed, "HIGH")

    def play(self) -> None:
        event = self.house.event("image_verdict/fail", HUB, self.repository, self.pushed.index.digest)
        self.house.send("ReplicateImageQueue", event)

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        found = set(self.noticed())
        if not self.house.at(region=AWAY).tags(self.repository):
            found.add("withdrawn")
        if self.house.notices("Image Withdrawn", self.repository):
            found.add("notice")
        return found


class Publish(Replicate):
    """An image is pushed that goes to a registry that is not ECR."""

    effects: ClassVar = {"published", "notice", "remembered"}

    def prepare(self) -> None:
        self.repository = self.house.new_name("published")
        self.house.at().ecr.create_repository(repositoryName=self.repository)
        self.pushed = self.house.push(self.house.at(), self.repository, "1.0.0")

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        found = set(self.noticed())
        if shown_by(self.house.elsewhere, self.repository, "1.0.0") == self.pushed.index.content:
            found.add("published")
        if self.house.notices("Image Replicated", self.repository):
            found.add("notice")
        return found


class SweepPublished(Publish):
    """What is to go to a registry that is not ECR has not been announced."""

    effects: ClassVar = {"requested"}
    function = "ReconcileRegistryFunction"
    also = Sweep.also

    def play(self) -> None:
        self.house.tick("ReconcileRegistryFunctionSweep")

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        jobs = [json.loads(body) for body in self.house.take("ReplicateImageQueue")]
        return {"requested"} if any(job["detail-type"] == "Replication Requested" for job in jobs) else set()


class SweepNative(Scenario):
    """ECR itself was to copy an image to another account, which does not let it."""

    effects: ClassVar = {"failure told"}
    function = "ReconcileRegistryFunction"
    account, elsewhere = HUB, SPOKE

    def prepare(self) -> None:
        self.repository = self.house.new_name("native")
        user = self.house.at(self.account)
        user.ecr.create_repository(repositoryName=self.repository)
        filters = [{"filter": "native/", "filterType": "PREFIX_MATCH"}]
        rule = {"destinations": [{"region": AWAY, "registryId": self.elsewhere}], "repositoryFilters": filters}
        user.ecr.put_replication_configuration(replicationConfiguration={"rules": [rule]})
        self.house.push(user, self.repository, "1.0.0")
        self.house.sandbox.wait_until_idle()

    def play(self) -> None:
        self.house.tick("ReconcileRegistryFunctionSweep")

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        words = f"{self.elsewhere}/{AWAY}/{self.repository}: ECR's own replication failed: AccessDenied"
        return {"failure told"} if any(words in text for text in told["failure queue"]) else set()


class SweepNativeInSpoke(SweepNative):
    account, elsewhere = SPOKE, HUB


class SweepBefore(Scenario):
    """An image was pushed before ECR was to replicate it."""

    effects: ClassVar = {"backfill"}
    function = "ReconcileRegistryFunction"
    account = HUB

    def prepare(self) -> None:
        self.ecr = self.house.at(self.account).ecr
        if self.backfills():  # a gap gets one a day
            self.house.sandbox.move_clock(timedelta(days=1))
        reset_registries(self.house)
        self.known = set(self.backfills())
        self.repository = f"{self.house.new_name('native')}/api"
        self.ecr.create_repository(repositoryName=self.repository)
        self.house.push(self.house.at(self.account), self.repository, "1.0.0")

    def backfills(self) -> list[str]:
        pages = self.ecr.get_paginator("list_replication_backfills").paginate()
        return [one["replicationBackfillId"] for page in pages for one in page["backfills"]]

    def play(self) -> None:
        self.house.tick("ReconcileRegistryFunctionSweep")

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        return {"backfill"} if set(self.backfills()) - self.known else set()


class SweepBeforeInSpoke(SweepBefore):
    account = SPOKE


class SweepFailedBefore(SweepBefore):
    """And its replica cannot be created, since a template has resource tags and no role to set them as."""

    effects: ClassVar = {"failure told"}

    def prepare(self) -> None:
        super().prepare()
        away = self.house.at(self.account, AWAY).ecr
        tags = [{"Key": "team", "Value": "a"}]
        prefix = self.repository.removesuffix("/api")
        away.create_repository_creation_template(prefix=prefix, appliedFor=["REPLICATION"], resourceTags=tags)
        self.play()
        self.house.told()  # the clock has moved, so other sweeps may have told of it already

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        words = f"{self.repository}:1.0.0 (RepositoryNotFound)"
        return {"failure told"} if any(words in text for text in told["failure queue"]) else set()


class SweepFailedBeforeInSpoke(SweepFailedBefore):
    account = SPOKE
