"""Rows of images, of their tags, and of what they are made of."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from local_ecr.names import Digest

_COLUMNS = (
    "i.id, i.digest, i.media_type, i.artifact_media_type, i.artifact_type, i.subject, i.size,"
    " i.manifest_size, i.pushed_at, i.status, i.last_pulled_at, i.archived_at, i.activated_at"
)

ACTIVE = "ACTIVE"
ARCHIVED = "ARCHIVED"
ACTIVATING = "ACTIVATING"


@dataclass(frozen=True)
class Image:
    id: int
    digest: Digest
    media_type: str
    artifact_media_type: str | None
    artifact_type: str | None
    subject: Digest | None
    size: int
    """Bytes of its layers; for an index, of the largest of its images."""
    manifest_size: int
    pushed_at: float
    """This and all moments in seconds since the epoch."""
    status: str
    """ACTIVE, ARCHIVED, or ACTIVATING: still in the archive, on its way back."""
    last_pulled_at: float | None = None
    """The last pull that was recorded; one a day is."""
    archived_at: float | None = None
    activated_at: float | None = None
    """When it was last restored from the archive."""


@dataclass(frozen=True)
class Referrer:
    """An image that names a subject, and its annotations, of which there may be megabytes: nothing else reads them."""

    image: Image
    annotations: Mapping[str, str]


def by_digest(connection: sqlite3.Connection, repository_id: int, digest: str) -> Image | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM image i WHERE i.repository_id = ? AND i.digest = ?",  # noqa: S608  constant columns
        (repository_id, digest),
    ).fetchone()
    return _image(row) if row else None


def by_tag(connection: sqlite3.Connection, repository_id: int, image_tag: str) -> Image | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM image_tag t JOIN image i ON i.id = t.image_id"  # noqa: S608  constant columns
        " WHERE t.repository_id = ? AND t.name = ?",
        (repository_id, image_tag),
    ).fetchone()
    return _image(row) if row else None


def active(connection: sqlite3.Connection, repository_id: int) -> list[Image]:
    """All of a repository but what is archived or not back from the archive, in the order of their first push."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM image i WHERE i.repository_id = ? AND i.status = ? ORDER BY i.id",  # noqa: S608
        (repository_id, ACTIVE),
    )
    return [_image(row) for row in rows]


def add(
    connection: sqlite3.Connection,
    repository_id: int,
    image: Image,
    body: bytes,
    *,
    annotations: Mapping[str, str],
    layers: frozenset[Digest],
    images: frozenset[Digest],
) -> Image:
    """Store an image (its `id` is ignored) with its manifest and what it is made of."""
    done = connection.execute(
        "INSERT INTO image (repository_id, digest, media_type, artifact_media_type, artifact_type, annotations,"
        " subject, size, manifest_size, pushed_at, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            repository_id,
            image.digest,
            image.media_type,
            image.artifact_media_type,
            image.artifact_type,
            json.dumps(dict(annotations)),
            image.subject,
            image.size,
            image.manifest_size,
            image.pushed_at,
            image.status,
        ),
    )
    image_id = done.lastrowid
    assert image_id is not None  # noqa: S101  a row was inserted
    connection.execute("INSERT INTO manifest (image_id, body) VALUES (?, ?)", (image_id, body))
    connection.executemany(
        "INSERT INTO image_part (image_id, repository_id, digest, is_image) VALUES (?, ?, ?, ?)",
        [(image_id, repository_id, digest, False) for digest in layers]
        + [(image_id, repository_id, digest, True) for digest in images - layers],
    )
    return replace(image, id=image_id)


def manifest_of(connection: sqlite3.Connection, image: Image) -> bytes:
    row = connection.execute("SELECT body FROM manifest WHERE image_id = ?", (image.id,)).fetchone()
    return bytes(row["body"])


def tags_of(connection: sqlite3.Connection, image: Image) -> list[str]:
    rows = connection.execute("SELECT name FROM image_tag WHERE image_id = ? ORDER BY name", (image.id,))
    return [row["name"] for row in rows]


def set_tag(connection: sqlite3.Connection, repository_id: int, image_tag: str, image: Image) -> None:
    """Put the tag on the image, away from whichever had it."""
    connection.execute(
        "INSERT INTO image_tag (repository_id, name, image_id) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET image_id = excluded.image_id",
        (repository_id, image_tag, image.id),
    )


def remove_tag(connection: sqlite3.Connection, repository_id: int, image_tag: str) -> None:
    connection.execute("DELETE FROM image_tag WHERE repository_id = ? AND name = ?", (repository_id, image_tag))


def delete(connection: sqlite3.Connection, image: Image) -> None:
    connection.execute("DELETE FROM image WHERE id = ?", (image.id,))


def set_archived(connection: sqlite3.Connection, image: Image, moment: float) -> None:
    connection.execute("UPDATE image SET status = ?, archived_at = ? WHERE id = ?", (ARCHIVED, moment, image.id))


def set_activating(connection: sqlite3.Connection, image: Image) -> None:
    connection.execute("UPDATE image SET status = ? WHERE id = ?", (ACTIVATING, image.id))


def set_active(connection: sqlite3.Connection, image: Image, moment: float) -> Image:
    """The image as it is from now on."""
    connection.execute("UPDATE image SET status = ?, activated_at = ? WHERE id = ?", (ACTIVE, moment, image.id))
    return replace(image, status=ACTIVE, activated_at=moment)


def first_activating(connection: sqlite3.Connection) -> tuple[int, Image] | None:
    """An image that is being restored, behind the id of its repository; None when there is none."""
    row = connection.execute(
        f"SELECT i.repository_id, {_COLUMNS} FROM image i WHERE i.status = 'ACTIVATING' ORDER BY i.id LIMIT 1"  # noqa: S608
    ).fetchone()
    return (row["repository_id"], _image(row)) if row else None


def record_pull(connection: sqlite3.Connection, image: Image, moment: float, *, not_since: float) -> None:
    """Note a pull, unless one was noted after `not_since`."""
    connection.execute(
        "UPDATE image SET last_pulled_at = ? WHERE id = ? AND (last_pulled_at IS NULL OR last_pulled_at <= ?)",
        (moment, image.id, not_since),
    )


def layers_of(connection: sqlite3.Connection, image: Image) -> list[Digest]:
    """Config and layers that an image is made of."""
    rows = connection.execute("SELECT digest FROM image_part WHERE image_id = ? AND NOT is_image", (image.id,))
    return [Digest(row["digest"]) for row in rows]


def images_of(connection: sqlite3.Connection, image: Image) -> list[Digest]:
    """Images that an index lists."""
    rows = connection.execute("SELECT digest FROM image_part WHERE image_id = ? AND is_image", (image.id,))
    return [Digest(row["digest"]) for row in rows]


def indexes_of(connection: sqlite3.Connection, repository_id: int, digest: str) -> list[Digest]:
    """Digests of the indexes that list this image."""
    rows = connection.execute(
        "SELECT i.digest FROM image_part p JOIN image i ON i.id = p.image_id"
        " WHERE p.repository_id = ? AND p.digest = ? AND p.is_image ORDER BY i.id",
        (repository_id, digest),
    )
    return [Digest(row["digest"]) for row in rows]


def live_indexes_of(connection: sqlite3.Connection, repository_id: int, digest: str) -> list[Digest]:
    """The same without those that are archived."""
    rows = connection.execute(
        "SELECT i.digest FROM image_part p JOIN image i ON i.id = p.image_id"
        " WHERE p.repository_id = ? AND p.digest = ? AND p.is_image AND i.status <> 'ARCHIVED' ORDER BY i.id",
        (repository_id, digest),
    )
    return [Digest(row["digest"]) for row in rows]


def count(connection: sqlite3.Connection, repository_id: int) -> int:
    row = connection.execute("SELECT images FROM image_count WHERE repository_id = ?", (repository_id,)).fetchone()
    return int(row["images"]) if row else 0


def count_tags(connection: sqlite3.Connection, image: Image) -> int:
    row = connection.execute("SELECT count(*) AS n FROM image_tag WHERE image_id = ?", (image.id,)).fetchone()
    return int(row["n"])


def page(  # noqa: PLR0917
    connection: sqlite3.Connection,
    repository_id: int,
    tag_status: str,
    image_status: str,
    after: int,
    limit: int,
) -> list[Image]:
    """At most `limit` images in order of their first push. `tag_status`: ANY, TAGGED or UNTAGGED."""
    tagged = "EXISTS (SELECT 1 FROM image_tag t WHERE t.image_id = i.id)"
    condition = {"ANY": "1", "TAGGED": tagged, "UNTAGGED": f"NOT {tagged}"}[tag_status]
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM image i WHERE i.repository_id = ? AND i.id > ?"  # noqa: S608  constant conditions
        f" AND (? = 'ANY' OR i.status = ?) AND {condition} ORDER BY i.id LIMIT ?",
        (repository_id, after, image_status, image_status, limit),
    )
    return [_image(row) for row in rows]


def identifiers_page(  # noqa: PLR0917
    connection: sqlite3.Connection,
    repository_id: int,
    tag_status: str,
    image_status: str,
    after: tuple[int, str],
    limit: int,
) -> list[tuple[int, str, str | None]]:
    """(id, digest, tag) once for each tag, and once with no tag for an untagged image; behind the pair `after`."""
    condition = {"ANY": "1", "TAGGED": "t.name IS NOT NULL", "UNTAGGED": "t.name IS NULL"}[tag_status]
    rows = connection.execute(
        "SELECT i.id, i.digest, t.name FROM image i LEFT JOIN image_tag t ON t.image_id = i.id"  # noqa: S608
        " WHERE i.repository_id = ? AND i.id >= ? AND (i.id, coalesce(t.name, '')) > (?, ?)"
        f" AND (? = 'ANY' OR i.status = ?) AND {condition} ORDER BY i.id, t.name LIMIT ?",
        (repository_id, after[0], *after, image_status, image_status, limit),
    )
    return [(row["id"], row["digest"], row["name"]) for row in rows]


def tag_names(connection: sqlite3.Connection, repository_id: int, after: str, limit: int) -> list[str]:
    """Tags of active images, as ListImages has them when it is asked for no status."""
    rows = connection.execute(
        "SELECT t.name FROM image_tag t JOIN image i ON i.id = t.image_id"
        " WHERE t.repository_id = ? AND t.name > ? AND i.status = 'ACTIVE' ORDER BY t.name LIMIT ?",
        (repository_id, after, limit),
    )
    return [row["name"] for row in rows]


def referrers(  # noqa: PLR0917
    connection: sqlite3.Connection,
    repository_id: int,
    subject: str,
    image_status: str,
    artifact_types: Sequence[str] | None,
    after: int,
) -> Generator[Referrer]:
    """Images whose manifest names `subject`, whether or not that exists; of these types only, unless None.

    They are read one by one; whoever stops early closes it.
    """
    rows = connection.execute(
        f"SELECT {_COLUMNS}, i.annotations FROM image i WHERE i.repository_id = ? AND i.subject = ? AND i.id > ?"  # noqa: S608
        " AND (? = 'ANY' OR i.status = ?)"
        " AND (? IS NULL OR i.artifact_type IN (SELECT value FROM json_each(?))) ORDER BY i.id",
        (repository_id, subject, after, image_status, image_status, *(2 * [_json(artifact_types)])),
    )
    with closing(rows):
        for row in rows:
            yield Referrer(_image(row), json.loads(row["annotations"]))


def _json(values: Sequence[str] | None) -> str | None:
    return None if values is None else json.dumps(list(values))


def _image(row: sqlite3.Row) -> Image:
    return Image(
        id=row["id"],
        digest=Digest(row["digest"]),
        media_type=row["media_type"],
        artifact_media_type=row["artifact_media_type"],
        artifact_type=row["artifact_type"],
        subject=Digest(row["subject"]) if row["subject"] else None,
        size=row["size"],
        manifest_size=row["manifest_size"],
        pushed_at=row["pushed_at"],
        status=row["status"],
        last_pulled_at=row["last_pulled_at"],
        archived_at=row["archived_at"],
        activated_at=row["activated_at"],
    )
