"""The contract of ``Registry``, deleting images: every test runs on the fake and on the adapter."""

from typing import Any

import pytest

from ecr_steward.domain.names import ImageRef, RepositoryRef
from ecr_steward.errors import ImageIsListedError, ImageTaggedMeanwhileError
from tests.contract.samples import IMMUTABLE, LATEST, NOWHERE, RELEASE, STABLE, tags_of


def test_an_image_goes_with_all_its_tags_when_it_is_deleted(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = world.push(repository, new.image(), RELEASE, LATEST)
    other = world.push(repository, new.image("other"), STABLE)

    world.registry.delete_image(image, {RELEASE, LATEST})

    assert world.registry.images(repository).digests == {other.digest}


def test_an_immutable_tag_keeps_no_image_that_is_deleted(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = world.push(repository, new.image(), RELEASE)
    world.registry.put_tag_mutability(repository, IMMUTABLE)

    world.registry.delete_image(image, {RELEASE})

    assert world.registry.images(repository).digests == set()


def test_an_image_can_be_deleted_when_it_has_lost_a_tag_or_all_meanwhile(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    one, two = world.push(repository, new.image("one"), RELEASE, LATEST), world.push(repository, new.image("two"))

    world.registry.delete_image(one, {RELEASE, LATEST, STABLE})
    world.registry.delete_image(two, {STABLE})

    assert world.registry.images(repository).digests == set()


def test_deleting_is_a_success_when_the_image_is_gone(world: Any, repository: RepositoryRef) -> None:
    world.registry.delete_image(ImageRef(repository, NOWHERE), {RELEASE})

    assert world.registry.images(repository).digests == set()


def test_an_image_is_not_deleted_when_it_holds_a_tag_that_nobody_reckoned_with(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    image = world.push(repository, new.image(), RELEASE, STABLE)

    with pytest.raises(ImageTaggedMeanwhileError, match=STABLE):
        world.registry.delete_image(image, {RELEASE})

    assert tags_of(world, image) == {RELEASE, STABLE}


def test_a_tag_that_comes_in_the_moment_of_the_deletion_keeps_the_image(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    """attacks M5."""
    manifest = new.image()
    image = world.push(repository, manifest, STABLE, LATEST)
    world.right_before_deletion(repository, lambda: world.push(repository, manifest, RELEASE))

    with pytest.raises(ImageTaggedMeanwhileError, match=RELEASE):
        world.registry.delete_image(image, {STABLE, LATEST})

    assert tags_of(world, image) == {RELEASE}


def test_an_image_that_loses_its_tags_in_the_moment_of_the_deletion_stays(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    """attacks M5."""
    image, other = world.push(repository, new.image(), STABLE), new.image("other")
    world.right_before_deletion(repository, lambda: world.push(repository, other, STABLE))

    with pytest.raises(ImageTaggedMeanwhileError):
        world.registry.delete_image(image, {STABLE})

    assert tags_of(world, image) == set()
    assert world.registry.images(repository).holders == {STABLE: other.digest}


def test_an_image_of_an_index_keeps_the_last_of_its_tags_when_it_cannot_be_deleted(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    child = new.image("child")
    of_child = world.push(repository, child, STABLE, LATEST)
    world.push(repository, new.index([child]), RELEASE)

    with pytest.raises(ImageIsListedError):
        world.registry.delete_image(of_child, {STABLE, LATEST})

    assert tags_of(world, of_child) == {max(STABLE, LATEST)}


def test_an_image_is_deleted_only_after_the_index_that_lists_it(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    child = new.image("child")
    of_child = world.push(repository, child, STABLE)
    index = world.push(repository, new.index([child]), RELEASE)

    with pytest.raises(ImageIsListedError, match=index.digest.value):
        world.registry.delete_image(of_child, {STABLE})
    assert tags_of(world, of_child) == {STABLE}

    world.registry.delete_image(index, {RELEASE})
    world.registry.delete_image(of_child, {STABLE})
    assert world.registry.images(repository).digests == set()


def test_a_referrer_stays_when_its_subject_is_deleted(world: Any, repository: RepositoryRef, new: Any) -> None:
    subject = new.image()
    image = world.push(repository, subject, RELEASE)
    referrer = world.push(repository, new.image("sbom", subject=subject))

    world.registry.delete_image(image, {RELEASE})

    assert world.registry.images(repository).digests == {referrer.digest}
