"""A folder of local_ecr with more images than anybody would push for a benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lab.images import BLOB, BLOB_DIGEST, MANIFEST, small_manifest
from lab.peers import ACCOUNT, REGION
from local_ecr import LocalEcr, Registry
from local_ecr.images.manifest import read_manifest
from local_ecr.images.mutability import MUTABLE, Mutability
from local_ecr.images.push import push_image
from local_ecr.names import Digest
from local_ecr.state import layers, repositories

_BATCH = 1000  # images of a transaction


def seed(folder: Path, counts: Mapping[str, int], region: str = REGION) -> None:
    """Push so many tagged images into new repositories, below the API."""
    ecr = LocalEcr(folder)
    try:
        for repository_name, count in counts.items():
            _fill(ecr, Registry(ACCOUNT, region), repository_name, count)
    finally:
        ecr.close()


def _fill(ecr: LocalEcr, registry: Registry, repository_name: str, count: int) -> None:
    now = ecr.clock()
    with ecr.store.changing() as change:
        repository = repositories.create(
            change.connection,
            registry,
            repository_name,
            created_at=now.timestamp(),
            mutability=Mutability(MUTABLE, ()),
            scan_on_push=False,
            encryption={"encryptionType": "AES256"},
        )
        assert repository is not None
        blob = ecr.store.content.blob_path(registry, Digest(BLOB_DIGEST))
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(BLOB)
        layers.add(change.connection, repository.id, Digest(BLOB_DIGEST), len(BLOB), now.timestamp())
    for first in range(0, count, _BATCH):
        with ecr.store.changing() as change:
            for number in range(first, min(first + _BATCH, count)):
                manifest = read_manifest(small_manifest(number).encode(), MANIFEST)
                push_image(change, repository, manifest, digest=None, image_tag=f"v{number}", now=now)
