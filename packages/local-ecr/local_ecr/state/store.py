"""State as the rest of the package uses it: read a consistent view, or make one change and tell of it afterwards."""

from __future__ import annotations

import fcntl
import logging
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from local_ecr.names import Digest, Registry
from local_ecr.state import layers
from local_ecr.state.content import ContentStore, UploadFiles
from local_ecr.state.database import Database
from local_ecr.state.failures import telling_what_the_disk_refuses
from local_ecr.state.healing import bring_together, remove_files_without_rows

logger = logging.getLogger(__name__)

OnEvent = Callable[[str, str, dict[str, Any]], None]


def best_effort(receive: OnEvent) -> OnEvent:
    """The same as ECR's own events are: a receiver that fails cannot undo what is committed."""

    def deliver(account: str, region: str, event: dict[str, Any]) -> None:
        try:
            receive(account, region, event)
        except Exception:
            logger.exception("the receiver of a %r event failed", event.get("detail-type"))

    return deliver


def nobody_works() -> None:
    """For a store that nobody works for."""


class FolderInUseError(Exception):
    """Two processes cannot keep their state in one folder."""


@dataclass
class Change:
    """One transaction under way, and the events that it will have caused once it is committed."""

    connection: sqlite3.Connection
    events: list[tuple[Registry, dict[str, Any]]] = field(default_factory=list)
    dropped: list[tuple[Registry, Digest]] = field(default_factory=list)
    """Layers that some repository has no longer."""
    has_work: bool = False
    """Whether something is to be done in the background once this is committed."""

    def announce(self, registry: Registry, event: dict[str, Any]) -> None:
        self.events.append((registry, event))

    def drop_layers(self, registry: Registry, digests: Iterable[Digest]) -> None:
        """The bits go after the commit, unless another repository of the registry has them."""
        self.dropped += [(registry, digest) for digest in digests]


class Store:
    """Database and content of all registries below one folder, which it owns as long as it is open."""

    def __init__(self, root: Path, on_event: OnEvent) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._lock = _lock_folder(root)
        self._on_event = best_effort(on_event)
        self.on_work: Callable[[], None] = nobody_works
        """Called after a change that left something to do in the background."""
        try:
            self._database = Database(root / "state.sqlite3")
        except BaseException:
            self._lock.close()
            raise
        self.content = ContentStore(root)
        self.upload_files = UploadFiles()
        with self._database.writing() as connection:
            bring_together(connection, self.content)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of everything committed so far."""
        with self._database.reading() as connection:
            yield connection

    @contextmanager
    def looking(self) -> Iterator[sqlite3.Connection]:
        """The same for a single statement."""
        with self._database.looking() as connection:
            yield connection

    @property
    def is_changing(self) -> bool:
        """Whether somebody is making a change, for which the next one has to wait."""
        return self._database.is_writing

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """All of a change or none of it; its events are delivered after the commit."""
        with telling_what_the_disk_refuses(), self._database.writing() as connection:
            change = Change(connection)
            yield change
        if change.dropped:
            self._collect_layers(change.dropped)
        for registry, event in change.events:
            self.deliver(registry, event)
        if change.has_work:
            self.on_work()

    def deliver(self, registry: Registry, event: dict[str, Any]) -> None:
        """Tell of what is no change, or of one that is committed already."""
        self._on_event(registry.account, registry.region, event)

    def _collect_layers(self, dropped: Iterable[tuple[Registry, Digest]]) -> None:
        """Remove the bits of those layers that no repository of the registry has any more.

        Whoever gives a layer to a repository (an upload, a mount, a copy) holds the writer's lock from before its file
        is in place until its row is committed. So does this, from before it looks for a row until the file is gone: the
        one that comes second sees all that the other did. What cannot be removed now is an orphan of the next sweep.
        """
        try:
            with self._database.writing() as connection:
                for registry, digest in dropped:
                    if not layers.is_kept(connection, registry, digest):
                        self.content.remove_blob(registry, digest)
        except (OSError, sqlite3.OperationalError):
            logger.exception("bits that nothing refers to could not be removed")

    def collect_orphans(self) -> None:
        """Remove files that no row tells of."""
        with self._database.writing() as connection:
            remove_files_without_rows(connection, self.content)

    def signing_key(self) -> bytes:
        """The key of this folder, made when it is first asked for; tokens outlive a restart."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO setting (name, value) VALUES ('signing_key', ?)", (secrets.token_bytes(32),)
            )
            row = connection.execute("SELECT value FROM setting WHERE name = 'signing_key'").fetchone()
            return bytes(row["value"])

    def close(self) -> None:
        self._database.close()
        self._lock.close()


def _lock_folder(root: Path) -> IO[bytes]:
    """Keep other processes out for as long as the file is open. Raises FolderInUseError."""
    file = (root / "lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as cause:
        file.close()
        raise FolderInUseError(f"another local ECR is using {root}: end that one, or name another folder") from cause
    return file
