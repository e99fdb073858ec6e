"""What a scenario is: a job, from facts under which every one of its steps is due."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

HUB, SPOKE = "111122223333", "222233334444"
HOME, AWAY = "us-east-1", "eu-west-1"
SETTINGS = {"policy", "lifecycle", "mutability", "scanning", "resource tags"}
NOTHING_LEFT = {"no policy", "no lifecycle"}
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


def tag_resource(user: Any, repository: str) -> None:
    """Give a repository the resource tag that a rule asks for."""
    (found,) = user.ecr.describe_repositories(repositoryNames=[repository])["repositories"]
    user.ecr.tag_resource(resourceArn=found["repositoryArn"], tags=[{"Key": "stage", "Value": "prod"}])
