"""Rows of what is on its way to other registries, and of how it went."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from local_ecr.names import Digest, Registry
from local_ecr.state.images import Image
from local_ecr.state.repositories import Repository

COPY = "COPY"
REMOVE_TAG = "REMOVE_TAG"
REMOVE_IMAGE = "REMOVE_IMAGE"

IN_PROGRESS = "IN_PROGRESS"
COMPLETE = "COMPLETE"
FAILED = "FAILED"


@dataclass(frozen=True)
class Replication:
    """One thing to do in one destination; an image without a tag has an empty one."""

    id: int
    source: Registry
    repository_name: str
    image_id: int
    digest: Digest
    image_tag: str
    action: str
    destination: Registry
    backfill: int | None = None
    """The number of the backfill that it belongs to, if any."""


@dataclass(frozen=True)
class ReplicationStatus:
    destination: Registry
    status: str
    failure_code: str | None


def add(  # noqa: PLR0917
    connection: sqlite3.Connection,
    repository: Repository,
    image: Image,
    image_tag: str,
    action: str,
    destinations: Sequence[Registry],
    backfill: int | None = None,
) -> None:
    """One row per destination, to be worked off after all that are there; older ones that are done go."""
    source = repository.registry
    connection.executemany(
        "DELETE FROM replication WHERE image_id = ? AND image_tag = ? AND to_account = ? AND to_region = ?"
        " AND status <> 'IN_PROGRESS'",
        [(image.id, image_tag, to.account, to.region) for to in destinations],
    )
    connection.executemany(
        "INSERT INTO replication (account, region, repository_name, image_id, digest, image_tag, action, to_account,"
        " to_region, status, backfill) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'IN_PROGRESS', ?)",
        [
            (
                source.account,
                source.region,
                repository.name,
                image.id,
                image.digest,
                image_tag,
                action,
                to.account,
                to.region,
                backfill,
            )
            for to in destinations
        ],
    )


def next_under_way(connection: sqlite3.Connection) -> Replication | None:
    """The oldest that is not done yet."""
    row = connection.execute("SELECT * FROM replication WHERE status = 'IN_PROGRESS' ORDER BY id LIMIT 1").fetchone()
    if row is None:
        return None
    return Replication(
        id=row["id"],
        source=Registry(row["account"], row["region"]),
        repository_name=row["repository_name"],
        image_id=row["image_id"],
        digest=Digest(row["digest"]),
        image_tag=row["image_tag"],
        action=row["action"],
        destination=Registry(row["to_account"], row["to_region"]),
        backfill=row["backfill"],
    )


def drop_waiting(connection: sqlite3.Connection, backfill: int) -> None:
    """Take away what a backfill that has ended did not come to."""
    connection.execute("DELETE FROM replication WHERE backfill = ? AND status = 'IN_PROGRESS'", (backfill,))


def finish(connection: sqlite3.Connection, replication: Replication, status: str, failure_code: str | None) -> None:
    """It is done. Only how a copy went is kept, as long as the image is there that was to be copied."""
    connection.execute(
        "UPDATE replication SET status = ?, failure_code = ? WHERE id = ?", (status, failure_code, replication.id)
    )
    connection.execute(
        "DELETE FROM replication WHERE id = ?"
        " AND (action <> 'COPY' OR NOT EXISTS (SELECT 1 FROM image i WHERE i.id = image_id))",
        (replication.id,),
    )


def is_under_way(connection: sqlite3.Connection, replication: Replication) -> bool:
    row = connection.execute("SELECT status FROM replication WHERE id = ?", (replication.id,)).fetchone()
    return row is not None and row["status"] == IN_PROGRESS


def statuses(connection: sqlite3.Connection, image: Image, image_tag: str | None) -> list[ReplicationStatus]:
    """How the latest copy of an image went, in each destination; of this tag, unless None."""
    rows = connection.execute(
        "SELECT to_account, to_region, status, failure_code FROM replication"
        " WHERE image_id = ? AND action = 'COPY' AND (? IS NULL OR image_tag = ?) ORDER BY id",
        (image.id, image_tag, image_tag),
    )
    latest = {
        (row["to_account"], row["to_region"]): ReplicationStatus(
            Registry(row["to_account"], row["to_region"]), row["status"], row["failure_code"]
        )
        for row in rows
    }
    return [latest[key] for key in sorted(latest)]
