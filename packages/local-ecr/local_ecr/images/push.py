"""Push an image: check what ECR checks, store it, move its tag, and tell of it. One transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from local_ecr import events
from local_ecr.errors import (
    digest_does_not_match,
    image_already_exists,
    image_tag_already_exists,
    layers_not_found,
    referenced_images_not_found,
    too_many_image_tags,
    too_many_images,
)
from local_ecr.images.manifest import Manifest
from local_ecr.images.storage_class import restore_image
from local_ecr.replication.requests import request_copies
from local_ecr.scans.arrival import scan_arrival
from local_ecr.state import images, layers
from local_ecr.state.images import Image
from local_ecr.state.repositories import Repository
from local_ecr.state.store import Change

# ECR user guide, "Amazon ECR service quotas": the first is one that AWS raises on request
MAX_IMAGES = 100_000
"""Images of one repository."""
MAX_IMAGE_TAGS = 1_000
"""Tags of one image."""


@dataclass(frozen=True)
class Pushed:
    image: Image
    is_new: bool
    """False when repository and tag were already exactly so; then nothing was changed and nothing is told."""


def push_image(
    change: Change,
    repository: Repository,
    manifest: Manifest,
    *,
    digest: str | None,
    image_tag: str | None,
    now: datetime,
) -> Pushed:
    """Store `manifest` under its digest and, if given, under `image_tag`; the tag leaves whichever image had it.

    Raises EcrError: ImageDigestDoesNotMatch, LayersNotFound, ReferencedImagesNotFound, ImageTagAlreadyExists,
    LimitExceeded.
    """
    connection = change.connection
    if digest is not None and digest != manifest.digest:
        raise digest_does_not_match(digest, manifest.digest)
    image, is_new = take_in(change, repository, manifest, now)
    holder = images.by_tag(connection, repository.id, image_tag) if image_tag else None
    holds = holder is not None and holder.id == image.id
    if not is_new and (image_tag is None or holds):
        return Pushed(image, is_new=False)
    if image_tag is not None and not holds:
        if holder is not None and repository.mutability.protects(image_tag):
            raise image_tag_already_exists(image_tag, repository.name)
        if images.count_tags(connection, image) >= MAX_IMAGE_TAGS:
            raise too_many_image_tags(image_tag, repository.name, repository.registry.account, MAX_IMAGE_TAGS)
        images.set_tag(connection, repository.id, image_tag, image)
    change.announce(
        repository.registry, events.image_pushed(repository.registry, repository.name, image, image_tag, now)
    )
    request_copies(change, repository, image, image_tag)
    return Pushed(image, is_new=True)


def take_in(change: Change, repository: Repository, manifest: Manifest, now: datetime) -> tuple[Image, bool]:
    """The image of this manifest, stored if it is not there yet, and whether it is new: pushed, or copied from another
    registry. Nothing is told of it, and no tag moves. An archived image is active again, which is told, and new.

    Raises EcrError: LayersNotFound, ReferencedImagesNotFound, LimitExceeded.
    """
    known = images.by_digest(change.connection, repository.id, manifest.digest)
    if known is not None and known.status != images.ACTIVE:
        return restore_image(change, repository, known, now), True
    if known is not None:
        return known, False
    if images.count(change.connection, repository.id) >= MAX_IMAGES:
        raise too_many_images(repository.name, repository.registry.account, MAX_IMAGES)
    image = _store(change, repository, manifest, now)
    scan_arrival(change, repository, image, now)
    return image, True


def require_new(pushed: Pushed, repository: Repository, image_tag: str | None) -> Image:
    """PutImage refuses what is already there; a push through /v2/ does not."""
    if not pushed.is_new:
        raise image_already_exists(pushed.image.digest, image_tag, repository.name, repository.registry.account)
    return pushed.image


def _store(change: Change, repository: Repository, manifest: Manifest, now: datetime) -> Image:
    connection, account = change.connection, repository.registry.account
    required = manifest.required_layers
    sizes = layers.sizes_of(connection, repository.id, (*required, *(layer.digest for layer in manifest.layers)))
    absent = [digest for digest in required if digest not in sizes]
    if absent:
        raise layers_not_found(absent, repository.name, account)
    found = {one.digest: images.by_digest(connection, repository.id, one.digest) for one in manifest.images}
    unknown = [listed for listed, image in found.items() if image is None]
    if unknown:
        raise referenced_images_not_found(unknown, repository.name, account)
    if manifest.images:
        size = max(image.size for image in found.values() if image)
    else:
        # as they are here, whatever the manifest says of them; layers that live elsewhere have no size here
        size = sum(sizes.get(layer.digest, 0) for layer in manifest.layers)
    image = Image(
        id=0,
        digest=manifest.digest,
        media_type=manifest.media_type,
        artifact_media_type=manifest.artifact_media_type,
        artifact_type=manifest.referrer_type,
        subject=manifest.subject,
        size=size,
        manifest_size=len(manifest.body),
        pushed_at=now.timestamp(),
        status=images.ACTIVE,
    )
    return images.add(
        connection,
        repository.id,
        image,
        manifest.body,
        annotations=manifest.annotations,
        layers=frozenset(required),
        images=frozenset(found),
    )
