"""The port to the releases that people have given."""

from collections.abc import Iterator
from typing import Protocol

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.releases import Release


class Releases(Protocol):
    """Releases of images from what rules object to. One that is over is not there."""

    def of(self, repository: RepositoryRef) -> Iterator[Release]:
        """The releases in a repository. Needs dynamodb:Query."""
        ...

    def give(self, release: Release) -> None:
        """Give a release; the latest one about an image and image tag counts. Needs dynamodb:PutItem."""
        ...

    def end(self, release: Release) -> None:
        """End a release before its time. Needs dynamodb:DeleteItem."""
        ...
