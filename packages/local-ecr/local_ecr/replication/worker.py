"""Work off what changes ask of other registries: one row after the other, each once, and tell how it went."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from local_ecr import events
from local_ecr.access.gate import Gate
from local_ecr.errors import EcrError, image_not_found
from local_ecr.iam import Permission
from local_ecr.names import Registry
from local_ecr.principals import Principal
from local_ecr.replication.backfilling import note_result
from local_ecr.replication.copying import copy_image, remove_copied_tag, remove_copy
from local_ecr.state import images, replications, repositories
from local_ecr.state.replications import Replication
from local_ecr.state.repositories import Repository
from local_ecr.state.store import Change, Store
from local_ecr.templates.creation import REPLICATION, ensure_repository

logger = logging.getLogger(__name__)

FACE = "background"

SERVER_ERROR = "ServerError"


class Replicator:
    """Copies between the registries of one store. Rows are tried once: who wants another try pushes again.

    A row is done in the same transaction that does what it asks for, so a process that is killed does it once, too.
    Why a copy failed is told in the names of ECR's exceptions, such as ImageNotFound: it documents no failure codes.
    `on_creation(registry, repository_name)` is called after a copy that had to make its repository is committed.
    """

    def __init__(
        self, store: Store, clock: Callable[[], datetime], gate: Gate, on_creation: Callable[[Registry, str], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._gate = gate
        self._on_creation = on_creation

    def step(self) -> bool:
        """Do what has waited longest; False when nothing waits."""
        with self._store.reading() as connection:
            replication = replications.next_under_way(connection)
        if replication is None:
            return False
        try:
            with self._store.changing() as change:
                made_repository = self._do(change, replication)
            if made_repository:
                self._on_creation(replication.destination, replication.repository_name)
        except EcrError as refusal:
            self._fail(replication, refusal.code.removesuffix("Exception"))
        except Exception:
            logger.exception("a replication to %s failed", replication.destination)
            self._fail(replication, SERVER_ERROR)
        return True

    def _do(self, change: Change, replication: Replication) -> bool:
        """Whether the destination's repository had to be made."""
        made_repository = False
        if replication.action == replications.COPY:
            made_repository = self._copy(change, replication)
            self._tell(change, replication, "SUCCESS")
        else:
            self._remove(change, replication)
        replications.finish(change.connection, replication, replications.COMPLETE, None)
        note_result(change.connection, replication, None, self._clock().timestamp())
        return made_repository

    def _copy(self, change: Change, replication: Replication) -> bool:
        connection, now = change.connection, self._clock()
        image_tag = replication.image_tag or None
        source = repositories.get(connection, replication.source, replication.repository_name)
        image = images.by_digest(connection, source.id, replication.digest)
        if image is None:
            raise image_not_found(source.name, source.registry.account, replication.digest, image_tag)
        destination, is_new = self._destination(change, replication, now)
        copy_image(change, self._store.content, source, image, destination, image_tag=image_tag, now=now)
        return is_new

    def _destination(self, change: Change, replication: Replication, now: datetime) -> tuple[Repository, bool]:
        """The repository to copy into, and whether it is made only now."""
        registry, name = replication.destination, replication.repository_name
        is_new = repositories.find(change.connection, registry, name) is None
        self._require(replication, "ecr:ReplicateImage", *(["ecr:CreateRepository"] if is_new else []))
        return ensure_repository(change, registry, name, REPLICATION, now), is_new

    def _require(self, replication: Replication, *actions: str) -> None:
        """Another account needs the destination's registry policy; within an account only a Deny of it stands against.

        Source: ECR user guide, "Granting registry permissions for cross account replication in Amazon ECR".
        """
        source, destination = replication.source, replication.destination
        principal = Principal(source.account, f"arn:{source.partition}:iam::{source.account}:root")
        resource = destination.repository_arn(replication.repository_name)
        self._gate.require(FACE, principal, destination, [Permission(action, resource) for action in actions])

    def _remove(self, change: Change, replication: Replication) -> None:
        """What cannot be removed stays, and nobody is told: DescribeImageReplicationStatus knows copies only."""
        destination = repositories.find(change.connection, replication.destination, replication.repository_name)
        if destination is None:
            return
        self._require(replication, "ecr:ReplicateImage")
        if replication.action == replications.REMOVE_TAG:
            remove_copied_tag(change, destination, replication.digest, replication.image_tag, self._clock())
        else:
            remove_copy(change, destination, replication.digest, self._clock())

    def _fail(self, replication: Replication, code: str) -> None:
        with self._store.changing() as change:
            if not replications.is_under_way(change.connection, replication):
                return  # it was done, and what came after the commit failed
            replications.finish(change.connection, replication, replications.FAILED, code)
            note_result(change.connection, replication, code, self._clock().timestamp())
            if replication.action == replications.COPY:
                self._tell(change, replication, "FAILED")

    def _tell(self, change: Change, replication: Replication, result: str) -> None:
        event = events.image_replicated(
            replication.destination,
            replication.repository_name,
            replication.digest,
            replication.image_tag or None,
            self._clock(),
            source=replication.source,
            result=result,
        )
        change.announce(replication.destination, event)
