"""Mount a blob: give a repository what another one of the same registry has, without a byte being sent."""

from __future__ import annotations

import sqlite3

from local_ecr.data.call import DataCall
from local_ecr.errors import EcrError
from local_ecr.names import Digest, is_repository_name
from local_ecr.state import layers, registries, repositories
from local_ecr.state.repositories import Repository

SETTING = "BLOB_MOUNTING"
ENABLED = "ENABLED"


def mount_blob(call: DataCall, digest: Digest, source_name: str | None) -> bool:
    """Whether the repository has the blob now; if not, the client is to upload it. Blocks.

    A repository that the caller may not read (ecr:GetDownloadUrlForLayer) is no source, and is not told of.
    """
    return any(_mount_from(call, digest, name) for name in _source_names(call, digest, source_name))


def _source_names(call: DataCall, digest: Digest, source_name: str | None) -> list[str]:
    with call.ecr.store.reading() as connection:
        if not _is_enabled(call, connection):
            return []
        if source_name is not None:
            return [source_name] if is_repository_name(source_name, 1) else []
        if call.ecr.quirks.mounting_needs_from:
            return []
        return layers.repositories_with(connection, call.registry, digest)


def _is_enabled(call: DataCall, connection: sqlite3.Connection) -> bool:
    if not call.ecr.quirks.mounting_needs_setting:
        return True
    settings = registries.get(connection, call.registry, registries.ACCOUNT_SETTINGS) or {}
    return bool(settings.get(SETTING) == ENABLED)


def _mount_from(call: DataCall, digest: Digest, source_name: str) -> bool:
    try:
        call.require("GetDownloadUrlForLayer", source_name)
    except EcrError:
        return False
    with call.ecr.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        source = repositories.find(change.connection, call.registry, source_name)
        layer = layers.find(change.connection, source.id, digest) if source else None
        if source is None or layer is None or not _may_share(call, repository, source, layer):
            return False
        now = call.ecr.clock().timestamp()
        layers.add(change.connection, repository.id, digest, layer.size, now)
    return True


def _may_share(call: DataCall, repository: Repository, source: Repository, layer: layers.Layer) -> bool:
    quirks = call.ecr.quirks
    is_encrypted_alike = repository.encryption == source.encryption
    return (layer.is_referenced or not quirks.mounting_needs_image) and (
        is_encrypted_alike or not quirks.mounting_needs_same_encryption
    )
