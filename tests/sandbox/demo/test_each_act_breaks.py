"""A demo that cannot fail shows nothing: acts 1 to 6 are broken on purpose, and the story must end in exactly that act.

The acts after them have files of their own.
"""

from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward_sandbox.demo.stage import REPOSITORY, Stage

pytestmark = pytest.mark.slow

SERVICES = "services"


def without_the_rule_for_pushes(house: Any) -> None:
    house.hub.remove("EnforceImageTagsFunction", "Properties", "Events")
    house.hub.forget("EnforceImageTagsFunctionImagePushed")


def change_a_byte(stage: Stage) -> None:
    blob = stage.release("1.4.3").children[0].blobs[-1].digest
    stage.settle()
    replica = stage.layout.root.parent / "data" / "ecr" / stage.sandbox.account / stage.away.region
    (stored,) = replica.glob(f"blobs/sha256/**/{blob.hex}")
    content = bytearray(stored.read_bytes())
    content[-1] ^= 1
    stored.chmod(0o644)
    stored.write_bytes(content)


def lose_an_image(stage: Stage) -> None:
    image = {"imageDigest": str(stage.release("1.4.3").sbom.digest)}
    stage.away.ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[image])


BREAKS: list[tuple[int, str, Callable[[Any], None]]] = [
    (
        1,
        "permission to forward events",
        lambda house: house.hub.remove("ForwardToStewardRole", "Properties", "Policies"),
    ),
    (
        1,
        "permission to set repository policies",
        lambda house: house.hub.take("ApplyRepositoryPoliciesFunction", "ecr:SetRepositoryPolicy"),
    ),
    (1, "rule on repository settings", lambda house: house.rule(SERVICES, lambda rule: rule.pop("repository"))),
    (
        1,
        "step that puts the lifecycle policy",
        lambda house: house.code("domain/governance.py", "wanted.lifecycle is not None", "False"),
    ),
    (2, "EventBridge rule for pushes", without_the_rule_for_pushes),
    (2, "permission to put images", lambda house: house.hub.take("EnforceImageTagsFunction", "ecr:PutImage")),
    (2, "rule on aliases", lambda house: house.rule(SERVICES, lambda rule: rule["image_tags"].pop("aliases"))),
    (
        2,
        "comparison of versions",
        lambda house: house.code(
            "domain/tagging.py",
            "highest[alias][0].order < version.order",
            "version.order < highest[alias][0].order",
        ),
    ),
    (
        3,
        "target of the rule",
        lambda house: house.hub.set(
            "ImagePushedToReplicateImageRule",
            *("Targets", 0, "Arn"),
            {"Fn::GetAtt": ["ReplicateImageDeadLetterQueue", "Arn"]},
        ),
    ),
    (3, "permission to write to the queue", lambda house: house.hub.remove("ReplicateImageQueuePolicy")),
    (
        3,
        "rule on referrers",
        lambda house: house.rule(SERVICES, lambda rule: rule["replicate"][0].update(referrers=False)),
    ),
    (
        3,
        "step that copies image tags",
        lambda house: house.code("domain/replication.py", "if holder == source.digest", "if True"),
    ),
    (3, "byte at the destination", lambda house: house.before(3, change_a_byte)),
    (3, "referrer at the destination", lambda house: house.before(3, lose_an_image)),
    (
        4,
        "permission to remove image tags",
        lambda house: house.hub.take("EnforceImageTagsFunction", "ecr:BatchDeleteImage"),
    ),
    (
        4,
        "rule on image tags",
        lambda house: house.rule(SERVICES, lambda rule: rule["image_tags"].update(deny=[], allow=[])),
    ),
    (
        4,
        "permission to publish notices",
        lambda house: house.hub.remove("NoticesTopicPolicy", "Properties", "PolicyDocument", "Statement", 0),
    ),
    (
        4,
        "step that removes the tag",
        lambda house: house.code("domain/tag_plan.py", "if tag not in self.reading.targets:", "if False:"),
    ),
    (
        5,
        "comparison before the write",
        lambda house: house.code("domain/tag_plan.py", "if holder == digest:", "if False:"),
    ),
    (5, "permission to write to the queue of scans", lambda house: house.hub.remove("EvaluateImageScanQueuePolicy")),
    (6, "permission to start the sweep", lambda house: house.hub.take("SweepScheduleRole", "lambda:InvokeFunction")),
    (
        6,
        "permission to put lifecycle policies",
        lambda house: house.hub.take("ReconcileRegistryFunction", "ecr:PutLifecyclePolicy"),
    ),
    (
        6,
        "step that requests a copy",
        lambda house: house.code(
            "usecases/sweep_repository.py", "if missing and rule.mode is Mode.ENFORCE", "if False"
        ),
    ),
    # What the later acts need is found undeliverable here, before they are played.
    (
        6,
        "permission to start the refresh",
        lambda house: house.hub.take("CredentialScheduleRole", "lambda:InvokeFunction"),
    ),
    (6, "bus policy for account two", lambda house: house.hub.remove("EventBusPolicy")),
    (
        6,
        "permission of account two to forward events",
        lambda house: house.spoke.remove("ForwardToStewardRole", "Properties", "Policies"),
    ),
    (
        6,
        "external id of account two",
        lambda house: house.spoke.set(
            "SpokeRole",
            *("AssumeRolePolicyDocument", "Statement", 0, "Condition", "StringEquals", "sts:ExternalId"),
            "another",
        ),
    ),
    (
        6,
        "role in account two",
        lambda house: house.code("adapters/roles.py", "if account == self.own:", "if True:"),
    ),
]


@pytest.mark.parametrize(
    ("act", "take_part_away"), [pytest.param(a, b, id=f"act {a}: {name}") for a, name, b in BREAKS]
)
def test_story_ends_in_the_act_that_is_broken(act: int, take_part_away: Callable[[Any], None], house: Any) -> None:
    take_part_away(house)

    ending, account = house.tell()

    assert ending.failed_act == act, account
    assert f"Act {act} failed" in account


def test_story_holds_when_nothing_is_broken(house: Any) -> None:
    ending, account = house.tell()

    assert ending.failed_act is None, account
    assert ending.checks > 90
    assert "All 10 acts held" in account


def test_story_holds_with_an_image_for_a_single_platform(house: Any) -> None:
    ending, account = house.tell(platforms=1)

    assert ending.failed_act is None, account
    assert "1 manifests under" not in account
