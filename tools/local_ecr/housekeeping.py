"""What nobody will come back for: uploads that were given up, and layers whose image never came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from local_ecr.images.removal import PUSH_LIFETIME
from local_ecr.state import layers
from local_ecr.state.store import Store

INTERVAL = timedelta(hours=1)


class Housekeeping:
    """Sweeps at the first request of an hour that changes something; nothing runs by itself."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._due: datetime | None = None

    def sweep_when_due(self) -> None:
        """Remove what is older than PUSH_LIFETIME, at most once per INTERVAL."""
        now = self._clock()
        with self._lock:
            if self._due is not None and now < self._due:
                return
            self._due = now + INTERVAL
        self.sweep(now)

    def sweep(self, now: datetime) -> None:
        before = (now - PUSH_LIFETIME).timestamp()
        with self._store.changing() as change:
            for registry, digest in layers.drop_all_unreferenced(change.connection, before):
                change.drop_layers(registry, [digest])
            expired = layers.expire_uploads(change.connection, before)
        for registry, upload_id in expired:
            self._store.content.remove_upload(registry, upload_id)
            self._store.upload_files.forget(upload_id)
