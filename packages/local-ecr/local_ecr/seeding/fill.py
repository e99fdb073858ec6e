"""Put repositories and images into a store."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice

from local_ecr.images.manifest import Manifest
from local_ecr.images.mutability import Mutability
from local_ecr.images.push import MAX_IMAGES, take_in
from local_ecr.names import InvalidNameError, Registry, is_repository_name
from local_ecr.seeding import content
from local_ecr.state import images, layers, repositories
from local_ecr.state.repositories import Repository
from local_ecr.state.store import Change, Store

_BATCH = 1000  # repositories and images of a transaction: others can write in between

MOST_PLATFORMS = len(content.ARCHITECTURES)


def fill(store: Store, registry: Registry, counts: Mapping[str, int], platforms: int, now: datetime) -> None:
    """As `LocalEcr.seed`."""
    if not 0 <= platforms <= MOST_PLATFORMS:
        raise ValueError(f"an index is seeded with 0 to {MOST_PLATFORMS} platforms, not {platforms}")
    for name, count in counts.items():
        if not is_repository_name(name):
            raise InvalidNameError(f"not a repository name: {name[:100]!r}")
        if not 0 <= count <= MAX_IMAGES:
            raise ValueError(f"a repository has 0 to {MAX_IMAGES:,} images, not {count:,}")
    steps = _steps(counts, platforms)
    while batch := list(islice(steps, _BATCH)):
        with store.changing() as change:
            found: dict[str, Repository] = {}
            for name, manifest, image_tag in batch:
                if name not in found:
                    found[name] = _repository(change, registry, name, now)
                if manifest is not None:
                    _add_image(change, found[name], manifest, image_tag, now)
                elif counts[name]:
                    _add_blobs(store, change, found[name], platforms, now)


_Step = tuple[str, Manifest | None, str | None]
"""A repository; in it a manifest under an image tag, or None for the blobs that the manifests need."""


def _steps(counts: Mapping[str, int], platforms: int) -> Iterator[_Step]:
    for name, count in counts.items():
        yield name, None, None
        yield from _images(name, count, platforms)


def _images(name: str, count: int, platforms: int) -> Iterator[_Step]:
    """`count` images in all: indexes behind their platforms' images, and single ones where no more indexes fit."""
    of_an_index = platforms + 1 if platforms else 1
    indexes = count // of_an_index if platforms else 0
    for number in range(indexes):
        version = f"v{number}"
        listed = [content.image(name, version, one) for one in content.ARCHITECTURES[:platforms]]
        for manifest in listed:
            yield name, manifest, None
        yield name, content.index(name, version, listed), version
    for number in range(indexes, indexes + count - indexes * of_an_index):
        yield name, content.image(name, f"v{number}", content.ARCHITECTURES[0]), f"v{number}"


def _repository(change: Change, registry: Registry, name: str, now: datetime) -> Repository:
    made = repositories.create(
        change.connection,
        registry,
        name,
        created_at=now.timestamp(),
        mutability=Mutability(),
        scan_on_push=False,
        encryption=repositories.DEFAULT_ENCRYPTION,
    )
    return made or repositories.get(change.connection, registry, name)


def _add_blobs(store: Store, change: Change, repository: Repository, platforms: int, now: datetime) -> None:
    """Files first: what a killed process leaves too many of is removed at the next start."""
    for digest, blob in content.blobs(content.ARCHITECTURES[: platforms or 1]).items():
        if not store.content.blob_path(repository.registry, digest).exists():
            upload_id = f"seed-{uuid.uuid4()}"
            store.content.begin(repository.registry, upload_id)
            store.content.upload_path(repository.registry, upload_id).write_bytes(blob)
            store.content.adopt(repository.registry, upload_id, digest)
        layers.add(change.connection, repository.id, digest, len(blob), now.timestamp())


def _add_image(
    change: Change, repository: Repository, manifest: Manifest, image_tag: str | None, now: datetime
) -> None:
    known = images.by_digest(change.connection, repository.id, manifest.digest)
    image = known or take_in(change, repository, manifest, now)[0]
    if image_tag is not None and images.by_tag(change.connection, repository.id, image_tag) is None:
        images.set_tag(change.connection, repository.id, image_tag, image)
