"""What a new image begins: a basic scan, or waiting for what Inspector says, by how its repository is scanned."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from local_ecr.names import Registry
from local_ecr.scans.configuration import MANUAL, configuration_of
from local_ecr.scans.record import DESCRIPTIONS, begin_scan, unscannable_type
from local_ecr.scans.report import BASIC, ENHANCED
from local_ecr.state import scans
from local_ecr.state.images import Image
from local_ecr.state.repositories import Repository
from local_ecr.state.scans import Scan
from local_ecr.state.store import Change

MAX_SCANS = 100_000
"""Basic scans that a registry may begin in SCAN_INTERVAL, on push and on request (StartImageScan API reference)."""

SCAN_INTERVAL = timedelta(hours=24)
"""A basic scan of an image can be begun once in this time (the same)."""


def scan_arrival(change: Change, repository: Repository, image: Image, now: datetime) -> None:
    """Begin what a new image begins in its repository: pushed, copied from another registry, or restored."""
    if unscannable_type(image) is not None:
        return
    configuration = configuration_of(change.connection, repository.registry)
    applied = configuration.applied_to(repository.name, scan_on_push=repository.scan_on_push)
    if applied.frequency == MANUAL:
        return
    if configuration.type == ENHANCED:
        await_inspector(change, image, now)
    elif is_over_quota(change.connection, repository.registry, now):
        moment = now.timestamp()
        scans.put(change.connection, image, Scan(BASIC, "LIMIT_EXCEEDED", None, (), moment, moment, False))
    else:
        begin_scan(change, image, now)


def await_inspector(change: Change, image: Image, now: datetime) -> None:
    """An enhanced scan, PENDING until somebody reports; a report that there is stays."""
    before = scans.get(change.connection, image)
    if before is None or before.type != ENHANCED:
        description = DESCRIPTIONS[ENHANCED, "PENDING"]
        scans.put(change.connection, image, Scan(ENHANCED, "PENDING", description, (), now.timestamp(), None, False))


def is_over_quota(connection: sqlite3.Connection, registry: Registry, now: datetime) -> bool:
    """Whether the registry has begun as many basic scans as it may."""
    return scans.begun_since(connection, registry, (now - SCAN_INTERVAL).timestamp(), MAX_SCANS) >= MAX_SCANS
