"""Image tags, verdicts and retention, and a sweep that finds all of it."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from tests.sandbox.roles.one_action_less.scenario import HOME, HUB, SETTINGS, SPOKE, Scenario, tag_resource


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
        self._forget_revisions()
        self.house.tick("ReconcileRegistryFunctionSweep")

    def _forget_revisions(self) -> None:
        """What runs was read by an earlier sweep, and would not be read again."""
        table, dynamodb = self.house.physical_id("StateTable"), self.house.sandbox.client("dynamodb")
        for item in dynamodb.scan(TableName=table)["Items"]:
            if item["pk"]["S"].startswith("revisions#"):
                dynamodb.delete_item(TableName=table, Key={key: item[key] for key in ("pk", "sk")})

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


class EnforceCopied(Enforce):
    """The same, as far as the copy of the image goes."""

    effects: ClassVar = {"requested"}

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        jobs = [record for one in self.house.ran() for record in one.event.get("Records", [])]
        return {"requested"} if any(self.repository in job["body"] for job in jobs) else set()


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
