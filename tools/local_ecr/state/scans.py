"""Rows of scans: the latest one of each image. It goes with its image."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
