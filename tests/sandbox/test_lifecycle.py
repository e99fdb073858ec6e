"""Lifecycle policies in the sandbox: time passes when its clock is moved, and the default bus hears what went."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

REPOSITORY = {"repositoryName": "team/api"}
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
POLICY = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
                "action": {"type": "expire"},
            }
        ]
    }
)


def push(ecr: Any, image_tag: str) -> str:
    """Push an image that is made of nothing, and return its digest."""
    manifest = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": {"tag": image_tag}}
    put = ecr.put_image(**REPOSITORY, imageManifest=json.dumps(manifest), imageTag=image_tag)
    digest: str = put["image"]["imageId"]["imageDigest"]
    return digest


def test_images_expire_and_rules_hear_of_it_when_the_clock_is_moved_by_a_day(
    template: Any, run: Callable[..., Any]
) -> None:
    template.queue("Gone", "Expired")
    template.rule(
        "Expired",
        template.arn("Gone"),
        bus="default",
        EventPattern={"source": ["aws.ecr"], "detail": {"action-type": ["DELETE"]}},
    )
    box = run()
    ecr = box.sandbox.client("ecr")
    ecr.create_repository(**REPOSITORY)
    old, new = push(ecr, "1.0"), push(ecr, "2.0")
    ecr.put_lifecycle_policy(**REPOSITORY, lifecyclePolicyText=POLICY)

    box.sandbox.move_clock(timedelta(hours=23))
    box.sandbox.wait_until_idle(10)
    assert {one["imageDigest"] for one in ecr.list_images(**REPOSITORY)["imageIds"]} == {old, new}

    box.sandbox.move_clock(timedelta(hours=2))
    box.sandbox.wait_until_idle(10)

    assert ecr.list_images(**REPOSITORY)["imageIds"] == [{"imageDigest": new, "imageTag": "2.0"}]
    [told] = [message["body"]["detail"] for message in box.messages("Gone")]
    assert (told["image-digest"], told["image-tag"]) == (old, "1.0")
