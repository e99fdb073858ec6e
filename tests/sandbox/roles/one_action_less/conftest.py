"""What each function, delivery and login does, played from facts under which every one of its steps is due."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from tests.cncf_distribution import shown_by

HUB, SPOKE = "111122223333", "222233334444"
HOME, AWAY = "us-east-1", "eu-west-1"
SETTINGS = {"policy", "lifecycle", "mutability", "scanning", "resource tags"}
NOTHING_LEFT = {"no policy", "no lifecycle"}
REGISTRY = {"registry policy", "registry scanning", "replication", "template", "changed template", "blob mounting"}
POLLED = {
    "EvaluateImageScanFunction": "EvaluateImageScanQueue",
    "ReplicateImageFunction": "ReplicateImageQueue",
}
"""The queue that feeds a function, where one does."""


class Scenario:
    """A job, from facts under which every one of its steps is due. `effects` name what is there when it is done."""

    effects: ClassVar[set[str]]
    function: ClassVar[str]
    also: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Further actions, by role, that are missing all the time: what is looked at happens only then."""
    refused: ClassVar[set[tuple[str, str]]] = set()
    """What is refused all the time because of that."""

    def __init__(self, house: Any) -> None:
        self.house = house

    def prepare(self) -> None:
        """Make the facts."""

    def play(self) -> None:
        """Let the event happen."""
        raise NotImplementedError

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        """The effects that are there."""
        raise NotImplementedError

    def noticed(self) -> Iterator[str]:
        """Whether notices were given and remembered: then a repeated event gives no second one."""
        states = self.house.remembered()
        if states and set(states) == {"COMPLETED"}:
            yield "remembered"

    def settings(self, repository: str, account: str = HUB, region: str = HOME) -> Iterator[str]:
        """Which settings a repository has."""
        ecr = self.house.at(account, region).ecr
        (found,) = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
        for effect, read in (("policy", ecr.get_repository_policy), ("lifecycle", ecr.get_lifecycle_policy)):
            try:
                read(repositoryName=repository)
            except (ecr.exceptions.RepositoryPolicyNotFoundException, ecr.exceptions.LifecyclePolicyNotFoundException):
                continue
            yield effect
        if found["imageTagMutability"] == "IMMUTABLE":
            yield "mutability"
        if found["imageScanningConfiguration"]["scanOnPush"]:
            yield "scanning"
        if ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]:
            yield "resource tags"


class Apply(Scenario):
    """A repository without settings is announced."""

    effects: ClassVar = SETTINGS
    function = "ApplyRepositoryPoliciesFunction"
    account = HUB

    def prepare(self) -> None:
        self.repository = self.house.new_name("kept")
        self.house.at(self.account).ecr.create_repository(repositoryName=self.repository)

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


class SweepBare(Bare):
    function = "ReconcileRegistryFunction"

    def play(self) -> None:
        self.house.tick("ReconcileRegistryFunctionSweep")


def nothing_left_of(settings: set[str]) -> set[str]:
    """Which policies a repository has no more."""
    return {f"no {policy}" for policy in ("policy", "lifecycle") if policy not in settings}


def give_policies(user: Any, repository: str) -> None:
    """Let an account pull from a repository and untagged images expire, as somebody by hand."""
    days = {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}
    rule = {"rulePriority": 1, "selection": {"tagStatus": "untagged", **days}, "action": {"type": "expire"}}
    user.ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=json.dumps({"rules": [rule]}))
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"}, "Action": "ecr:BatchGetImage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    user.ecr.set_repository_policy(repositoryName=repository, policyText=policy)


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


class Retain(Scenario):
    """An image is one too many and runs nowhere; a tag may expire some day, another one that could is gone."""

    effects: ClassVar = {"deleted", "seen", "forgotten"}
    function = "ReconcileRegistryFunction"

    def prepare(self) -> None:
        self.repository = self.house.new_name("retained")
        self.user = self.house.at()
        self.user.ecr.create_repository(repositoryName=self.repository)
        for image_tag in ("v1", "v2", "pr-1"):
            self.house.push(self.user, self.repository, image_tag)
        gone = {"digest": f"sha256:{'0' * 64}", "since": "1790000000000", "expiration": "4000000000"}
        numbers = {name: {"N" if text.isdigit() else "S": text} for name, text in gone.items()}
        item = {"pk": {"S": self.partition}, "sk": {"S": "pr-0"}, **numbers}
        self.house.sandbox.client("dynamodb").put_item(TableName=self.house.physical_id("StateTable"), Item=item)
        for account in (HUB, SPOKE):
            run_something(self.house.sandbox, account)

    @property
    def partition(self) -> str:
        return f"tags#{HUB}/{HOME}/{self.repository}"

    def play(self) -> None:
        self.house.restart(self.function)  # else it would know for minutes what runs, or that it may not know
        self.house.tick("ReconcileRegistryFunctionSweep")

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        table = self.house.physical_id("StateTable")
        items = self.house.sandbox.client("dynamodb").scan(TableName=table)["Items"]
        known = {item["sk"]["S"] for item in items if item["pk"]["S"] == self.partition}
        found = {"deleted"} if "v1" not in self.user.tags(self.repository) else set()
        return found | ({"seen"} if "pr-1" in known else set()) | (set() if "pr-0" in known else {"forgotten"})


def run_something(sandbox: Any, account: str) -> None:
    """Have a service, a task and a function in an account, which run images of nobody's."""
    ecs, functions = sandbox.client("ecs", account=account), sandbox.client("lambda", account=account)
    if ecs.list_clusters()["clusterArns"]:
        return
    ecs.create_cluster(clusterName="prod")
    task = ecs.register_task_definition(
        family="job",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "job", "image": "nginx", "memory": 8}],
    )["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(cluster="prod", serviceName="job", taskDefinition=task, desiredCount=1)
    subnet = sandbox.client("ec2", account=account).describe_subnets()["Subnets"][0]["SubnetId"]
    where = {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": []}}
    ecs.run_task(cluster="prod", taskDefinition=task, launchType="FARGATE", networkConfiguration=where)
    role = sandbox.client("iam", account=account).list_roles()["Roles"][0]["Arn"]
    code = {"ImageUri": f"{account}.dkr.ecr.{HOME}.amazonaws.com/functions/resize:1"}
    functions.create_function(FunctionName="resize", PackageType="Image", Code=code, Role=role)


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


class Enforce(Scenario):
    """An image is pushed as something that is no version."""

    effects: ClassVar = {"notice", "quarantined", "untagged"}
    function = "EnforceImageTagsFunction"
    account = HUB
    rule = "kept"

    def prepare(self) -> None:
        self.repository = self.house.new_name(self.rule)
        self.user = self.house.at(self.account)
        self.user.ecr.create_repository(repositoryName=self.repository)
        self.pushed = self.house.push(self.user, self.repository, "latest")

    def play(self) -> None:
        digest = self.pushed.index.digest
        event = self.house.event("ecr_image_action/push_tagged", self.account, self.repository, digest)
        self.house.invoke(self.function, event)

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        return set(answers(self.house, self.user, self.repository))


class EnforceInSpoke(Enforce):
    account = SPOKE


class EnforceLabels(Enforce):
    """An image is pushed that lacks a label."""

    effects: ClassVar = {"notice"}
    rule = "described"


class EnforceTagged(Enforce):
    """The same where the rule asks for a resource tag."""

    rule = "tagged"

    def prepare(self) -> None:
        super().prepare()
        tag_resource(self.user, self.repository)


class Watch(Enforce):
    """The same under a rule that only observes: the violation stays, and is told again."""

    effects: ClassVar = {"notice", "remembered"}
    rule = "watched"

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        return {*super().happened(told), *self.noticed()}


def answers(house: Any, user: Any, repository: str) -> Iterator[str]:
    """How the violation of an image called `latest` was answered."""
    if house.notices("Violation Found", repository):
        yield "notice"
    image_tags = user.tags(repository)
    if any(image_tag.startswith("quarantine-") for image_tag in image_tags):
        yield "quarantined"
    if "latest" not in image_tags:
        yield "untagged"


class Evaluate(Scenario):
    """Scans end badly, in both accounts."""

    effects: ClassVar = {"verdict", "spoke verdict", "remembered"}
    function = "EvaluateImageScanFunction"
    rule = "kept"

    def prepare(self) -> None:
        self.repository = self.house.new_name(self.rule)
        self.pushed = {}
        for account in (HUB, SPOKE):
            user = self.house.at(account)
            user.ecr.create_repository(repositoryName=self.repository)
            self.pushed[account] = self.house.push(user, self.repository, "1.0.0")
            self.house.scan(account, self.repository, self.pushed[account], "HIGH")

    def play(self) -> None:
        sample = "ecr_image_scan/complete_child"
        self.house.send(
            "EvaluateImageScanQueue",
            *(
                self.house.event(sample, account, self.repository, pushed.children[0].digest)
                for account, pushed in self.pushed.items()
            ),
        )

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        accounts = {notice["account"] for notice in self.house.notices("Image Verdict", self.repository)}
        by_account = {HUB: "verdict", SPOKE: "spoke verdict"}
        return {*(by_account[account] for account in accounts), *self.noticed()}


class EvaluateTagged(Evaluate):
    """The same where the rule asks for a resource tag."""

    rule = "tagged"

    def prepare(self) -> None:
        super().prepare()
        for account in (HUB, SPOKE):
            tag_resource(self.house.at(account), self.repository)


def tag_resource(user: Any, repository: str) -> None:
    """Give a repository the resource tag that a rule asks for."""
    (found,) = user.ecr.describe_repositories(repositoryNames=[repository])["repositories"]
    user.ecr.tag_resource(resourceArn=found["repositoryArn"], tags=[{"Key": "stage", "Value": "prod"}])


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
    account = SPOKE


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


class Sweep(Scenario):
    """Nothing was announced: no repository here or there, no version, no image with a bad tag."""

    effects: ClassVar = {
        *("notice", "quarantined", "untagged", "verdict", "requested", "remembered", "spoke", "lack told"),
        *SETTINGS,
    }
    function = "ReconcileRegistryFunction"
    also = (("hub/ReplicateImageFunctionRole", "sqs:ReceiveMessage"),)  # so that what is requested stays on its queue

    def prepare(self) -> None:
        self.repository = self.house.new_name("swept")
        self.user = self.house.at()
        self.user.ecr.create_repository(repositoryName=self.repository)
        self.house.at(SPOKE).ecr.create_repository(repositoryName=self.repository)
        self.house.scan(HUB, self.repository, self.house.push(self.user, self.repository, "1.0.0"), "LOW")
        self.house.push(self.user, self.repository, "latest")
        self.described = self.house.new_name("described")
        self.user.ecr.create_repository(repositoryName=self.described)
        self.house.push(self.user, self.described, "1.0.0")

    def play(self) -> None:
        self.house.tick("ReconcileRegistryFunctionSweep")

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        found = {*self.settings(self.repository), *answers(self.house, self.user, self.repository), *self.noticed()}
        if self.house.notices("Image Verdict", self.repository):
            found.add("verdict")
        if self.house.notices("Violation Found", self.described):
            found.add("lack told")
        jobs = [json.loads(body) for body in self.house.take("ReplicateImageQueue")]
        if any(job["detail-type"] == "Replication Requested" for job in jobs):
            found.add("requested")
        if set(self.settings(self.repository, SPOKE)) == SETTINGS:
            found.add("spoke")
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


class Refresh(Scenario):
    """One login has never been published, the other was replaced by somebody."""

    effects: ClassVar = {"login", "spoke login", "notice", "remembered"}
    function = "RefreshCredentialsFunction"

    def prepare(self) -> None:
        for account in (HUB, SPOKE):
            self.house.at(account).ecr.create_repository(repositoryName="kept/something-to-try")
            self.house.push(self.house.at(account), "kept/something-to-try", "1.0.0")

    def play(self) -> None:
        self.house.reset_secrets()
        self.house.tick("RefreshCredentialsFunctionRefresh")

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        by_account = {HUB: "login", SPOKE: "spoke login"}
        found = {by_account[account] for account in self.house.published_logins()}
        if self.house.notices("Credential Refreshed", "ecr-steward/"):
            found.add("notice")
        return {*found, *self.noticed()}


def released(scenario: type[Scenario]) -> type[Scenario]:
    """The bus refuses a notice: it is not to be remembered as one that is being given."""

    class Released(scenario):  # type: ignore[misc,valid-type]
        effects: ClassVar = {"released"}
        refused: ClassVar = {(f"hub/{scenario.function}Role", "events:PutEvents")}
        also: ClassVar = (*scenario.also, *refused)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            super().happened(told)
            return set() if self.house.remembered() else {"released"}

    return Released


def malformed(of_function: str, queue: str | None = None) -> type[Scenario]:
    """An event that no function can read, on its queue if any."""

    class Malformed(Scenario):
        effects: ClassVar = {"kept"}
        function: ClassVar = of_function

        def play(self) -> None:
            event = self.house.event("ecr_image_action/malformed", "nobody", "kept/nothing")
            if queue:
                self.house.send(queue, event)
            else:
                self.house.invoke(of_function, event)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            return {"kept"} if told["failure queue"] else set()

    return Malformed


def postponed(scenario: type[Scenario]) -> type[Scenario]:
    """The session in the other account ends while the function believes in it: trying again may help, in a while."""

    class Postponed(scenario):  # type: ignore[misc,valid-type]
        effects: ClassVar = {"postponed"}
        account = SPOKE

        def prepare(self) -> None:
            super().prepare()
            super().play()
            self.house.let_sessions_end()

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            asked = (f"hub/{scenario.function}Role", "sqs:ChangeMessageVisibility")
            return {"postponed"} if asked in self.house.allowed() else set()

    return Postponed


def forwarded(from_account: str) -> type[Scenario]:
    """A service puts an event, which starts nothing, on an account's default bus."""

    class Forwarded(Scenario):
        effects: ClassVar = {"forwarded"}

        def play(self) -> None:
            rule = self.house.physical_id("ForwardToStewardRule", from_account)
            events = self.house.sandbox.client("events", account=from_account)
            events.enable_rule(Name=rule)
            try:
                self.house.deliver(from_account, self.house.load_event("ecr_image_action/unknown_action"))
            finally:
                events.disable_rule(Name=rule)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            return {"forwarded"} if self.house.arrived("ecr-steward") else set()

    return Forwarded


def scheduled(schedule: str, role: str, job: type[Scenario]) -> tuple[type[Scenario], type[Scenario]]:
    """A schedule comes due; and the same where it may not start its function."""

    class Started(Scenario):
        effects: ClassVar = {"started"}

        def play(self) -> None:
            self.house.tick(schedule)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            return {"started"} if job.function in {one.function for one in self.house.ran()} else set()

    class Undelivered(Started):
        effects: ClassVar = {"dead letter"}
        also: ClassVar = ((role, "lambda:InvokeFunction"),)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            return {"dead letter"} if told["dead letters"] else set()

    return Started, Undelivered


FUNCTIONS = (Apply, Enforce, Evaluate, Replicate, Sweep, Refresh)
NOTIFYING = {
    "watch": Watch,
    "braked": Braked,
    "evaluate": Evaluate,
    "replicate": Replicate,
    "sweep": Sweep,
    "refresh": Refresh,
}
SWEEPING = scheduled("ReconcileRegistryFunctionSweep", "hub/SweepScheduleRole", Sweep)
REFRESHING = scheduled("RefreshCredentialsFunctionRefresh", "hub/CredentialScheduleRole", Refresh)
SCENARIOS: Mapping[str, type[Scenario]] = {
    "apply": Apply,
    "apply in the spoke": ApplyInSpoke,
    "apply to a registry": ApplyToRegistry,
    "apply to a registry in the spoke": ApplyToRegistryInSpoke,
    "apply elsewhere": ApplyElsewhere,
    "apply elsewhere in the spoke": ApplyElsewhereInSpoke,
    "sweep registries": SweepRegistries,
    "sweep registries elsewhere": SweepElsewhere,
    "bare": Bare,
    "bare in the spoke": BareInSpoke,
    "sweep what is to be bare": SweepBare,
    "retain": Retain,
    "sweep what ECR copies": SweepNative,
    "sweep what ECR copies in the spoke": SweepNativeInSpoke,
    "sweep what was there before": SweepBefore,
    "sweep what was there before in the spoke": SweepBeforeInSpoke,
    "sweep what ECR failed to bring": SweepFailedBefore,
    "sweep what ECR failed to bring in the spoke": SweepFailedBeforeInSpoke,
    "replicate to what is to be bare": ReplicateToBare,
    "enforce": Enforce,
    "enforce in the spoke": EnforceInSpoke,
    "enforce labels": EnforceLabels,
    "enforce by resource tags": EnforceTagged,
    "evaluate by resource tags": EvaluateTagged,
    **NOTIFYING,
    "replicate to a new repository": ReplicateToNewRepository,
    "replicate from the spoke": ReplicateFromSpoke,
    "replicate what is under way": ReplicateWhatIsUnderWay,
    "publish": Publish,
    "sweep what is to be published": SweepPublished,
    **{f"{name}, and the bus refuses": released(scenario) for name, scenario in NOTIFYING.items()},
    **{f"malformed for {one.function}": malformed(one.function, POLLED.get(one.function)) for one in FUNCTIONS},
    "malformed part of a sweep": malformed(Sweep.function, "ReconcileRegistryQueue"),
    **{f"{name} later": postponed(NOTIFYING[name]) for name in ("evaluate", "replicate")},
    "forward from the hub": forwarded(HUB),
    "forward from the spoke": forwarded(SPOKE),
    **dict(zip(("start the sweep", "cannot start the sweep"), SWEEPING, strict=True)),
    **dict(zip(("start the refresh", "cannot start the refresh"), REFRESHING, strict=True)),
}


@pytest.fixture(scope="session")
def scenarios() -> Mapping[str, type[Scenario]]:
    """Every scenario by its name."""
    return SCENARIOS
