"""Rows of scans: the latest one of each image. It goes with its image."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_ecr.names import Registry
from local_ecr.state import images
from local_ecr.state.images import Image


@dataclass(frozen=True)
class Scan:
    """What a scanner last said about an image."""

    type: str
    """BASIC or ENHANCED."""
    status: str
    description: str | None
    findings: Sequence[Mapping[str, Any]]
    """In the shapes of the API, moments as seconds since the epoch."""
    started_at: float
    ended_at: float | None
    """When its result was recorded; None while it is under way."""
    is_announced: bool
    """Whether the end of an initial enhanced scan was told."""


def get(connection: sqlite3.Connection, image: Image) -> Scan | None:
    row = connection.execute("SELECT * FROM scan WHERE image_id = ?", (image.id,)).fetchone()
    if row is None:
        return None
    return Scan(
        type=row["type"],
        status=row["status"],
        description=row["description"],
        findings=json.loads(row["findings"]),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        is_announced=bool(row["is_announced"]),
    )


def put(connection: sqlite3.Connection, image: Image, scan: Scan) -> None:
    """Keep this scan instead of an earlier one."""
    connection.execute(
        "INSERT OR REPLACE INTO scan (image_id, type, status, description, findings, started_at, ended_at,"
        " is_announced) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            image.id,
            scan.type,
            scan.status,
            scan.description,
            json.dumps(list(scan.findings)),
            scan.started_at,
            scan.ended_at,
            scan.is_announced,
        ),
    )


def under_way(connection: sqlite3.Connection, moment: float, limit: int) -> list[tuple[int, Image, Scan]]:
    """(repository's id, image, scan) of scans that began until a moment and have no result, the oldest first."""
    rows = connection.execute(
        "SELECT i.repository_id, i.digest FROM scan s JOIN image i ON i.id = s.image_id"
        " WHERE s.ended_at IS NULL AND s.started_at <= ? ORDER BY s.started_at, s.image_id LIMIT ?",
        (moment, limit),
    ).fetchall()
    found = [(row["repository_id"], images.by_digest(connection, row["repository_id"], row["digest"])) for row in rows]
    return [
        (repository_id, image, scan)
        for repository_id, image in found
        if image is not None and (scan := get(connection, image)) is not None
    ]


def begun_since(connection: sqlite3.Connection, registry: Registry, moment: float, enough: int) -> int:
    """How many basic scans the registry began after a moment; only whether there are `enough` is asked.

    No more scans are there than images ever were, so that nothing is counted in a folder of fewer images.
    """
    latest = connection.execute("SELECT MAX(image_id) FROM scan").fetchone()[0]
    if latest is None or latest < enough:
        return 0
    counted = connection.execute(
        "SELECT COUNT(*) FROM scan s JOIN image i ON i.id = s.image_id JOIN repository r ON r.id = i.repository_id"
        " WHERE r.account = ? AND r.region = ? AND s.started_at > ?"
        " AND s.type = 'BASIC' AND s.status != 'LIMIT_EXCEEDED'",
        (registry.account, registry.region, moment),
    )
    return int(counted.fetchone()[0])


def pushed_since(connection: sqlite3.Connection, repository_id: int, moment: float) -> list[Image]:
    """The images of a repository that were pushed after a moment and are not in the archive."""
    rows = connection.execute(
        "SELECT digest FROM image WHERE repository_id = ? AND pushed_at > ? AND status = 'ACTIVE'",
        (repository_id, moment),
    )
    found = [images.by_digest(connection, repository_id, row["digest"]) for row in rows.fetchall()]
    return [image for image in found if image is not None]
