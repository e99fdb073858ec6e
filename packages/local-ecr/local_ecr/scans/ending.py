"""End scans without a recorded result after a set time. At ECR the scanner takes as long as it takes."""

from __future__ import annotations

from datetime import datetime, timedelta

from local_ecr.scans.configuration import CONTINUOUS_SCAN, configuration_of
from local_ecr.scans.record import record_scan
from local_ecr.scans.report import ENHANCED, ScanReport
from local_ecr.state import repositories, scans
from local_ecr.state.repositories import Repository
from local_ecr.state.scans import Scan
from local_ecr.state.store import Change, Store

AT_ONCE = 200
"""Scans that end in one transaction, so that a push need not wait for all of them."""


class ScansEnd:
    """A job for the background: end each scan that began `after` ago and is still under way."""

    def __init__(self, store: Store, after: timedelta) -> None:
        self._store = store
        self._after = after

    def __call__(self, now: datetime) -> None:
        while self._end_some(now):
            pass

    def _end_some(self, now: datetime) -> bool:
        """Whether a scan ended."""
        before = (now - self._after).timestamp()
        with self._store.reading() as connection:
            if not scans.under_way(connection, before, 1):
                return False
        ended = False
        with self._store.changing() as change:
            for repository_id, image, scan in scans.under_way(change.connection, before, AT_ONCE):
                repository = repositories.find_by_id(change.connection, repository_id)
                if repository is not None:
                    record_scan(change, repository, image.digest, _report(change, repository, scan), now)
                    ended = True
        return ended


def _report(change: Change, repository: Repository, scan: Scan) -> ScanReport:
    """The result of a scan that found nothing new: no findings, but for those of an earlier enhanced scan."""
    status = "COMPLETE"
    if scan.type == ENHANCED:
        configuration = configuration_of(change.connection, repository.registry)
        applied = configuration.applied_to(repository.name, scan_on_push=repository.scan_on_push)
        status = "ACTIVE" if applied.frequency == CONTINUOUS_SCAN else status
    return ScanReport(scan.type, status, None, tuple(scan.findings))
