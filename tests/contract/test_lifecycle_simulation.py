"""Our simulation of a lifecycle policy, and the preview of ECR: local_ecr's, which was written apart from it."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.lifecycle.document import lifecycle_document, lifecycle_text
from ecr_steward.domain.lifecycle.policy import (
    Action,
    CountType,
    ImageSelection,
    LifecyclePolicy,
    LifecycleRule,
    StorageClass,
    TagStatus,
    refusals,
)
from ecr_steward.domain.lifecycle.simulation import Claim, StoredImage, following, simulate
from ecr_steward_cli.stored_images import read_repository
from local_ecr.errors import EcrError
from local_ecr.lifecycle import plan as theirs
from local_ecr.lifecycle.grammar import check_lifecycle_policy
from local_ecr.lifecycle.policy import read_policy
from local_ecr.names import Digest as TheirDigest
from tests.given.lifecycles import accepted_policies, policies, repositories


def their_facts(images: tuple[StoredImage, ...]) -> list[theirs.ImageFacts]:
    """The same images, as local_ecr would read them of its tables."""

    def listed_in(image: StoredImage) -> str | None:
        classes = {not index.is_archived for index in images if image.digest in index.children}
        return None if not classes else "STANDARD" if True in classes else "ARCHIVE"

    def seconds(moment: Any) -> float | None:
        return moment.timestamp() if moment else None

    return [
        theirs.ImageFacts(
            id=number,
            digest=TheirDigest(image.digest.value),
            image_tags=tuple(sorted(image.image_tags)),
            pushed_at=image.pushed_at.timestamp(),
            storage_class=image.storage_class.name,
            last_pulled_at=seconds(image.last_pulled_at),
            archived_at=seconds(image.archived_at),
            activated_at=seconds(image.restored_at),
            listed_in=listed_in(image),
            subject=TheirDigest(image.subject.value) if image.subject else None,
            is_activating=image.is_being_restored,
        )
        for number, image in enumerate(images)
    ]


ACTIONS = {Action.EXPIRE: "EXPIRE", Action.ARCHIVE: "TRANSITION"}


def ours(claims: tuple[Claim, ...]) -> set[tuple[str, str, int | None]]:
    return {
        (claim.image.digest.value, ACTIONS[claim.action], claim.rule.priority if claim.rule else None)
        for claim in claims
    }


@given(accepted_policies(), repositories(least_images=4))
def test_both_claim_the_same_images_by_the_same_rules_and_let_the_same_referrers_follow(
    policy: LifecyclePolicy, images: tuple[StoredImage, ...]
) -> None:
    facts = their_facts(images)
    steps = theirs.plan(facts, read_policy(check_lifecycle_policy(lifecycle_text(policy))), NOON.timestamp())
    claims = simulate(policy, images, NOON)

    assert ours(claims) == {(step.image.digest, step.action, step.rule_priority) for step in steps}
    if not any(image.is_being_restored for image in images):  # then theirs archives what refers to it, ours waits
        followers = theirs.followers(facts, steps)
        assert ours(following(images, claims)) == {(one.image.digest, one.action, None) for one in followers}


@given(policies())
def test_both_take_and_refuse_the_same_policies(policy: LifecyclePolicy) -> None:
    try:
        taken = json.loads(check_lifecycle_policy(lifecycle_text(policy)))
    except EcrError:
        assert refusals(policy) != ()
    else:
        assert refusals(policy) == ()
        assert taken == lifecycle_document(policy)


ANY, UNTAGGED = ImageSelection(TagStatus.ANY), ImageSelection(TagStatus.UNTAGGED)
KEEP_TWO = LifecyclePolicy(
    (
        LifecycleRule(1, ImageSelection(TagStatus.TAGGED, ("v*",)), CountType.IMAGES, 1),
        LifecycleRule(2, UNTAGGED, CountType.IMAGES, 1, Action.ARCHIVE),
        LifecycleRule(3, ImageSelection(TagStatus.TAGGED, prefixes=("dev", "x")), CountType.PULLED, 9, Action.ARCHIVE),
        LifecycleRule(4, ANY, CountType.IMAGES, 2),
        LifecycleRule(5, ImageSelection(TagStatus.ANY, storage_class=StorageClass.ARCHIVE), CountType.ARCHIVED, 90),
    )
)


@pytest.mark.operation("StartLifecyclePolicyPreview")
@pytest.mark.operation("GetLifecyclePolicyPreview")
def test_the_preview_of_the_api_names_the_images_that_are_simulated_from_what_the_api_says(account: Any) -> None:
    """Given images that are tagged, untagged, archived, pulled, listed and attached; when both look at a policy."""
    name = account.create_repository()
    for number in range(3):
        account.push_image(name, f"release {number}", f"v{number}")
        account.push_image(name, f"build {number}", f"dev-{number}", f"x{number}")
        account.push_image(name, f"untagged {number}")
    archived = account.push_image(name, "archived", "old")
    subject = account.push_image(name, "subject", "signed")
    descriptor = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": subject, "size": 9}
    account.push_image(name, "sbom", subject=descriptor)
    children = [{**descriptor, "digest": account.push_image(name, f"child {number}")} for number in range(2)]
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": children}
    account.ecr.put_image(repositoryName=name, imageManifest=json.dumps(index), imageTag="v9")
    account.ecr.update_image_storage_class(
        repositoryName=name, imageId={"imageDigest": archived}, targetStorageClass="ARCHIVE"
    )

    account.ecr.start_lifecycle_policy_preview(repositoryName=name, lifecyclePolicyText=lifecycle_text(KEEP_TWO))
    account.ecr.get_waiter("lifecycle_policy_preview_complete").wait(repositoryName=name)
    pages = account.ecr.get_paginator("get_lifecycle_policy_preview").paginate(repositoryName=name)
    previewed = {
        (one["imageDigest"], one["action"]["type"], one["appliedRulePriority"])
        for page in pages
        for one in page["previewResults"]
    }
    stored = read_repository(account.ecr, name)
    now = max(image.pushed_at for image in stored.images) + timedelta(seconds=5)

    assert ours(simulate(KEEP_TWO, stored.images, now)) == previewed
    assert len(previewed) >= 5
    assert stored.unread_indexes == frozenset()


@pytest.mark.slow
@pytest.mark.operation("GetLifecyclePolicy")
def test_the_command_previews_the_policy_of_each_repository_that_has_one(account: Any) -> None:
    if account.is_real:
        pytest.skip("the command would look at every repository of the account")
    name, without = account.create_repository(), account.create_repository("without")
    old = account.push_image(name, "old", "1.0")
    account.push_image(name, "new", "2.0")
    keep_one = LifecyclePolicy((LifecycleRule(1, ANY, CountType.IMAGES, 1, description="keep the newest image only"),))
    account.ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=lifecycle_text(keep_one))
    where = {"AWS_ENDPOINT_URL": account.ecr.meta.endpoint_url, "AWS_REGION": account.region}
    keys = {"AWS_ACCESS_KEY_ID": account.id, "AWS_SECRET_ACCESS_KEY": "any", "PATH": os.environ["PATH"]}

    done = subprocess.run(
        [Path(sys.executable).with_name("ecr-steward"), "lifecycle", "preview", "--json"],
        capture_output=True,
        text=True,
        env=where | keys,
        check=True,
    )

    (found,) = json.loads(done.stdout)["repositories"]
    assert (found["repositoryName"], [one["imageDigest"] for one in found["going"]]) == (name, [old])
    assert f"{without}: it has no lifecycle policy" in done.stderr
