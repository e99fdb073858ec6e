"""The port to the steward's memory of image tags: since when each has been where it is."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from ecr_steward.domain.names import Digest, ImageTag, RepositoryRef
from ecr_steward.domain.sightings import Sighted, Sighting


class Sightings(Protocol):
    """Remembers tags that an expiry speaks about. Every method may raise the errors of ``ports.registry``."""

    def seen(self, repository: RepositoryRef) -> Sighted:
        """All sightings of a repository. Needs dynamodb:Query."""
        ...

    def keep(self, repository: RepositoryRef, sightings: Mapping[ImageTag, Sighting]) -> None:
        """Remember these, whatever was known of the tags. Needs dynamodb:BatchWriteItem."""
        ...

    def forget(self, repository: RepositoryRef, image_tags: Iterable[ImageTag]) -> None:
        """Forget these tags; one that is not known is a success. Needs dynamodb:DeleteItem."""
        ...

    def restart(self, repository: RepositoryRef, image_tag: ImageTag, digest: Digest, at: datetime) -> None:
        """Somebody put a tag somewhere at this moment, perhaps where it was.

        An older moment than the one that is known changes nothing: events come late and out of order. Needs
        dynamodb:PutItem.
        """
        ...
