"""Files and rows brought together again after a process was killed, or a machine lost its power.

A file is there before the row that tells of it and goes after it, so a killed process leaves files too many, which
nobody can see. Rows too many are left by one thing: an upload whose file had just become a blob when the process ended
before the commit. A power cut may also take files, or the ends of them, that rows tell of.
"""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from local_ecr.state import layers
from local_ecr.state.content import ContentStore

logger = logging.getLogger(__name__)


def drop_rows_without_files(connection: sqlite3.Connection, content: ContentStore) -> None:
    """Forget uploads and layers whose bytes are not all there: to upload them again is what helps, and is possible."""
    for begun in layers.all_uploads(connection):
        if _size(content.upload_path(begun.registry, begun.id)) < begun.received:
            layers.end_upload(connection, begun.id)
    for kept in layers.all_kept(connection):
        found = _size(content.blob_path(kept.registry, kept.digest))
        if found != kept.size:
            logger.warning("of %s there are %d bytes instead of %d: it is gone", kept.digest, max(found, 0), kept.size)
            layers.drop(connection, kept)


def remove_files_without_rows(connection: sqlite3.Connection, content: ContentStore) -> None:
    """Remove what no row tells of. `connection` must be writing: no file comes outside a transaction."""
    begun = {content.upload_path(one.registry, one.id) for one in layers.all_uploads(connection)}
    kept = {content.blob_path(one.registry, one.digest) for one in layers.all_kept(connection)}
    for path in content.files():
        if path not in begun and path not in kept:
            path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    """Bytes of a file; -1 when there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1
