"""What nobody comes back for: uploads that were given up, layers whose image never came, files that nothing names,
and backfills that ECR tells of no longer."""

from __future__ import annotations

from datetime import datetime, timedelta

from local_ecr.images.removal import PUSH_LIFETIME
from local_ecr.replication.backfilling import RETENTION
from local_ecr.state import backfills, layers
from local_ecr.state.store import Store

INTERVAL = timedelta(hours=1)


class Housekeeping:
    """A job for the background, which sweeps when it is first called and then once an INTERVAL."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._due: datetime | None = None

    def __call__(self, now: datetime) -> None:
        if self._due is None or not self._due - INTERVAL <= now < self._due:  # a clock may be put back, too
            self._due = now + INTERVAL
            self.sweep(now)

    def sweep(self, now: datetime) -> None:
        """End what began PUSH_LIFETIME ago and is not finished. Files go after the rows that tell of them."""
        before = (now - PUSH_LIFETIME).timestamp()
        with self._store.changing() as change:
            layers.drop_all_unreferenced(change.connection, before)
            expired = layers.expire_uploads(change.connection, before)
            backfills.drop_ended(change.connection, (now - RETENTION).timestamp())
        for upload_id in expired:
            self._store.upload_files.forget(upload_id)
        self._store.collect_orphans()
