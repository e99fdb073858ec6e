"""Put repositories and images into a store."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from local_ecr.images.manifest import Manifest
from local_ecr.images.mutability import Mutability
from local_ecr.images.push import take_in
from local_ecr.names import InvalidNameError, Registry, is_repository_name
from local_ecr.seeding import content
from local_ecr.seeding.content import Blob, Parts
from local_ecr.seeding.seeded_images import SeededImages
from local_ecr.state import images, layers, repositories
from local_ecr.state.repositories import Repository
from local_ecr.state.store import Change, Store

_BATCH = 1000  # images and empty repositories of a transaction: others can write in between


@dataclass(frozen=True)
class _Step:
    """A repository, or an image in it."""

    repository_name: str
    manifest: Manifest | None = None
    image_tag: str | None = None
    pushed_at: datetime | None = None


def fill(
    store: Store, registry: Registry, repository_names: Iterable[str], wanted: SeededImages, now: datetime
) -> None:
    """As `LocalEcr.seed`."""
    names = list(repository_names)
    for name in names:
        if not is_repository_name(name):
            raise InvalidNameError(f"not a repository name: {name[:100]!r}")
    sizes = sorted(set(wanted.layer_bytes)) if wanted.count else []
    made_of = {size: content.parts(wanted.architectures, size, wanted.labels) for size in sizes}
    blobs = {blob.descriptor.digest: blob for parts in made_of.values() for blob in parts.blobs}
    steps = (step for name in names for step in _steps(name, wanted, made_of, now))
    while batch := list(islice(steps, _BATCH)):
        with store.changing() as change:
            found: dict[str, Repository] = {}
            for step in batch:
                repository = found.get(step.repository_name)
                if repository is None:
                    repository = _repository(change, registry, step.repository_name, now - wanted.age)
                    found[step.repository_name] = repository
                if step.manifest is None:
                    _add_blobs(store, change, repository, blobs.values(), now)
                else:
                    _add_image(change, repository, step.manifest, step.image_tag, step.pushed_at or now)


def _steps(name: str, wanted: SeededImages, made_of: Mapping[int, Parts], now: datetime) -> Iterator[_Step]:
    """The repository, and its images in the order of their pushes: an index behind what it lists."""
    yield _Step(name)
    for number in range(wanted.count):
        parts, moment = made_of[wanted.size_of(number)], now - wanted.age_of(number)
        annotations = {
            "org.opencontainers.image.title": name,
            "org.opencontainers.image.version": str(number),
        }
        listed = {one: content.image(parts, one, annotations) for one in wanted.architectures}
        if not wanted.platforms:
            (manifest,) = listed.values()
        else:
            manifest = content.index(listed, annotations)
            for one in listed.values():
                yield _Step(name, one, None, moment)
        yield _Step(name, manifest, wanted.tag_of(number), moment)


def _repository(change: Change, registry: Registry, name: str, created_at: datetime) -> Repository:
    made = repositories.create(
        change.connection,
        registry,
        name,
        created_at=created_at.timestamp(),
        mutability=Mutability(),
        scan_on_push=False,
        encryption=repositories.DEFAULT_ENCRYPTION,
    )
    return made or repositories.get(change.connection, registry, name)


def _add_blobs(store: Store, change: Change, repository: Repository, blobs: Iterable[Blob], now: datetime) -> None:
    """Files first: what a killed process leaves too many of is removed at the next start."""
    registry = repository.registry
    for blob in blobs:
        digest = blob.descriptor.digest
        if not store.content.blob_path(registry, digest).exists():
            upload_id = f"seed-{uuid.uuid4()}"
            store.content.begin(registry, upload_id)
            store.content.upload_path(registry, upload_id).write_bytes(blob.content)
            store.content.adopt(registry, upload_id, digest)
        layers.add(change.connection, repository.id, digest, len(blob.content), now.timestamp())


def _add_image(
    change: Change, repository: Repository, manifest: Manifest, image_tag: str | None, pushed_at: datetime
) -> None:
    known = images.by_digest(change.connection, repository.id, manifest.digest)
    image = known or take_in(change, repository, manifest, pushed_at)[0]
    if image_tag is not None and images.by_tag(change.connection, repository.id, image_tag) is None:
        images.set_tag(change.connection, repository.id, image_tag, image)
