"""Rows of repository creation templates, by the prefix that each is for."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_ecr.images.mutability import Mutability
from local_ecr.names import Registry
from local_ecr.state.repositories import DEFAULT_ENCRYPTION


@dataclass(frozen=True)
class CreationTemplate:
    """The settings of a repository that ECR makes on its own."""

    prefix: str
    """As it was given: with or without the `/` at its end, which is meant either way, or ROOT."""
    applied_for: tuple[str, ...]
    """For which causes: REPLICATION, PULL_THROUGH_CACHE, CREATE_ON_PUSH."""
    created_at: float
    """Seconds since the epoch, as is the next."""
    updated_at: float
    description: str | None = None
    mutability: Mutability = field(default_factory=Mutability)
    encryption: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_ENCRYPTION))
    resource_tags: Mapping[str, str] = field(default_factory=dict)
    repository_policy: str | None = None
    lifecycle_policy: str | None = None
    custom_role_arn: str | None = None

    @property
    def key(self) -> str:
        return key_of(self.prefix)


def key_of(prefix: str) -> str:
    """What tells one template from another: `prod` and `prod/` are the same prefix."""
    return prefix.removesuffix("/")


def get(connection: sqlite3.Connection, registry: Registry, prefix: str) -> CreationTemplate | None:
    return next(iter(get_all(connection, registry, [prefix])), None)


def get_all(connection: sqlite3.Connection, registry: Registry, prefixes: Iterable[str]) -> list[CreationTemplate]:
    """Those of these prefixes that have a template, in order of their prefixes."""
    rows = connection.execute(
        "SELECT * FROM creation_template WHERE account = ? AND region = ?"
        " AND prefix IN (SELECT value FROM json_each(?)) ORDER BY prefix",
        (registry.account, registry.region, json.dumps([key_of(prefix) for prefix in prefixes])),
    )
    return [_template(row) for row in rows]


def page(connection: sqlite3.Connection, registry: Registry, after: str, limit: int) -> list[CreationTemplate]:
    """At most `limit` templates in order of their prefixes, the first one behind `after`."""
    rows = connection.execute(
        "SELECT * FROM creation_template WHERE account = ? AND region = ? AND prefix > ? ORDER BY prefix LIMIT ?",
        (registry.account, registry.region, after, limit),
    )
    return [_template(row) for row in rows]


def put(connection: sqlite3.Connection, registry: Registry, template: CreationTemplate) -> None:
    """Keep this template instead of an earlier one of its prefix."""
    document: dict[str, Any] = {
        "prefix": template.prefix,
        "applied_for": template.applied_for,
        "description": template.description,
        "mutability": template.mutability.mode,
        "exclusion_filters": template.mutability.exclusion_filters,
        "encryption": dict(template.encryption),
        "resource_tags": dict(template.resource_tags),
        "repository_policy": template.repository_policy,
        "lifecycle_policy": template.lifecycle_policy,
        "custom_role_arn": template.custom_role_arn,
    }
    connection.execute(
        "INSERT OR REPLACE INTO creation_template (account, region, prefix, document, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            registry.account,
            registry.region,
            template.key,
            json.dumps(document),
            template.created_at,
            template.updated_at,
        ),
    )


def delete(connection: sqlite3.Connection, registry: Registry, prefix: str) -> None:
    connection.execute(
        "DELETE FROM creation_template WHERE account = ? AND region = ? AND prefix = ?",
        (registry.account, registry.region, key_of(prefix)),
    )


def _template(row: sqlite3.Row) -> CreationTemplate:
    document: dict[str, Any] = json.loads(row["document"])
    return CreationTemplate(
        prefix=document["prefix"],
        applied_for=tuple(document["applied_for"]),
        description=document["description"],
        mutability=Mutability(document["mutability"], tuple(document["exclusion_filters"])),
        encryption=document["encryption"],
        resource_tags=document["resource_tags"],
        repository_policy=document["repository_policy"],
        lifecycle_policy=document["lifecycle_policy"],
        custom_role_arn=document["custom_role_arn"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
