"""The folder of a server that has ended, or that is left alone meanwhile, looked at from the outside."""

import hashlib
import sqlite3
from pathlib import Path
from typing import Any


def rows(data: Path, statement: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(data / "state.sqlite3")
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def check_folder(data: Path) -> None:
    """The database is sound, and files and rows tell the same."""
    assert rows(data, "PRAGMA integrity_check") == [("ok",)]
    assert rows(data, "PRAGMA foreign_key_check") == []
    counted = "SELECT repository_id, count(*) FROM image GROUP BY 1 ORDER BY 1"
    assert rows(data, counted) == rows(data, "SELECT * FROM image_count WHERE images > 0 ORDER BY 1")
    for digest, body in rows(data, "SELECT digest, body FROM image JOIN manifest ON image_id = id"):
        assert digest == f"sha256:{hashlib.sha256(body).hexdigest()}"
    kept = rows(data, "SELECT DISTINCT account, region, digest FROM layer JOIN repository r ON r.id = repository_id")
    files = set(data.glob("*/*/blobs/sha256/*"))
    assert files == {data / account / region / "blobs" / digest.replace(":", "/") for account, region, digest in kept}
    for path in files:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert {(path.name,) for path in data.glob("*/*/uploads/*")} == set(rows(data, "SELECT id FROM upload"))
