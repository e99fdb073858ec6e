"""What a lifecycle policy would have ECR delete within a day of being put, and the policy before it would not."""

from collections.abc import Iterable
from datetime import datetime

from ecr_steward.domain.images import INDEX_MEDIA_TYPES, Image, RepositoryImages
from ecr_steward.domain.lifecycle.document import read_lifecycle_policy
from ecr_steward.domain.lifecycle.policy import Action
from ecr_steward.domain.lifecycle.simulation import StoredImage, simulate
from ecr_steward.domain.names import Digest
from ecr_steward.domain.plan import PutLifecyclePolicy
from ecr_steward.domain.repositories import Document
from ecr_steward.errors import InvalidLifecyclePolicyError


def lost_by(step: PutLifecyclePolicy, images: RepositoryImages, now: datetime) -> frozenset[Digest]:
    """The images that ECR would delete by the new policy, and not by the one before.

    Untagged images count where there is no index: which of them an index lists, and so keeps, only its manifest says.
    """
    has_index = any(image.media_type in INDEX_MEDIA_TYPES for image in images.images.values())
    stored = [
        _stored(image, now)
        for image in images.images.values()
        if (image.image_tags or not has_index) and not image.is_referrer
    ]
    return _expired(step.document, stored, now) - (_expired(step.previous, stored, now) if step.previous else set())


def _expired(document: Document, images: Iterable[StoredImage], now: datetime) -> frozenset[Digest]:
    try:
        policy = read_lifecycle_policy(document)
    except InvalidLifecyclePolicyError:
        return frozenset()  # written by others, and ECR took it: what it does is not known
    return frozenset(
        claim.image.digest for claim in simulate(policy, list(images), now) if claim.action is Action.EXPIRE
    )


def _stored(image: Image, now: datetime) -> StoredImage:
    return StoredImage(
        digest=image.digest,
        pushed_at=image.pushed_at or now,
        image_tags=image.image_tags,
        last_pulled_at=image.last_pulled_at,
    )
