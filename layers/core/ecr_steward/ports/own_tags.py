"""The port to the image tags that invocations put themselves."""

from typing import Protocol

from ecr_steward.domain.names import ImageTag, RepositoryRef
from ecr_steward.domain.own_tags import OwnTag


class OwnTags(Protocol):
    """Notes of image tags, by repository. Every method may raise retryable errors."""

    def note(self, repository: RepositoryRef, image_tag: ImageTag, own: OwnTag) -> None:
        """Note an image tag that is about to be put, whatever was noted of it. Needs dynamodb:PutItem."""
        ...

    def last(self, repository: RepositoryRef, image_tag: ImageTag) -> OwnTag | None:
        """The last note of an image tag; ``None`` where none counts any more. Needs dynamodb:GetItem."""
        ...
