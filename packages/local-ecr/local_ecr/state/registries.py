"""Rows of what a registry as a whole is set to: one JSON document by name."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from local_ecr.names import Registry

POLICY = "policy"
REPLICATION = "replication"
SCANNING = "scanning"
ACCOUNT_SETTINGS = "account settings"
PULL_TIME_EXCLUSIONS = "pull time exclusions"
"""When each was made (seconds since the epoch), by the ARN of the user or role."""


def get(connection: sqlite3.Connection, registry: Registry, name: str) -> Any | None:
    """The document, or None when the registry was never set to one."""
    row = connection.execute(
        "SELECT value FROM registry_setting WHERE account = ? AND region = ? AND name = ?",
        (registry.account, registry.region, name),
    ).fetchone()
    return json.loads(row["value"]) if row else None


def put(connection: sqlite3.Connection, registry: Registry, name: str, document: Any) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO registry_setting (account, region, name, value) VALUES (?, ?, ?, ?)",
        (registry.account, registry.region, name, json.dumps(document)),
    )


def delete(connection: sqlite3.Connection, registry: Registry, name: str) -> None:
    connection.execute(
        "DELETE FROM registry_setting WHERE account = ? AND region = ? AND name = ?",
        (registry.account, registry.region, name),
    )
