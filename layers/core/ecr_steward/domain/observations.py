"""What events tell us: hints that something about an image or a repository may have changed."""

from dataclasses import dataclass
from datetime import datetime

from ecr_steward.domain.callers import Caller
from ecr_steward.domain.names import ImageRef, ImageTag, RegistryRef, RepositoryRef


@dataclass(frozen=True)
class Push:
    """Somebody put a manifest: one event per image tag, and one without for a push by digest."""

    image: ImageRef
    image_tag: ImageTag | None = None
    """As it was at the push. It may have moved since: read the facts."""
    media_type: str | None = None
    """Of the manifest; older events do not say."""
    at: datetime | None = None
    """When it was, as far as the event says."""


@dataclass(frozen=True)
class ScanEnded:
    """A scan of an image ended, or one of its findings changed: the verdict on what holds it may be another now."""

    image: ImageRef
    """What was scanned. Of an index that is a child, never the index."""


@dataclass(frozen=True)
class RepositoryChanged:
    """A repository may be new, or its settings may have changed."""

    repository: RepositoryRef
    operation: str
    """The ECR operation, such as ``CreateRepository``, or how an image came there."""
    by: Caller | None = None
    """Who did it, where the event says so."""
    is_arrival: bool = False
    """Whether an image came there, and nothing says that any setting changed."""

    def __str__(self) -> str:
        return f"{self.operation} by {self.by}" if self.by else self.operation


@dataclass(frozen=True)
class RegistryChanged:
    """Settings of a whole registry may have changed."""

    registry: RegistryRef
    operation: str
    """The ECR operation, such as ``PutRegistryPolicy``."""
    by: Caller | None = None
    """Who did it, where the event says so."""

    def __str__(self) -> str:
        return f"{self.operation} by {self.by}" if self.by else self.operation
