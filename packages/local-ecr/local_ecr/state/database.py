"""SQLite as we use it: many readers, one writer at a time.

What is committed has left the process: it is there after `kill -9`. It has not been forced onto the disk, which would
cost each push several waits for the device (CNCF distribution does wait, twice for each file): a power cut may take the
last seconds with it, but leaves the database whole (https://www.sqlite.org/pragma.html#pragma_synchronous, NORMAL with
WAL), and what it did to the content is found at the next start (`local_ecr.state.healing`).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_ecr.state.schema import SCHEMA, VERSION

WAL_PAGES = 4000  # 16 MiB; SQLite's own 1,000 are moved to the database, and waited for, after every 80 pushes
BUSY_TIMEOUT = 30.0  # seconds; only another process on the same folder can make us wait


class UnreadableStateError(Exception):
    """What a folder keeps is nothing that this version reads; the message says where, why and what to do."""


class Database:
    """A pool of connections to one file in WAL mode."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._pool_lock = threading.Lock()
        self._closed = False
        self._writer_lock = threading.RLock()
        try:
            with self._connection() as connection:
                self._create_tables(connection)
        except UnreadableStateError:
            self.close()
            raise
        except sqlite3.DatabaseError as cause:
            self.close()
            raise UnreadableStateError(
                f"{path} cannot be used ({cause}): name a folder that is empty, or one that a local ECR has kept"
            ) from cause

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of everything committed so far."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                _roll_back(connection)

    @contextmanager
    def looking(self) -> Iterator[sqlite3.Connection]:
        """For one statement, which sees one moment without a transaction."""
        with self._connection() as connection:
            yield connection

    @property
    def is_writing(self) -> bool:
        """Whether a transaction is under way in another thread."""
        if not self._writer_lock.acquire(blocking=False):
            return True
        self._writer_lock.release()
        return False

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is committed when the block ends, none of it when the block raises."""
        with self._writer_lock, self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise

    def close(self) -> None:
        with self._pool_lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._pool_lock:
            if self._closed:
                raise sqlite3.ProgrammingError("the registry is closed")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._connect()
        try:
            yield connection
        finally:
            with self._pool_lock:
                keep = not self._closed and not connection.in_transaction
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _create_tables(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, VERSION):
            raise UnreadableStateError(_of_another_version(self._path.parent, found))
        if found == 0:
            connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")


def _roll_back(connection: sqlite3.Connection) -> None:
    """End a transaction that was not committed; a COMMIT that met a full disk may have ended it already."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _of_another_version(folder: Path, found: int) -> str:
    which = "a newer" if found > VERSION else "an older"
    begin_anew = "" if found > VERSION else ", or remove it and begin anew: nothing converts it"
    return (
        f"{folder} was written by {which} local_ecr (format {found}; this one reads {VERSION}): "
        f"start it with that version, or name another folder{begin_anew}"
    )
