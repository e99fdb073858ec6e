"""Rows of the blobs that a repository has, and of the uploads that may become some."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from local_ecr.names import Digest, Registry


@dataclass(frozen=True)
class Upload:
    id: str
    repository_id: int
    principal: str
    received: int
    """Bytes acknowledged so far."""
    parts: int
    last_part_size: int
    has_small_part: bool
    """Whether a part that others followed was smaller than ECR allows."""


def size_of(connection: sqlite3.Connection, repository_id: int, digest: str) -> int | None:
    """Bytes of a layer that the repository has, else None."""
    row = connection.execute(
        "SELECT size FROM layer WHERE repository_id = ? AND digest = ?", (repository_id, digest)
    ).fetchone()
    return row["size"] if row else None


def missing(connection: sqlite3.Connection, repository_id: int, digests: Iterable[str]) -> list[str]:
    """Those of `digests` that the repository does not have, each once, in their order."""
    return [digest for digest in dict.fromkeys(digests) if size_of(connection, repository_id, digest) is None]


def add(connection: sqlite3.Connection, repository_id: int, digest: Digest, size: int, uploaded_at: float) -> None:
    connection.execute(
        "INSERT INTO layer (repository_id, digest, size, uploaded_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET size = excluded.size",
        (repository_id, digest, size, uploaded_at),
    )


def is_referenced(connection: sqlite3.Connection, repository_id: int, digest: str) -> bool:
    """Whether an image of the repository is made of this layer."""
    row = connection.execute(
        "SELECT 1 FROM image_part WHERE repository_id = ? AND digest = ? AND NOT is_image LIMIT 1",
        (repository_id, digest),
    ).fetchone()
    return row is not None


def digests_of(connection: sqlite3.Connection, repository_id: int) -> list[Digest]:
    rows = connection.execute("SELECT digest FROM layer WHERE repository_id = ?", (repository_id,))
    return [Digest(row["digest"]) for row in rows]


def is_kept(connection: sqlite3.Connection, registry: Registry, digest: Digest) -> bool:
    """Whether any repository of the registry has this layer."""
    row = connection.execute(
        "SELECT 1 FROM layer l JOIN repository r ON r.id = l.repository_id"
        " WHERE l.digest = ? AND r.account = ? AND r.region = ? LIMIT 1",
        (digest, registry.account, registry.region),
    ).fetchone()
    return row is not None


def start_upload(
    connection: sqlite3.Connection, upload_id: str, repository_id: int, principal: str, started_at: float
) -> None:
    connection.execute(
        "INSERT INTO upload (id, repository_id, principal, started_at, received, parts, last_part_size, has_small_part)"
        " VALUES (?, ?, ?, ?, 0, 0, 0, 0)",
        (upload_id, repository_id, principal, started_at),
    )


def find_upload(connection: sqlite3.Connection, upload_id: str, repository_id: int, principal: str) -> Upload | None:
    """An upload belongs to one repository and one principal; for anybody else it does not exist."""
    row = connection.execute(
        "SELECT * FROM upload WHERE id = ? AND repository_id = ? AND principal = ?",
        (upload_id, repository_id, principal),
    ).fetchone()
    if row is None:
        return None
    return Upload(
        id=row["id"],
        repository_id=row["repository_id"],
        principal=row["principal"],
        received=row["received"],
        parts=row["parts"],
        last_part_size=row["last_part_size"],
        has_small_part=bool(row["has_small_part"]),
    )


def record_part(connection: sqlite3.Connection, upload: Upload, received: int, is_small_before: bool) -> None:
    """One more part is in: `received` bytes in all."""
    connection.execute(
        "UPDATE upload SET received = ?, parts = parts + 1, last_part_size = ?, has_small_part = ? WHERE id = ?",
        (received, received - upload.received, upload.has_small_part or is_small_before, upload.id),
    )


def end_upload(connection: sqlite3.Connection, upload_id: str) -> None:
    connection.execute("DELETE FROM upload WHERE id = ?", (upload_id,))


def uploads_of(connection: sqlite3.Connection, repository_id: int) -> list[str]:
    return [row["id"] for row in connection.execute("SELECT id FROM upload WHERE repository_id = ?", (repository_id,))]


def upload_ids(connection: sqlite3.Connection) -> set[str]:
    return {row["id"] for row in connection.execute("SELECT id FROM upload")}
