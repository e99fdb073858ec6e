"""Rows of replication backfills: how far each is, and how each of its images went."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from local_ecr.names import Registry
from local_ecr.state import replications
from local_ecr.state.replications import Replication

PREPARING = "PREPARING"
IN_PROGRESS = "IN_PROGRESS"
COMPLETE = "COMPLETE"
FAILED = "FAILED"
STOPPING = "STOPPING"
STOPPED = "STOPPED"

UNDER_WAY = (PREPARING, IN_PROGRESS, STOPPING)


@dataclass(frozen=True)
class Backfill:
    number: int
    """In the order in which they were started."""
    id: str
    source: Registry
    destination: Registry
    status: str
    failure_code: str | None
    total: int | None
    """How many replications it consists of; None until it is prepared."""
    completed: int
    failed: int
    started_at: float
    ended_at: float | None

    @property
    def is_under_way(self) -> bool:
        return self.status in UNDER_WAY

    @property
    def is_done(self) -> bool:
        """Whether there is a result for each of its replications."""
        return self.completed + self.failed == self.total


@dataclass(frozen=True)
class BackfillResult:
    """How one image and tag went; an image without a tag has an empty one."""

    position: int
    repository_name: str
    digest: str
    image_tag: str
    status: str
    failure_code: str | None
    is_index: bool


def start(connection: sqlite3.Connection, source: Registry, destination: Registry, now: float) -> Backfill:
    """Begin a backfill that is still to be prepared."""
    row = connection.execute(
        "INSERT INTO backfill (id, account, region, to_account, to_region, status, started_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *",
        (
            str(uuid.uuid4()),
            source.account,
            source.region,
            destination.account,
            destination.region,
            PREPARING,
            now,
        ),
    ).fetchone()
    return _backfill(row)


def under_way(connection: sqlite3.Connection, source: Registry) -> list[Backfill]:
    """Those of a registry that have not ended."""
    rows = connection.execute(
        "SELECT * FROM backfill WHERE account = ? AND region = ? AND ended_at IS NULL ORDER BY number",
        (source.account, source.region),
    )
    return [_backfill(row) for row in rows]


def find(connection: sqlite3.Connection, source: Registry, backfill_id: str, kept_since: float) -> Backfill | None:
    """One of a registry, unless it ended before `kept_since`."""
    row = connection.execute(
        "SELECT * FROM backfill WHERE id = ? AND account = ? AND region = ? AND coalesce(ended_at, ?) >= ?",
        (backfill_id.lower(), source.account, source.region, kept_since, kept_since),
    ).fetchone()
    return _backfill(row) if row else None


def page(connection: sqlite3.Connection, source: Registry, kept_since: float, after: int, limit: int) -> list[Backfill]:
    """At most `limit` of a registry that were started after the one of this number."""
    rows = connection.execute(
        "SELECT * FROM backfill WHERE account = ? AND region = ? AND number > ? AND coalesce(ended_at, ?) >= ?"
        " ORDER BY number LIMIT ?",
        (source.account, source.region, after, kept_since, kept_since, limit),
    )
    return [_backfill(row) for row in rows]


def next_changing(connection: sqlite3.Connection) -> Backfill | None:
    """The oldest that is to be prepared, or to be ended since somebody has stopped it."""
    row = connection.execute(
        "SELECT * FROM backfill WHERE status IN ('PREPARING', 'STOPPING') ORDER BY number LIMIT 1"
    ).fetchone()
    return _backfill(row) if row else None


def by_number(connection: sqlite3.Connection, number: int) -> Backfill:
    return _backfill(connection.execute("SELECT * FROM backfill WHERE number = ?", (number,)).fetchone())


def prepared(connection: sqlite3.Connection, backfill: Backfill, total: int) -> Backfill:
    """It consists of so many replications, which are rows now."""
    connection.execute(
        "UPDATE backfill SET status = ?, total = ? WHERE number = ?", (IN_PROGRESS, total, backfill.number)
    )
    return by_number(connection, backfill.number)


def stop(connection: sqlite3.Connection, backfill: Backfill) -> None:
    """It is to end once what is being copied has come."""
    connection.execute("UPDATE backfill SET status = ? WHERE number = ?", (STOPPING, backfill.number))


def end(
    connection: sqlite3.Connection, backfill: Backfill, status: str, now: float, failure_code: str | None = None
) -> None:
    """It is over, whatever is not done of it."""
    replications.drop_waiting(connection, backfill.number)
    connection.execute(
        "UPDATE backfill SET status = ?, failure_code = ?, ended_at = ? WHERE number = ?",
        (status, failure_code, now, backfill.number),
    )


def add_result(
    connection: sqlite3.Connection,
    number: int,
    replication: Replication,
    failure_code: str | None,
    *,
    is_index: bool,
) -> Backfill:
    """Keep how one of its replications went, and count it."""
    counter = "completed" if failure_code is None else "failed"
    backfill = _backfill(
        connection.execute(
            f"UPDATE backfill SET {counter} = {counter} + 1 WHERE number = ? RETURNING *",  # noqa: S608
            (number,),
        ).fetchone()
    )
    connection.execute(
        "INSERT INTO backfill_result (backfill, position, repository_name, digest, image_tag, status, failure_code,"
        " is_index) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            backfill.completed + backfill.failed,
            replication.repository_name,
            replication.digest,
            replication.image_tag,
            COMPLETE if failure_code is None else FAILED,
            failure_code,
            is_index,
        ),
    )
    return backfill


def results(
    connection: sqlite3.Connection, backfill: Backfill, statuses: Collection[str], after: int, limit: int
) -> list[BackfillResult]:
    """At most `limit` results of these statuses behind a position."""
    wanted = ", ".join("?" * len(statuses))
    rows = connection.execute(
        "SELECT * FROM backfill_result WHERE backfill = ? AND position > ?"  # noqa: S608
        f" AND status IN ({wanted}) ORDER BY position LIMIT ?",
        (backfill.number, after, *statuses, limit),
    )
    return [
        BackfillResult(
            position=row["position"],
            repository_name=row["repository_name"],
            digest=row["digest"],
            image_tag=row["image_tag"],
            status=row["status"],
            failure_code=row["failure_code"],
            is_index=bool(row["is_index"]),
        )
        for row in rows
    ]


def failure_codes(connection: sqlite3.Connection, backfill: Backfill) -> list[str]:
    """Each code of a replication that failed, once."""
    rows = connection.execute(
        "SELECT DISTINCT failure_code FROM backfill_result WHERE backfill = ? AND failure_code IS NOT NULL"
        " ORDER BY failure_code",
        (backfill.number,),
    )
    return [row["failure_code"] for row in rows]


def drop_ended(connection: sqlite3.Connection, before: float) -> None:
    """Forget those that ended before this moment, with their results."""
    connection.execute("DELETE FROM backfill WHERE ended_at < ?", (before,))


def _backfill(row: sqlite3.Row) -> Backfill:
    return Backfill(
        number=row["number"],
        id=row["id"],
        source=Registry(row["account"], row["region"]),
        destination=Registry(row["to_account"], row["to_region"]),
        status=row["status"],
        failure_code=row["failure_code"],
        total=row["total"],
        completed=row["completed"],
        failed=row["failed"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )
