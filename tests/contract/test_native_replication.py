"""The contract of ``NativeCopies``: every test runs on the fake and on the adapter."""

from typing import Any

import pytest

from ecr_steward.domain.names import Digest, ImageRef, RepositoryRef
from ecr_steward.domain.native_copies import NativeCopy
from ecr_steward.errors import ImageNotFoundError, RepositoryNotFoundError

NOWHERE = Digest(f"sha256:{'0' * 64}")


@pytest.mark.parametrize("status", ["IN_PROGRESS", "COMPLETE"])
def test_the_copy_to_each_destination_is_told_when_ecr_was_asked_for_it(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef, new: Any, status: str
) -> None:
    with world.pushed_and_replicated(repository, new.image(), status, abroad.registry) as image:
        assert world.native_copies.of(image) == (NativeCopy(abroad.registry, status),)


def test_why_a_copy_did_not_arrive_is_told_when_it_failed(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef, new: Any
) -> None:
    with world.pushed_and_replicated(repository, new.image(), "FAILED", abroad.registry) as image:
        (copy,) = world.native_copies.of(image)

    assert (copy.to, copy.has_failed, copy.is_under_way) == (abroad.registry, True, False)
    assert copy.failure_code


def test_there_is_no_copy_when_nobody_asked_ecr_for_one(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = world.push(repository, new.image(), "1.4.2")

    assert world.native_copies.of(image) == ()


def test_there_is_no_copy_to_ask_for_when_image_or_repository_are_not_there(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef
) -> None:
    with pytest.raises(ImageNotFoundError, match="team-a/api"):
        world.native_copies.of(ImageRef(repository, NOWHERE))
    with pytest.raises(RepositoryNotFoundError, match="team-a/api"):
        world.native_copies.of(ImageRef(abroad, NOWHERE))
