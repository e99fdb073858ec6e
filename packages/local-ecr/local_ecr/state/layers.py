"""Rows of the blobs that a repository has, and of the uploads that may become some."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from local_ecr.names import Digest, Registry


@dataclass(frozen=True)
class Upload:
    id: str
    repository_id: int
    principal: str
    started_at: float
    received: int
    """Bytes acknowledged so far."""
    parts: int
    first_part_size: int
    last_part_size: int
    has_small_part: bool
    """Whether a part that others followed was smaller than ECR allows."""


@dataclass(frozen=True)
class Layer:
    """A layer that a repository has."""

    size: int
    is_referenced: bool
    """Whether an image of the repository is made of it; only then may it be read."""
    is_archived: bool
    """Whether all those images are in the archive; then it may not be read either."""


@dataclass(frozen=True)
class Kept:
    """That a repository has a layer, wherever it is."""

    registry: Registry
    repository_id: int
    digest: Digest
    size: int


@dataclass(frozen=True)
class Begun:
    """An upload, and what was acknowledged of it, wherever it is."""

    registry: Registry
    id: str
    received: int


def find(connection: sqlite3.Connection, repository_id: int, digest: str) -> Layer | None:
    """What both faces go by before they hand out a layer."""
    size = size_of(connection, repository_id, digest)
    if size is None:
        return None
    return Layer(size, is_referenced(connection, repository_id, digest), is_archived(connection, repository_id, digest))


def size_of(connection: sqlite3.Connection, repository_id: int, digest: str) -> int | None:
    """Bytes of a layer that the repository has, else None."""
    row = connection.execute(
        "SELECT size FROM layer WHERE repository_id = ? AND digest = ?", (repository_id, digest)
    ).fetchone()
    return row["size"] if row else None


def sizes_of(connection: sqlite3.Connection, repository_id: int, digests: Iterable[Digest]) -> dict[Digest, int]:
    """Bytes of each of these layers that the repository has."""
    rows = connection.execute(
        "SELECT digest, size FROM layer WHERE repository_id = ? AND digest IN (SELECT value FROM json_each(?))",
        (repository_id, json.dumps(list(digests))),
    )
    return {Digest(row["digest"]): row["size"] for row in rows}


def add(connection: sqlite3.Connection, repository_id: int, digest: Digest, size: int, uploaded_at: float) -> None:
    connection.execute(
        "INSERT INTO layer (repository_id, digest, size, uploaded_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET size = excluded.size, uploaded_at = excluded.uploaded_at",
        (repository_id, digest, size, uploaded_at),
    )


def is_referenced(connection: sqlite3.Connection, repository_id: int, digest: str) -> bool:
    """Whether an image of the repository is made of this layer."""
    row = connection.execute(
        "SELECT 1 FROM image_part WHERE repository_id = ? AND digest = ? AND NOT is_image LIMIT 1",
        (repository_id, digest),
    ).fetchone()
    return row is not None


def manifest_with(connection: sqlite3.Connection, repository_id: int, digest: str) -> tuple[bytes, str] | None:
    """Manifest and media type of one of the images that are made of this layer."""
    row = connection.execute(
        "SELECT m.body, i.media_type FROM image_part p JOIN image i ON i.id = p.image_id"
        " JOIN manifest m ON m.image_id = i.id WHERE p.repository_id = ? AND p.digest = ? AND NOT p.is_image LIMIT 1",
        (repository_id, digest),
    ).fetchone()
    return (bytes(row["body"]), row["media_type"]) if row else None


def is_archived(connection: sqlite3.Connection, repository_id: int, digest: str) -> bool:
    """Whether images of the repository are made of this layer, and none of them can be pulled."""
    row = connection.execute(
        "SELECT 1 FROM image_part p JOIN image i ON i.id = p.image_id"
        " WHERE p.repository_id = ? AND p.digest = ? AND NOT p.is_image AND i.status = 'ACTIVE' LIMIT 1",
        (repository_id, digest),
    ).fetchone()
    return row is None and is_referenced(connection, repository_id, digest)


def drop_unreferenced(
    connection: sqlite3.Connection, repository_id: int, digests: Iterable[Digest], uploaded_before: float
) -> list[Digest]:
    """Take from the repository those of these layers that no image of it is made of; which they were.

    A layer that came at `uploaded_before` (seconds since the epoch) or later stays: its manifest may be on its way.
    """
    dropped = []
    for digest in digests:
        done = connection.execute(
            "DELETE FROM layer WHERE repository_id = ? AND digest = ? AND uploaded_at < ? AND NOT EXISTS"
            " (SELECT 1 FROM image_part p WHERE p.repository_id = layer.repository_id AND p.digest = layer.digest"
            " AND NOT p.is_image)",
            (repository_id, digest, uploaded_before),
        )
        if done.rowcount:
            dropped.append(digest)
    return dropped


def drop_all_unreferenced(connection: sqlite3.Connection, uploaded_before: float) -> None:
    """The same for every layer of every repository."""
    connection.execute(
        "DELETE FROM layer WHERE uploaded_at < ? AND NOT EXISTS (SELECT 1 FROM image_part p"
        " WHERE p.repository_id = layer.repository_id AND p.digest = layer.digest AND NOT p.is_image)",
        (uploaded_before,),
    )


def drop(connection: sqlite3.Connection, kept: Kept) -> None:
    """Take a layer from a repository, whatever is made of it."""
    connection.execute("DELETE FROM layer WHERE repository_id = ? AND digest = ?", (kept.repository_id, kept.digest))


def all_kept(connection: sqlite3.Connection) -> list[Kept]:
    """Every layer of every repository."""
    rows = connection.execute(
        "SELECT r.account, r.region, l.repository_id, l.digest, l.size FROM layer l"
        " JOIN repository r ON r.id = l.repository_id"
    )
    return [
        Kept(Registry(row["account"], row["region"]), row["repository_id"], Digest(row["digest"]), row["size"])
        for row in rows
    ]


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


def repositories_with(connection: sqlite3.Connection, registry: Registry, digest: Digest) -> list[str]:
    """Names of the repositories of a registry that have this layer."""
    rows = connection.execute(
        "SELECT r.name FROM layer l JOIN repository r ON r.id = l.repository_id"
        " WHERE l.digest = ? AND r.account = ? AND r.region = ? ORDER BY r.name",
        (digest, registry.account, registry.region),
    )
    return [row["name"] for row in rows]


def start_upload(
    connection: sqlite3.Connection, upload_id: str, repository_id: int, principal: str, started_at: float
) -> None:
    connection.execute(
        "INSERT INTO upload (id, repository_id, principal, started_at, received, parts, first_part_size,"
        " last_part_size, has_small_part) VALUES (?, ?, ?, ?, 0, 0, 0, 0, 0)",
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
        started_at=row["started_at"],
        received=row["received"],
        parts=row["parts"],
        first_part_size=row["first_part_size"],
        last_part_size=row["last_part_size"],
        has_small_part=bool(row["has_small_part"]),
    )


def record_part(connection: sqlite3.Connection, upload: Upload, received: int, is_small_before: bool) -> None:
    """One more part is in: `received` bytes in all."""
    size = received - upload.received
    first_size = upload.first_part_size if upload.parts else size
    connection.execute(
        "UPDATE upload SET received = ?, parts = parts + 1, first_part_size = ?, last_part_size = ?, has_small_part = ?"
        " WHERE id = ?",
        (received, first_size, size, upload.has_small_part or is_small_before, upload.id),
    )


def end_upload(connection: sqlite3.Connection, upload_id: str) -> None:
    connection.execute("DELETE FROM upload WHERE id = ?", (upload_id,))


def expire_uploads(connection: sqlite3.Connection, started_before: float) -> list[str]:
    """End the uploads that began before; their ids."""
    rows = connection.execute("DELETE FROM upload WHERE started_at < ? RETURNING id", (started_before,))
    return [row["id"] for row in rows]


def uploads_of(connection: sqlite3.Connection, repository_id: int) -> list[str]:
    return [row["id"] for row in connection.execute("SELECT id FROM upload WHERE repository_id = ?", (repository_id,))]


def all_uploads(connection: sqlite3.Connection) -> list[Begun]:
    rows = connection.execute(
        "SELECT r.account, r.region, u.id, u.received FROM upload u JOIN repository r ON r.id = u.repository_id"
    )
    return [Begun(Registry(row["account"], row["region"]), row["id"], row["received"]) for row in rows]
