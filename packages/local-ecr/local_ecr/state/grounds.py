"""What is kept that decides who may do something with a repository: read by every request, hence in one statement."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_ecr.names import Registry
from local_ecr.state import registries

_GROUNDS = f"""
SELECT
    (SELECT value FROM registry_setting WHERE account = ?1 AND region = ?2 AND name = '{registries.POLICY}')
        AS registry_policy,
    (SELECT value FROM registry_setting WHERE account = ?1 AND region = ?2 AND name = '{registries.ACCOUNT_SETTINGS}')
        AS account_settings,
    r.policy AS repository_policy,
    (SELECT json_group_object(key, value) FROM resource_tag WHERE repository_id = r.id) AS resource_tags
FROM (SELECT 1) LEFT JOIN repository r ON r.account = ?3 AND r.region = ?4 AND r.name = ?5
"""  # noqa: S608  constant names


@dataclass(frozen=True)
class Grounds:
    """All of one moment. A repository that is not there has no policy and no tags."""

    registry_policy: str | None
    account_settings: Mapping[str, Any]
    repository_policy: str | None
    resource_tags: Mapping[str, str]


def grounds_of(connection: sqlite3.Connection, registry: Registry, repository: tuple[Registry, str] | None) -> Grounds:
    """Of the registry that is asked, and of the repository that is called upon: its registry and its name."""
    owner, name = repository or (registry, "")
    row = connection.execute(
        _GROUNDS, (registry.account, registry.region, owner.account, owner.region, name)
    ).fetchone()
    return Grounds(
        registry_policy=_document(row["registry_policy"]),
        account_settings=_document(row["account_settings"]) or {},
        repository_policy=row["repository_policy"],
        resource_tags=json.loads(row["resource_tags"]),
    )


def _document(text: str | None) -> Any:
    return None if text is None else json.loads(text)
