"""What announces a repository: a call that a trail logged, or, without a trail, the first push."""

from collections.abc import Mapping
from typing import Any

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.events.api_call import ApiCallEvent
from ecr_steward.events.envelope import parse
from ecr_steward.events.image_action import ImageActionEvent


def read_repository(event: Any) -> RepositoryRef:
    """The repository that an event is about. Raises MalformedEventError and InvalidNameError."""
    if isinstance(event, Mapping) and event.get("detail-type") == "ECR Image Action":
        return parse(ImageActionEvent, event).to_push().image.repository
    return parse(ApiCallEvent, event).to_repository_changed().repository
