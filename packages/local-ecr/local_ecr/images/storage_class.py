"""Move an image into the archive and back. Sources: ECR user guide, "Archiving an image" and "Restoring an image"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from local_ecr import events
from local_ecr.images.selection import ImageFailureError
from local_ecr.replication.requests import request_copies
from local_ecr.scans.arrival import scan_arrival
from local_ecr.state import images, repositories
from local_ecr.state.images import Image
from local_ecr.state.repositories import Repository
from local_ecr.state.store import Change, Store


def archive_image(change: Change, repository: Repository, image: Image, now: datetime) -> None:
    """An active image can be pulled and scanned no more from here on.

    Raises ImageFailureError while an index lists it that is not archived: user guide, "Lifecycle policy evaluation
    rules", which is all that is documented about the images of an index.
    """
    indexes = images.live_indexes_of(change.connection, repository.id, image.digest)
    if indexes:
        raise ImageFailureError(
            "ImageReferencedByManifestList",
            f"Requested image referenced by manifest list: [{', '.join(indexes)}]",
        )
    images.set_archived(change.connection, image, now.timestamp())
    change.announce(
        repository.registry,
        events.storage_class_changed(repository.registry, repository.name, image, events.ARCHIVE, now),
    )


def begin_restore(change: Change, image: Image) -> None:
    """An archived image will be active again, as soon as the background comes to it; at ECR within about 20 minutes."""
    images.set_activating(change.connection, image)
    change.has_work = True


def restore_image(change: Change, repository: Repository, image: Image, now: datetime) -> Image:
    """The image, active from here on, and scanned as a new one is."""
    restored = images.set_active(change.connection, image, now.timestamp())
    change.announce(
        repository.registry,
        events.storage_class_changed(
            repository.registry, repository.name, restored, events.STANDARD, now, last_activated_at=now
        ),
    )
    scan_arrival(change, repository, restored, now)
    return restored


class Restores:
    """Ends the restores that were begun; a step of the background."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def __call__(self) -> bool:
        """End one; whether there was one."""
        with self._store.reading() as connection:
            if images.first_activating(connection) is None:
                return False
        with self._store.changing() as change:
            found = images.first_activating(change.connection)
            if found is None:
                return False
            repository_id, image = found
            repository = repositories.find_by_id(change.connection, repository_id)
            assert repository is not None  # noqa: S101  its images would be gone as well
            restored = restore_image(change, repository, image, self._clock())
            image_tags: list[str | None] = [*images.tags_of(change.connection, restored)]
            for image_tag in image_tags or [None]:
                request_copies(change, repository, restored, image_tag)
        return True
