"""Files and rows brought together again after a process was killed, or a machine lost its power.

A file is there before the row that tells of it and goes after it, so a killed process leaves files too many, which
nobody can see. Rows too many are left by one thing: an upload whose file had just become a blob when the process ended
before the commit. A power cut may also take files, or the ends of them, that rows tell of.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping, Set

from local_ecr.state import layers
from local_ecr.state.content import ContentStore, blob_name, upload_name

logger = logging.getLogger(__name__)


def bring_together(connection: sqlite3.Connection, content: ContentStore) -> None:
    """Drop rows without their files, and remove files without their rows. `connection` must be writing."""
    sizes = content.sizes()
    _drop_rows_without_files(connection, sizes)
    _remove_without_rows(connection, content, sizes.keys())


def remove_files_without_rows(connection: sqlite3.Connection, content: ContentStore) -> None:
    """Remove what no row tells of. `connection` must be writing: no file comes outside a transaction."""
    _remove_without_rows(connection, content, content.sizes().keys())


def _drop_rows_without_files(connection: sqlite3.Connection, sizes: Mapping[str, int]) -> None:
    """Forget uploads and layers whose bytes are not all there: to upload them again is what helps, and is possible."""
    for begun in layers.all_uploads(connection):
        if sizes.get(upload_name(begun.registry, begun.id), -1) < begun.received:
            layers.end_upload(connection, begun.id)
    for kept in layers.all_kept(connection):
        found = sizes.get(blob_name(kept.registry, kept.digest))
        if found != kept.size:
            logger.warning("of %s there are %d bytes instead of %d: it is gone", kept.digest, found or 0, kept.size)
            layers.drop(connection, kept)


def _remove_without_rows(connection: sqlite3.Connection, content: ContentStore, names: Set[str]) -> None:
    begun = {upload_name(one.registry, one.id) for one in layers.all_uploads(connection)}
    kept = {blob_name(one.registry, one.digest) for one in layers.all_kept(connection)}
    for name in names - begun - kept:
        content.remove(name)
