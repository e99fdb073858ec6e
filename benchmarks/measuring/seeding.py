"""A folder of local_ecr with more images than anybody would push for a benchmark."""

from __future__ import annotations

import hashlib
from pathlib import Path

from local_ecr import LocalEcr, Registry
from local_ecr.images.mutability import MUTABLE, Mutability
from local_ecr.names import Digest
from local_ecr.state import images, repositories
from local_ecr.state.images import Image
from measuring.images import MANIFEST
from measuring.peers import ACCOUNT, REGION


def seed(folder: Path, counts: dict[str, int]) -> None:
    """Make repositories with so many tagged images each, below the API: no layer, and a manifest nobody reads."""
    ecr = LocalEcr(folder)
    try:
        for repository_name, count in counts.items():
            _fill(ecr, repository_name, count)
    finally:
        ecr.close()


def _fill(ecr: LocalEcr, repository_name: str, count: int) -> None:
    with ecr.store.changing() as change:
        connection = change.connection
        repository = repositories.create(
            connection,
            Registry(ACCOUNT, REGION),
            repository_name,
            created_at=0,
            mutability=Mutability(MUTABLE, ()),
            scan_on_push=False,
            encryption={"encryptionType": "AES256"},
        )
        assert repository is not None  # noqa: S101  the folder is new
        for number in range(count):
            digest = Digest(f"sha256:{hashlib.sha256(f'{repository_name} {number}'.encode()).hexdigest()}")
            image = Image(
                id=0,
                digest=digest,
                media_type=MANIFEST,
                artifact_media_type=None,
                artifact_type=None,
                annotations={},
                subject=None,
                size=1,
                manifest_size=2,
                pushed_at=float(number),
                status="ACTIVE",
            )
            stored = images.add(connection, repository.id, image, b"{}", layers=frozenset(), images=frozenset())
            images.set_tag(connection, repository.id, f"v{number}", stored)
