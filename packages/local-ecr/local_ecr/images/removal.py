"""Delete images and tags: the last tag takes the image with it, an index keeps what it lists, and bits go with it."""

from __future__ import annotations

from datetime import datetime, timedelta

from local_ecr import events
from local_ecr.images.selection import ImageFailureError, ImageId, select_image
from local_ecr.replication.requests import request_removals
from local_ecr.state import images, layers
from local_ecr.state.images import Image
from local_ecr.state.repositories import Repository
from local_ecr.state.store import Change

PUSH_LIFETIME = timedelta(hours=24)
"""How long what was uploaded is kept for an image that may still come: a push is over by then."""


def remove_image(
    change: Change,
    repository: Repository,
    image_id: ImageId,
    now: datetime,
    *,
    is_copied: bool = False,
    last_tag_takes_image: bool = True,
    index_keeps_images: bool = True,
) -> list[ImageId]:
    """Remove one tag, or with a digest alone the image and all its tags; what was removed, once per tag.

    `is_copied`: another registry's removal is copied here, which goes no further. `last_tag_takes_image`: an image
    goes with its last tag. `index_keeps_images`: an image stays while an index lists it.
    Raises ImageFailureError; then nothing of this image is changed.
    """
    connection = change.connection
    image = select_image(connection, repository.id, image_id)
    image_tags = images.tags_of(connection, image)
    if image_id.image_tag is not None and (len(image_tags) > 1 or not last_tag_takes_image):
        images.remove_tag(connection, repository.id, image_id.image_tag)
        removed = [ImageId(image.digest, image_id.image_tag)]
    else:
        if index_keeps_images:
            _require_unlisted(change, repository, image)
        digests = images.layers_of(connection, image)
        images.delete(connection, image)
        spared_since = (now - PUSH_LIFETIME).timestamp()
        change.drop_layers(
            repository.registry, layers.drop_unreferenced(connection, repository.id, digests, spared_since)
        )
        removed = [ImageId(image.digest, image_tag) for image_tag in image_tags] or [ImageId(image.digest)]
    if not is_copied:
        is_gone = images.by_digest(connection, repository.id, image.digest) is None
        request_removals(change, repository, image, None if is_gone else image_id.image_tag)
    for gone in removed:
        change.announce(
            repository.registry,
            events.image_deleted(repository.registry, repository.name, image, gone.image_tag, now),
        )
    return removed


def _require_unlisted(change: Change, repository: Repository, image: Image) -> None:
    indexes = images.indexes_of(change.connection, repository.id, image.digest)
    if indexes:
        raise ImageFailureError(
            "ImageReferencedByManifestList",
            f"Requested image referenced by manifest list: [{', '.join(indexes)}]",
        )
