"""Copies that ECR itself makes: how far each is, which images are worth asking about, and what is wrong with one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ecr_steward.domain.images import Image, RepositoryImages
from ecr_steward.domain.names import RegistryRef

LOOK_BACK = timedelta(days=1)
"""How long after its push a sweep asks about an image: until then somebody has been told of a copy that failed."""
MOST = 50
"""Images of a repository that one sweep asks about, the newest: each is a call."""
LATE = timedelta(hours=1)
"""The majority of copies takes less than half of it ("Private image replication", ECR user guide)."""


@dataclass(frozen=True)
class NativeCopy:
    """What ECR says of its latest copy of an image to one destination."""

    to: RegistryRef
    status: str
    """``IN_PROGRESS``, ``COMPLETE`` or ``FAILED``, or what a newer ECR says."""
    failure_code: str | None = None

    @property
    def has_failed(self) -> bool:
        """Whether ECR has given it up."""
        return self.status == "FAILED"

    @property
    def is_under_way(self) -> bool:
        """Whether it may still arrive."""
        return self.status == "IN_PROGRESS"

    def fault(self, age: timedelta) -> str | None:
        """What is wrong with it, for an image that was pushed so long ago; ``None`` for nothing."""
        if self.has_failed:
            return f"ECR's own replication failed: {self.failure_code or 'it does not say why'}"
        if self.is_under_way and age > LATE:
            minutes = round(age / timedelta(minutes=1))
            return f"ECR's own replication is still under way {minutes} minutes after the push"
        return None


def recent(images: RepositoryImages, now: datetime) -> list[tuple[Image, timedelta]]:
    """The tagged images that are worth asking about, the newest first, each with the time since its push."""
    ages = [
        (image, now - image.pushed_at)
        for image in images.images.values()
        if image.image_tags and image.pushed_at is not None
    ]
    ages.sort(key=lambda one: (one[1], one[0].digest))
    return [(image, age) for image, age in ages if age <= LOOK_BACK][:MOST]
