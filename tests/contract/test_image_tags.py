"""The contract of ``Registry``, adding and removing image tags: every test runs on the fake and on the adapter."""

from typing import Any

import pytest

from ecr_steward.domain.names import ImageRef, RepositoryRef
from ecr_steward.domain.repositories import Mutability, TagMutability
from ecr_steward.errors import ImageNotFoundError, ImageTagIsImmutableError, LastImageTagError
from tests.contract.samples import (
    IMMUTABLE,
    IMMUTABLE_BUT_LATEST,
    LATEST,
    MUTABLE_BUT_RELEASES,
    NOWHERE,
    RELEASE,
    STABLE,
    tags_of,
)

ANCHORED = TagMutability(Mutability.IMMUTABLE_WITH_EXCLUSION, frozenset({"latest", "1.4", "1x4x2"}))


def test_an_image_holds_a_tag_when_it_was_added(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = world.push(repository, new.image(), RELEASE)

    world.registry.add_image_tag(image, LATEST)

    assert tags_of(world, image) == {RELEASE, LATEST}


def test_an_untagged_image_and_an_index_can_be_tagged(world: Any, repository: RepositoryRef, new: Any) -> None:
    child = new.image("child")
    of_child = world.push(repository, child)
    index = world.push(repository, new.index([child]))

    world.registry.add_image_tag(of_child, STABLE)
    world.registry.add_image_tag(index, RELEASE)

    assert world.registry.images(repository).holders == {STABLE: of_child.digest, RELEASE: index.digest}


def test_the_old_holder_stays_untagged_when_its_only_tag_moves(world: Any, repository: RepositoryRef, new: Any) -> None:
    old = world.push(repository, new.image("old"), LATEST)
    image = world.push(repository, new.image("new"), RELEASE)

    world.registry.add_image_tag(image, LATEST)

    assert tags_of(world, image) == {RELEASE, LATEST}
    assert tags_of(world, old) == frozenset()


def test_adding_a_tag_is_a_success_when_the_image_holds_it(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = world.push(repository, new.image(), RELEASE)
    world.registry.put_tag_mutability(repository, IMMUTABLE)

    world.registry.add_image_tag(image, RELEASE)

    assert tags_of(world, image) == {RELEASE}


@pytest.mark.parametrize(
    ("mutability", "moves", "stays"),
    [
        (IMMUTABLE, [], [RELEASE, LATEST, STABLE]),
        (IMMUTABLE_BUT_LATEST, [LATEST], [RELEASE, STABLE]),
        (MUTABLE_BUT_RELEASES, [LATEST, STABLE], [RELEASE]),
        (TagMutability(Mutability.MUTABLE), [RELEASE, LATEST, STABLE], []),
        (ANCHORED, [], [RELEASE, LATEST, STABLE]),
    ],
    ids=str,
)
def test_only_mutable_tags_move(
    world: Any, repository: RepositoryRef, new: Any, *, mutability: TagMutability, moves: list[str], stays: list[str]
) -> None:
    old = world.push(repository, new.image("old"), RELEASE, LATEST, STABLE)
    image = world.push(repository, new.image("new"), "other")
    world.registry.put_tag_mutability(repository, mutability)

    for tag in moves:
        world.registry.add_image_tag(image, tag)
    for tag in stays:
        with pytest.raises(ImageTagIsImmutableError):
            world.registry.add_image_tag(image, tag)

    assert tags_of(world, image) == {"other", *moves}
    assert tags_of(world, old) == set(stays)


def test_a_new_tag_can_be_added_when_tags_are_immutable(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = world.push(repository, new.image(), RELEASE)
    world.registry.put_tag_mutability(repository, IMMUTABLE)

    world.registry.add_image_tag(image, STABLE)

    assert tags_of(world, image) == {RELEASE, STABLE}


def test_no_tag_is_added_when_there_is_no_such_image(world: Any, repository: RepositoryRef) -> None:
    with pytest.raises(ImageNotFoundError):
        world.registry.add_image_tag(ImageRef(repository, NOWHERE), RELEASE)

    assert world.registry.images(repository).holders == {}


def test_other_tags_stay_when_one_is_removed(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = world.push(repository, new.image(), RELEASE, LATEST)

    world.registry.remove_image_tag(image, LATEST)

    assert tags_of(world, image) == {RELEASE}


def test_an_immutable_tag_can_be_removed(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = world.push(repository, new.image(), RELEASE, LATEST)
    world.registry.put_tag_mutability(repository, IMMUTABLE)

    world.registry.remove_image_tag(image, LATEST)

    assert tags_of(world, image) == {RELEASE}


def test_a_tag_stays_with_its_new_holder_when_it_has_moved_meanwhile(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    old = world.push(repository, new.image("old"), RELEASE, LATEST)
    image = world.push(repository, new.image("new"), LATEST)

    world.registry.remove_image_tag(old, LATEST)

    assert world.registry.images(repository).holders == {RELEASE: old.digest, LATEST: image.digest}


def test_removing_is_a_success_when_tag_or_image_are_gone(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = world.push(repository, new.image(), RELEASE)

    world.registry.remove_image_tag(image, LATEST)
    world.registry.remove_image_tag(ImageRef(repository, NOWHERE), RELEASE)

    assert tags_of(world, image) == {RELEASE}


def test_the_last_tag_of_an_image_is_not_taken_since_the_image_would_go_with_it(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    image = world.push(repository, new.image(), RELEASE)

    with pytest.raises(LastImageTagError, match=RELEASE):
        world.registry.remove_image_tag(image, RELEASE)

    assert tags_of(world, image) == {RELEASE}
