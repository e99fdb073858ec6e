"""Rows of repositories and of their resource tags."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_ecr.errors import repository_not_found
from local_ecr.images.mutability import Mutability
from local_ecr.names import Registry

DEFAULT_ENCRYPTION: Mapping[str, str] = {"encryptionType": "AES256"}


@dataclass(frozen=True)
class Repository:
    id: int
    registry: Registry
    name: str
    created_at: float
    """Seconds since the epoch."""
    mutability: Mutability
    scan_on_push: bool
    encryption: Mapping[str, str]
    policy: str | None
    lifecycle_policy: str | None

    @property
    def arn(self) -> str:
        return self.registry.repository_arn(self.name)


def create(
    connection: sqlite3.Connection,
    registry: Registry,
    name: str,
    *,
    created_at: float,
    mutability: Mutability,
    scan_on_push: bool,
    encryption: Mapping[str, str],
) -> Repository | None:
    """The new repository, or None when the name is taken."""
    done = connection.execute(
        "INSERT INTO repository (account, region, name, created_at, mutability, exclusion_filters, scan_on_push,"
        " encryption) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            registry.account,
            registry.region,
            name,
            created_at,
            mutability.mode,
            json.dumps(mutability.exclusion_filters),
            scan_on_push,
            json.dumps(encryption),
        ),
    )
    return get(connection, registry, name) if done.rowcount else None


def find(connection: sqlite3.Connection, registry: Registry, name: str) -> Repository | None:
    row = connection.execute(
        "SELECT * FROM repository WHERE account = ? AND region = ? AND name = ?",
        (registry.account, registry.region, name),
    ).fetchone()
    return _repository(row) if row else None


def get(connection: sqlite3.Connection, registry: Registry, name: str) -> Repository:
    """Raises EcrError RepositoryNotFoundException."""
    found = find(connection, registry, name)
    if found is None:
        raise repository_not_found(name, registry.account)
    return found


def find_by_id(connection: sqlite3.Connection, repository_id: int) -> Repository | None:
    row = connection.execute("SELECT * FROM repository WHERE id = ?", (repository_id,)).fetchone()
    return _repository(row) if row else None


def page(connection: sqlite3.Connection, registry: Registry, after: str, limit: int) -> list[Repository]:
    """At most `limit` repositories in order of their names, the first one behind `after`."""
    rows = connection.execute(
        "SELECT * FROM repository WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?",
        (registry.account, registry.region, after, limit),
    )
    return [_repository(row) for row in rows]


def of_registry(connection: sqlite3.Connection, registry: Registry) -> list[Repository]:
    """All of them, in order of their names."""
    rows = connection.execute(
        "SELECT * FROM repository WHERE account = ? AND region = ? ORDER BY name", (registry.account, registry.region)
    )
    return [_repository(row) for row in rows]


def count(connection: sqlite3.Connection, registry: Registry) -> int:
    row = connection.execute(
        "SELECT count(*) AS n FROM repository WHERE account = ? AND region = ?", (registry.account, registry.region)
    ).fetchone()
    return int(row["n"])


def delete(connection: sqlite3.Connection, repository: Repository) -> None:
    connection.execute("DELETE FROM repository WHERE id = ?", (repository.id,))


def set_policy(connection: sqlite3.Connection, repository: Repository, policy: str | None) -> None:
    connection.execute("UPDATE repository SET policy = ? WHERE id = ?", (policy, repository.id))


def set_mutability(connection: sqlite3.Connection, repository: Repository, mutability: Mutability) -> None:
    connection.execute(
        "UPDATE repository SET mutability = ?, exclusion_filters = ? WHERE id = ?",
        (mutability.mode, json.dumps(mutability.exclusion_filters), repository.id),
    )


def set_scan_on_push(connection: sqlite3.Connection, repository: Repository, scan_on_push: bool) -> None:
    connection.execute("UPDATE repository SET scan_on_push = ? WHERE id = ?", (scan_on_push, repository.id))


def resource_tags(connection: sqlite3.Connection, repository: Repository) -> dict[str, str]:
    rows = connection.execute(
        "SELECT key, value FROM resource_tag WHERE repository_id = ? ORDER BY key", (repository.id,)
    )
    return {row["key"]: row["value"] for row in rows}


def add_resource_tags(connection: sqlite3.Connection, repository: Repository, tags: Mapping[str, str]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO resource_tag (repository_id, key, value) VALUES (?, ?, ?)",
        [(repository.id, key, value) for key, value in tags.items()],
    )


def remove_resource_tags(connection: sqlite3.Connection, repository: Repository, keys: Sequence[str]) -> None:
    connection.executemany(
        "DELETE FROM resource_tag WHERE repository_id = ? AND key = ?", [(repository.id, key) for key in keys]
    )


def _repository(row: sqlite3.Row) -> Repository:
    encryption: dict[str, Any] = json.loads(row["encryption"])
    return Repository(
        id=row["id"],
        registry=Registry(row["account"], row["region"]),
        name=row["name"],
        created_at=row["created_at"],
        mutability=Mutability(row["mutability"], tuple(json.loads(row["exclusion_filters"]))),
        scan_on_push=bool(row["scan_on_push"]),
        encryption=encryption,
        policy=row["policy"],
        lifecycle_policy=row["lifecycle_policy"],
    )
