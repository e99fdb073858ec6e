"""Settings of repositories and registries, by events and by sweeps."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar

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

REGISTRY = {"registry policy", "registry scanning", "replication", "template", "changed template", "blob mounting"}


class Apply(Scenario):
    """A repository without settings, which holds an image, is announced."""

    effects: ClassVar = SETTINGS
    function = "ApplyRepositoryPoliciesFunction"
    account = HUB

    def prepare(self) -> None:
        self.repository = self.house.new_name("kept")
        user = self.house.at(self.account)
        user.ecr.create_repository(repositoryName=self.repository)
        self.house.push(user, self.repository, "1.0.0")

    def play(self) -> None:
        event = self.house.event("aws_api_call_via_cloudtrail/create_repository", self.account, self.repository)
        self.house.invoke(self.function, event)

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        return set(self.settings(self.repository, self.account))


class ApplyInSpoke(Apply):
    account = SPOKE


class Bare(Scenario):
    """A repository has a policy and a lifecycle policy, and its rule wants none of both."""

    effects: ClassVar = NOTHING_LEFT
    function = "ApplyRepositoryPoliciesFunction"
    account = HUB
    rule = "bare"

    def prepare(self) -> None:
        self.repository = self.house.new_name(self.rule)
        self.house.at(self.account).ecr.create_repository(repositoryName=self.repository)
        give_policies(self.house.at(self.account), self.repository)

    def play(self) -> None:
        event = self.house.event("aws_api_call_via_cloudtrail/create_repository", self.account, self.repository)
        self.house.invoke(self.function, event)

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        return nothing_left_of(set(self.settings(self.repository, self.account)))


class BareInSpoke(Bare):
    account = SPOKE


class Braked(Bare):
    """The same where nothing may be taken away: the brake holds, and people are told."""

    effects: ClassVar = {"notice", "remembered"}
    rule = "braked"

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        held = {"notice"} if self.house.notices("Brake Held", self.repository) else set()
        return {*held, *self.noticed()}


class Reported(Braked):
    """The same, and what takes such notices to people."""

    effects: ClassVar = {"published"}

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        topic = self.house.physical_id("NoticesTopic")
        return {"published"} if self.house.delivered_to(topic) else set()


class SweepBare(Bare):
    function = "ReconcileRegistryFunction"

    def play(self) -> None:
        self.house.tick("ReconcileRegistryFunctionSweep")


class ApplyToRegistry(Scenario):
    """Somebody has set a whole registry otherwise than its rule says."""

    effects: ClassVar = REGISTRY
    function = "ApplyRepositoryPoliciesFunction"
    account = HUB
    region = HOME

    def prepare(self) -> None:
        reset_registries(self.house)

    def play(self) -> None:
        event = self.house.load_event("aws_api_call_via_cloudtrail/put_registry_policy")
        self.house.invoke(self.function, event | {"account": self.account, "region": self.region})

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        return set(of_registry(self.house, self.account, self.region)) & self.effects


class ApplyToRegistryInSpoke(ApplyToRegistry):
    account = SPOKE


class ApplyElsewhere(ApplyToRegistry):
    """Somebody has put a policy where there is to be none."""

    effects: ClassVar = {"no registry policy"}
    region = AWAY


class ApplyElsewhereInSpoke(ApplyElsewhere):
    account = SPOKE


class SweepRegistries(ApplyToRegistry):
    """The same, and nothing was announced."""

    function = "ReconcileRegistryFunction"

    def play(self) -> None:
        self.house.tick("ReconcileRegistryFunctionSweep")


class SweepElsewhere(SweepRegistries):
    effects: ClassVar = {"no registry policy"}
    region = AWAY


THEIRS = {
    "Sid": "Theirs",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::333344445555:root"},
    "Action": "ecr:ReplicateImage",
    "Resource": "*",
}


def reset_registries(house: Any) -> None:
    """Set all registries otherwise than their rules say."""
    for account in (HUB, SPOKE):
        home, away = house.at(account).ecr, house.at(account, AWAY).ecr
        away.put_registry_policy(policyText=json.dumps({"Version": "2012-10-17", "Statement": [THEIRS]}))
        with suppress(home.exceptions.RegistryPolicyNotFoundException):
            home.delete_registry_policy()
        home.put_registry_scanning_configuration(scanType="BASIC", rules=[])
        home.put_replication_configuration(replicationConfiguration={"rules": []})
        home.put_account_setting(name="BLOB_MOUNTING", value="DISABLED")
        for prefix in ("made", "changed"):
            with suppress(home.exceptions.TemplateNotFoundException):
                home.delete_repository_creation_template(prefix=prefix)
        home.create_repository_creation_template(prefix="changed", appliedFor=["CREATE_ON_PUSH"])


def of_registry(house: Any, account: str, region: str = HOME) -> Iterator[str]:
    """What a registry is set to."""
    ecr = house.at(account, region).ecr
    try:
        ecr.get_registry_policy()
        yield "registry policy"
    except ecr.exceptions.RegistryPolicyNotFoundException:
        yield "no registry policy"
    if ecr.get_registry_scanning_configuration()["scanningConfiguration"]["rules"]:
        yield "registry scanning"
    if ecr.describe_registry()["replicationConfiguration"]["rules"]:
        yield "replication"
    found = ecr.describe_repository_creation_templates()["repositoryCreationTemplates"]
    applied_for = {one["prefix"].rstrip("/"): one["appliedFor"] for one in found}
    if "made" in applied_for:
        yield "template"
    if applied_for.get("changed") == ["REPLICATION"]:
        yield "changed template"
    if ecr.get_account_setting(name="BLOB_MOUNTING")["value"] == "ENABLED":
        yield "blob mounting"
