"""Replication backfills: what of a registry is copied to one destination, and when a backfill is over.

Source: ECR user guide, "Replication backfill". It says neither what becomes of images in the archive nor what codes a
backfill fails with: here the archive stays behind, as nothing is pulled from it, and the code is a name of our own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from local_ecr.names import Registry
from local_ecr.replication.rules import EMPTY, destinations_of
from local_ecr.state import backfills, images, registries, replications, repositories
from local_ecr.state.backfills import Backfill
from local_ecr.state.images import Image
from local_ecr.state.replications import Replication
from local_ecr.state.repositories import Repository
from local_ecr.state.store import Change, Store

MAX_UNDER_WAY = 10
"""Backfills of one registry at a time (StartReplicationBackfill API reference)."""
RETENTION = timedelta(days=90)
"""How long one is told of after its end (ListReplicationBackfills API reference)."""
JUDGED_FROM = 100
"""So many replications have to be done before too many failures end a backfill; it does when half of them failed."""
TOO_MANY_FAILED = "ReplicationFailureRateExceeded"


class Backfiller:
    """Prepares backfills that were started, and ends those that were stopped; the Replicator copies."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def step(self) -> bool:
        """Do what has waited longest; False when nothing waits. Each in one transaction, so a kill loses none."""
        with self._store.looking() as connection:
            waits = backfills.next_changing(connection) is not None
        if not waits:
            return False
        with self._store.changing() as change:
            backfill = backfills.next_changing(change.connection)
            if backfill is None:
                return True
            if backfill.status == backfills.STOPPING:
                backfills.end(change.connection, backfill, backfills.STOPPED, self._clock().timestamp())
            else:
                self._prepare(change, backfill)
        return True

    def _prepare(self, change: Change, backfill: Backfill) -> None:
        connection, total = change.connection, 0
        for repository, image, image_tag in _qualifying(connection, backfill):
            replications.add(
                connection,
                repository,
                image,
                image_tag,
                replications.COPY,
                [backfill.destination],
                backfill.number,
            )
            total += 1
        backfill = backfills.prepared(connection, backfill, total)
        _end_if_over(connection, backfill, self._clock().timestamp())


def is_destination(connection: sqlite3.Connection, source: Registry, destination: Registry) -> bool:
    """Whether some rule of a registry names this destination."""
    configuration = registries.get(connection, source, registries.REPLICATION) or EMPTY
    named = {Registry(to["registryId"], to["region"]) for rule in configuration["rules"] for to in rule["destinations"]}
    return destination in named


def note_result(connection: sqlite3.Connection, replication: Replication, failure_code: str | None, now: float) -> None:
    """One replication is done, in the transaction that does it: count it if a backfill asked for it."""
    if replication.backfill is None:
        return
    backfill = backfills.add_result(
        connection,
        replication.backfill,
        replication,
        failure_code,
        is_index=_is_index(connection, replication),
    )
    _end_if_over(connection, backfill, now)


def _end_if_over(connection: sqlite3.Connection, backfill: Backfill, now: float) -> None:
    """All is done, or too much of it failed: "if 50% or more of the underlying replications fail"."""
    done = backfill.completed + backfill.failed
    if backfill.status == backfills.STOPPING:
        return
    if done >= JUDGED_FROM and 2 * backfill.failed >= done:
        backfills.end(connection, backfill, backfills.FAILED, now, TOO_MANY_FAILED)
    elif backfill.is_done:
        backfills.end(connection, backfill, backfills.COMPLETE, now)


def _qualifying(connection: sqlite3.Connection, backfill: Backfill) -> Iterator[tuple[Repository, Image, str]]:
    """Each image with each of its tags, by the rules as they are now.

    An image without a tag comes once, unless an index lists it: it comes along with that.
    """
    configuration = registries.get(connection, backfill.source, registries.REPLICATION) or EMPTY
    for repository in repositories.of_registry(connection, backfill.source):
        if backfill.destination not in destinations_of(configuration, repository.name):
            continue
        for image in images.active(connection, repository.id):
            image_tags = images.tags_of(connection, image)
            for image_tag in image_tags:
                yield repository, image, image_tag
            if not image_tags and not images.live_indexes_of(connection, repository.id, image.digest):
                yield repository, image, ""


def _is_index(connection: sqlite3.Connection, replication: Replication) -> bool:
    """Whether what was to be copied lists images; of one that is gone nobody knows."""
    source = repositories.find(connection, replication.source, replication.repository_name)
    image = images.by_digest(connection, source.id, replication.digest) if source else None
    return image is not None and bool(images.images_of(connection, image))
