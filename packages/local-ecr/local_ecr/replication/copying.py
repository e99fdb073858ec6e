"""Copy an image from a repository of one registry into a repository of another, and take it away again.

All of it happens in one transaction, so that a copy is seen whole or not at all. What the destination is set to decides
there: its tag immutability, whether it scans. Sources: ECR user guide, "Private image replication in Amazon ECR" and
"Replicating image deletions in Amazon ECR"; github.com/aws/containers-roadmap/issues/140 for what was seen at AWS.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime

from local_ecr import events
from local_ecr.images.manifest import Manifest, read_manifest
from local_ecr.images.push import take_in
from local_ecr.images.removal import remove_image
from local_ecr.images.selection import ImageFailureError, ImageId
from local_ecr.names import Digest
from local_ecr.state import images, layers
from local_ecr.state.content import ContentStore
from local_ecr.state.images import Image
from local_ecr.state.repositories import Repository
from local_ecr.state.store import Change


def copy_image(
    change: Change,
    content: ContentStore,
    source: Repository,
    image: Image,
    destination: Repository,
    *,
    image_tag: str | None,
    now: datetime,
) -> None:
    """Make `destination` have the image and all that it lists, and give it the tag.

    A tag that is immutable there and belongs to another image stays where it is: the copy comes without it ("the image
    is replicated but won't contain the duplicated tag").

    Raises EcrError: LayersNotFound or ReferencedImagesNotFound when the source lacks them itself.
    """
    for part in _parts_first(change.connection, source, image):
        body = images.manifest_of(change.connection, part)
        manifest = replace(read_manifest(body, part.media_type), digest=part.digest)
        _share_layers(change, content, source, destination, manifest, now)
        copied, _ = take_in(change, destination, manifest, now)
    if image_tag is None:
        return
    holder = images.by_tag(change.connection, destination.id, image_tag)
    if holder is None or not destination.mutability.protects(image_tag):
        images.set_tag(change.connection, destination.id, image_tag, copied)


def remove_copy(change: Change, destination: Repository, digest: Digest, now: datetime) -> None:
    """Delete the image with all its tags. One that is not there, or that an index there lists, stays as it is."""
    try:
        remove_image(change, destination, ImageId(digest), now, is_copied=True)
    except ImageFailureError:
        return


def remove_copied_tag(change: Change, destination: Repository, digest: Digest, image_tag: str, now: datetime) -> None:
    """Take the tag from this image, which stays even if it was its last; from another image it is not taken."""
    image = images.by_tag(change.connection, destination.id, image_tag)
    if image is None or image.digest != digest:
        return
    images.remove_tag(change.connection, destination.id, image_tag)
    registry = destination.registry
    change.announce(registry, events.image_deleted(registry, destination.name, image, image_tag, now))


def _parts_first(connection: sqlite3.Connection, repository: Repository, image: Image) -> list[Image]:
    """The image and whatever it lists, each once and behind all that it lists itself."""
    found: dict[Digest, Image] = {}
    pending = [image]
    while pending:
        listed = [digest for digest in images.images_of(connection, pending[-1]) if digest not in found]
        parts = [one for digest in listed if (one := images.by_digest(connection, repository.id, digest))]
        if not parts:
            last = pending.pop()
            found[last.digest] = last
        pending += parts
    return list(found.values())


def _share_layers(  # noqa: PLR0917
    change: Change,
    content: ContentStore,
    source: Repository,
    destination: Repository,
    manifest: Manifest,
    now: datetime,
) -> None:
    connection = change.connection
    here = layers.sizes_of(connection, destination.id, manifest.required_layers)
    sizes = layers.sizes_of(connection, source.id, [one for one in manifest.required_layers if one not in here])
    content.share(source.registry, destination.registry, sizes)
    for digest, size in sizes.items():
        layers.add(connection, destination.id, digest, size, now.timestamp())
