"""Rows of lifecycle policies: when one is due, and the facts that it goes by."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta

from local_ecr.lifecycle.plan import ImageFacts
from local_ecr.lifecycle.policy import ARCHIVE, STANDARD
from local_ecr.names import Digest
from local_ecr.state.images import ACTIVATING, ACTIVE
from local_ecr.state.repositories import Repository

INTERVAL = timedelta(hours=24)
"""A policy is carried out so long after it was set, and then each time after so long.

ECR user guide, "How lifecycle policies work": within 24 hours after an image meets the criteria.
"""


def set_policy(connection: sqlite3.Connection, repository: Repository, policy: str | None, now: datetime) -> None:
    """The policy from now on; None: no policy. It was not evaluated yet, whatever was before."""
    due_at = None if policy is None else (now + INTERVAL).timestamp()
    connection.execute(
        "UPDATE repository SET lifecycle_policy = ?, lifecycle_ran_at = NULL, lifecycle_due_at = ? WHERE id = ?",
        (policy, due_at, repository.id),
    )


def ran_at(connection: sqlite3.Connection, repository: Repository) -> float:
    """When the policy was last evaluated: seconds since the epoch, 0 when it was not yet.

    Never is 0 also where ECR tells of it: user guide, "Logging Amazon ECR actions with CloudTrail", the example of an
    image lifecycle policy action.
    """
    row = connection.execute("SELECT lifecycle_ran_at FROM repository WHERE id = ?", (repository.id,)).fetchone()
    return float(row["lifecycle_ran_at"] or 0)


def record_run(connection: sqlite3.Connection, repository: Repository, now: datetime) -> None:
    connection.execute(
        "UPDATE repository SET lifecycle_ran_at = ?, lifecycle_due_at = ? WHERE id = ?",
        (now.timestamp(), (now + INTERVAL).timestamp(), repository.id),
    )


def due(connection: sqlite3.Connection, now: datetime) -> list[int]:
    """Ids of the repositories whose policy is to be carried out now, the longest due first."""
    rows = connection.execute(
        "SELECT id FROM repository WHERE lifecycle_due_at <= ? ORDER BY lifecycle_due_at, id", (now.timestamp(),)
    )
    return [row["id"] for row in rows]


def facts_of(connection: sqlite3.Connection, repository: Repository) -> list[ImageFacts]:
    """What a policy goes by, of every image."""
    listed = _listed(connection, repository.id)
    rows = connection.execute(
        "SELECT i.id, i.digest, i.pushed_at, i.status, i.last_pulled_at, i.archived_at, i.activated_at, i.subject,"
        " i.is_orphaned, (SELECT json_group_array(name) FROM image_tag t WHERE t.image_id = i.id) AS tags"
        " FROM image i WHERE i.repository_id = ? ORDER BY i.id",
        (repository.id,),
    )
    return [_facts(row, listed.get(row["digest"])) for row in rows]


def _listed(connection: sqlite3.Connection, repository_id: int) -> dict[str, str]:
    """Each image that an index lists, with the class of the index: STANDARD if one of them is not archived."""
    rows = connection.execute(
        "SELECT p.digest, max(i.status <> 'ARCHIVED') AS is_live FROM image_part p JOIN image i ON i.id = p.image_id"
        " WHERE p.repository_id = ? AND p.is_image GROUP BY p.digest",
        (repository_id,),
    )
    return {row["digest"]: STANDARD if row["is_live"] else ARCHIVE for row in rows}


def _facts(row: sqlite3.Row, listed_in: str | None) -> ImageFacts:
    return ImageFacts(
        id=row["id"],
        digest=Digest(row["digest"]),
        image_tags=tuple(sorted(json.loads(row["tags"]))),
        pushed_at=row["pushed_at"],
        storage_class=STANDARD if row["status"] == ACTIVE else ARCHIVE,
        last_pulled_at=row["last_pulled_at"],
        archived_at=row["archived_at"],
        activated_at=row["activated_at"],
        listed_in=listed_in,
        subject=Digest(row["subject"]) if row["subject"] else None,
        is_orphaned=bool(row["is_orphaned"]),
        is_activating=row["status"] == ACTIVATING,
    )
