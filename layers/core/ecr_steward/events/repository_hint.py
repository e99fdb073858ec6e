"""What announces a repository: a call that a trail logged, or, without a trail, an image that arrived there.

Pushes themselves are read, too: the failure queue may hold some that an earlier version's rule brought.
"""

from collections.abc import Mapping
from typing import Any

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.observations import RepositoryChanged
from ecr_steward.events.api_call import ApiCallEvent
from ecr_steward.events.envelope import parse
from ecr_steward.events.image_action import ImageActionEvent
from ecr_steward.events.image_arrival import PullThroughCacheActionEvent, ReplicationActionEvent
from ecr_steward.events.repository_pushed import RepositoryPushedEvent


def read_repository_changed(event: Any) -> RepositoryChanged:
    """The repository that an event is about, and who changed it. Raises MalformedEventError and InvalidNameError."""
    match event.get("detail-type") if isinstance(event, Mapping) else None:
        case "ECR Image Action" | "ECR Referrer Action":
            return _pushed_to(parse(ImageActionEvent, event).to_push().image.repository)
        case "Repository Pushed":
            return _pushed_to(parse(RepositoryPushedEvent, event).detail.repository)
        case "ECR Replication Action":
            return parse(ReplicationActionEvent, event).to_repository_changed()
        case "ECR Pull Through Cache Action":
            return parse(PullThroughCacheActionEvent, event).to_repository_changed()
    return parse(ApiCallEvent, event).to_repository_changed()


def _pushed_to(repository: RepositoryRef) -> RepositoryChanged:
    return RepositoryChanged(repository, "push", is_arrival=True)
