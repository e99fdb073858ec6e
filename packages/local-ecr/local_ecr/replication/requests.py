"""What a change in one registry asks of others, by its rules: rows of the same transaction, for the background.

Only what is pushed, restored or removed in a registry itself is asked for; what was copied there goes no further:
"replication actions only occur once per image push" (ECR user guide, "Private image replication in Amazon ECR").
"""

from __future__ import annotations

from collections.abc import Sequence

from local_ecr.names import Registry
from local_ecr.replication.rules import destinations_of
from local_ecr.state import registries, replications
from local_ecr.state.images import Image
from local_ecr.state.repositories import Repository
from local_ecr.state.store import Change


def request_copies(change: Change, repository: Repository, image: Image, image_tag: str | None) -> None:
    """An image was pushed by this tag or by its digest alone (None), or restored: then once for each of its tags."""
    _request(change, repository, image, image_tag, replications.COPY, list(_destinations(change, repository)))


def request_removals(change: Change, repository: Repository, image: Image, image_tag: str | None) -> None:
    """A tag was taken from an image that has others, or (None) the image is gone with all its tags.

    Asks those destinations whose rules copy deletions ("Replicating image deletions in Amazon ECR").
    """
    asked = [to for to, copies_deletions in _destinations(change, repository).items() if copies_deletions]
    action = replications.REMOVE_IMAGE if image_tag is None else replications.REMOVE_TAG
    _request(change, repository, image, image_tag, action, asked)


def _destinations(change: Change, repository: Repository) -> dict[Registry, bool]:
    configuration = registries.get(change.connection, repository.registry, registries.REPLICATION)
    return destinations_of(configuration, repository.name) if configuration else {}


def _request(  # noqa: PLR0917
    change: Change,
    repository: Repository,
    image: Image,
    image_tag: str | None,
    action: str,
    destinations: Sequence[Registry],
) -> None:
    if destinations:
        replications.add(change.connection, repository, image, image_tag or "", action, destinations)
        change.has_work = True
