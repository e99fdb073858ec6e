"""Rows of lifecycle previews: the latest of each repository, as it was when it was made."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from local_ecr.state.repositories import Repository


@dataclass(frozen=True)
class PreviewResult:
    """What a policy would do with one image."""

    digest: str
    image_tags: Sequence[str]
    pushed_at: float
    action: str
    rule_priority: int
    storage_class: str


def put(connection: sqlite3.Connection, repository: Repository, policy: str, results: Iterable[PreviewResult]) -> None:
    """Keep a preview instead of the one before."""
    connection.execute("DELETE FROM lifecycle_preview WHERE repository_id = ?", (repository.id,))
    connection.execute("INSERT INTO lifecycle_preview (repository_id, policy) VALUES (?, ?)", (repository.id, policy))
    connection.executemany(
        "INSERT INTO lifecycle_preview_result (repository_id, position, digest, image_tags, pushed_at, action,"
        " rule_priority, storage_class) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                repository.id,
                position,
                one.digest,
                json.dumps(list(one.image_tags)),
                one.pushed_at,
                one.action,
                one.rule_priority,
                one.storage_class,
            )
            for position, one in enumerate(results, start=1)
        ),
    )


def policy_of(connection: sqlite3.Connection, repository: Repository) -> str | None:
    """The policy that was previewed last; None when there is no preview."""
    row = connection.execute(
        "SELECT policy FROM lifecycle_preview WHERE repository_id = ?", (repository.id,)
    ).fetchone()
    return row["policy"] if row else None


def totals(connection: sqlite3.Connection, repository: Repository) -> Mapping[str, int]:
    """How many images each action is for."""
    rows = connection.execute(
        "SELECT action, count(*) AS n FROM lifecycle_preview_result WHERE repository_id = ? GROUP BY action",
        (repository.id,),
    )
    return {row["action"]: row["n"] for row in rows}


def page(
    connection: sqlite3.Connection, repository: Repository, tag_status: str, after: int, limit: int
) -> list[tuple[int, PreviewResult]]:
    """At most `limit` results behind the position `after`, each behind its own. `tag_status`: ANY, TAGGED, UNTAGGED."""
    condition = {"ANY": "1", "TAGGED": "image_tags <> '[]'", "UNTAGGED": "image_tags = '[]'"}[tag_status]
    rows = connection.execute(
        "SELECT * FROM lifecycle_preview_result WHERE repository_id = ? AND position > ?"  # noqa: S608
        f" AND {condition} ORDER BY position LIMIT ?",
        (repository.id, after, limit),
    )
    return [(row["position"], _result(row)) for row in rows]


def of_image(
    connection: sqlite3.Connection, repository: Repository, digest: str | None, image_tag: str | None
) -> list[PreviewResult]:
    """The result for the image that had this digest and this tag, whichever are given, when the preview was made."""
    conditions = {
        "digest = :digest": digest,
        "EXISTS (SELECT 1 FROM json_each(image_tags) WHERE value = :tag)": image_tag,
    }
    given = " AND ".join(condition for condition, value in conditions.items() if value is not None)
    rows = connection.execute(
        f"SELECT * FROM lifecycle_preview_result WHERE repository_id = :id AND {given} ORDER BY position",  # noqa: S608
        {"id": repository.id, "digest": digest, "tag": image_tag},
    )
    return [_result(row) for row in rows]


def _result(row: sqlite3.Row) -> PreviewResult:
    return PreviewResult(
        digest=row["digest"],
        image_tags=json.loads(row["image_tags"]),
        pushed_at=row["pushed_at"],
        action=row["action"],
        rule_priority=row["rule_priority"],
        storage_class=row["storage_class"],
    )
