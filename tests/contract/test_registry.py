"""The contract of ``Registry``: every test runs on the fake and on the adapter."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST, Image
from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.repositories import Encryption, Mutability, RepositorySettings, TagMutability
from ecr_steward.errors import (
    ImageIsListedError,
    ImageNotFoundError,
    ImageTaggedMeanwhileError,
    ImageTagIsImmutableError,
    LastImageTagError,
    RefusedByRegistryError,
    RepositoryNotFoundError,
)

RELEASE, LATEST, STABLE = image_tag("1.4.2"), image_tag("1-latest"), image_tag("stable")
NOWHERE = Digest(f"sha256:{'0' * 64}")
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "untagged images go after two weeks",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        }
    ]
}
IMMUTABLE = TagMutability(Mutability.IMMUTABLE)
AES256 = Encryption("AES256")
IMMUTABLE_BUT_LATEST = TagMutability(Mutability.IMMUTABLE_WITH_EXCLUSION, frozenset({"*-latest"}))
ANCHORED = TagMutability(Mutability.IMMUTABLE_WITH_EXCLUSION, frozenset({"latest", "1.4", "1x4x2"}))
MUTABLE_BUT_RELEASES = TagMutability(Mutability.MUTABLE_WITH_EXCLUSION, frozenset({"1.*", "2.*"}))


def policy(repository: RepositoryRef) -> dict[str, Any]:
    """A policy that names an account, which ECR wants to be there."""
    statement = {
        "Sid": "Pull",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{repository.registry.account}:root"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def tags_of(world: Any, image: ImageRef) -> frozenset[str]:
    tags: frozenset[str] = world.registry.images(image.repository).tags_of(image.digest)
    return tags


def settings(world: Any, repository: RepositoryRef) -> RepositorySettings:
    found: RepositorySettings = world.registry.repository(repository).settings
    return found


# ---------------------------------------------------------------- repositories


def test_each_registry_lists_its_own_repositories_when_there_are_many(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef
) -> None:
    names = {f"{world.prefix}team-{letter}/api" for letter in "abcde"}
    for name in names:
        world.registry.create_repository(RepositoryRef(repository.registry, name), None)
    world.registry.create_repository(abroad, None)

    here = listed(world, repository.registry)
    assert sorted(ref.name for ref in here) == sorted(names)
    assert {ref.registry for ref in here} == {repository.registry}
    assert listed(world, abroad.registry) == [abroad]


def listed(world: Any, registry: RegistryRef) -> list[RepositoryRef]:
    """Repositories of a registry, without what others have there."""
    return [each.ref for each in world.registry.repositories(registry) if each.ref.name.startswith(world.prefix)]


def test_a_new_repository_has_no_policies_and_mutable_tags(world: Any, repository: RepositoryRef) -> None:
    found = world.registry.repository(repository)

    assert found.ref == repository
    assert found.settings == RepositorySettings(
        policy=None,
        lifecycle=None,
        mutability=TagMutability(Mutability.MUTABLE),
        scan_on_push=False,
        encryption=AES256,
        resource_tags={},
    )


def test_a_repository_is_created_with_its_mutability(world: Any, abroad: RepositoryRef) -> None:
    world.registry.create_repository(abroad, IMMUTABLE_BUT_LATEST)

    assert settings(world, abroad).mutability == IMMUTABLE_BUT_LATEST


def test_creating_leaves_a_repository_as_it_is_when_it_is_there(world: Any, repository: RepositoryRef) -> None:
    world.registry.put_lifecycle_policy(repository, LIFECYCLE)

    world.registry.create_repository(repository, IMMUTABLE)

    assert settings(world, repository).mutability == TagMutability(Mutability.MUTABLE)
    assert settings(world, repository).lifecycle == LIFECYCLE


def test_settings_are_read_as_they_were_written(world: Any, repository: RepositoryRef) -> None:
    world.registry.set_repository_policy(repository, policy(repository))
    world.registry.put_lifecycle_policy(repository, LIFECYCLE)
    world.registry.put_tag_mutability(repository, MUTABLE_BUT_RELEASES)
    world.registry.put_scan_on_push(repository, True)
    world.registry.add_resource_tags(repository, {"managed-by": "ecr-steward"})

    assert settings(world, repository) == RepositorySettings(
        policy=policy(repository),
        lifecycle=LIFECYCLE,
        mutability=MUTABLE_BUT_RELEASES,
        scan_on_push=True,
        encryption=AES256,
        resource_tags={"managed-by": "ecr-steward"},
    )


def test_settings_are_replaced_when_they_are_written_again(world: Any, repository: RepositoryRef) -> None:
    world.registry.put_tag_mutability(repository, IMMUTABLE_BUT_LATEST)
    world.registry.put_scan_on_push(repository, True)
    other = {"rules": [{**LIFECYCLE["rules"][0], "rulePriority": 7}]}
    world.registry.put_lifecycle_policy(repository, LIFECYCLE)

    world.registry.put_tag_mutability(repository, IMMUTABLE)
    world.registry.put_scan_on_push(repository, False)
    world.registry.put_lifecycle_policy(repository, other)

    assert settings(world, repository).mutability == IMMUTABLE
    assert settings(world, repository).scan_on_push is False
    assert settings(world, repository).lifecycle == other


def test_other_resource_tags_stay_when_some_are_set(world: Any, repository: RepositoryRef) -> None:
    world.registry.add_resource_tags(repository, {"owner": "team-a", "tier": "test"})

    world.registry.add_resource_tags(repository, {"tier": "prod"})

    assert settings(world, repository).resource_tags == {"owner": "team-a", "tier": "prod"}


def test_a_lifecycle_policy_is_gone_when_it_is_deleted_and_deleting_none_is_fine(
    world: Any, repository: RepositoryRef
) -> None:
    world.registry.put_lifecycle_policy(repository, LIFECYCLE)

    world.registry.delete_lifecycle_policy(repository)
    world.registry.delete_lifecycle_policy(repository)

    assert settings(world, repository).lifecycle is None


def test_a_document_is_refused_and_nothing_changes_when_it_is_no_policy(world: Any, repository: RepositoryRef) -> None:
    with pytest.raises(RefusedByRegistryError):
        world.registry.set_repository_policy(repository, {"Version": "2012-10-17"})
    with pytest.raises(RefusedByRegistryError):
        world.registry.put_lifecycle_policy(repository, {"rules": []})

    assert settings(world, repository).policy is None
    assert settings(world, repository).lifecycle is None


def test_there_is_nothing_to_read_or_set_when_the_repository_is_not_there(world: Any, abroad: RepositoryRef) -> None:
    registry = world.registry
    calls: list[Callable[[], object]] = [
        lambda: registry.repository(abroad),
        lambda: registry.images(abroad),
        lambda: registry.children(abroad, [NOWHERE]),
        lambda: registry.set_repository_policy(abroad, policy(abroad)),
        lambda: registry.put_lifecycle_policy(abroad, LIFECYCLE),
        lambda: registry.delete_lifecycle_policy(abroad),
        lambda: registry.put_tag_mutability(abroad, IMMUTABLE),
        lambda: registry.put_scan_on_push(abroad, True),
        lambda: registry.add_resource_tags(abroad, {"a": "b"}),
        lambda: registry.add_image_tag(ImageRef(abroad, NOWHERE), RELEASE),
        lambda: registry.remove_image_tag(ImageRef(abroad, NOWHERE), RELEASE),
        lambda: registry.delete_image(ImageRef(abroad, NOWHERE), set()),
    ]
    for call in calls:
        with pytest.raises(RepositoryNotFoundError, match="team-a/api"):
            call()


# ---------------------------------------------------------------- images


def test_images_are_read_with_their_tags_and_tagged_or_not(world: Any, repository: RepositoryRef, new: Any) -> None:
    tagged = world.push(repository, new.image(), RELEASE, LATEST)
    untagged = world.push(repository, new.image("untagged"))

    found = world.registry.images(repository)

    assert found.digests == {tagged.digest, untagged.digest}
    assert identity(found.images[tagged.digest]) == Image(tagged, frozenset({RELEASE, LATEST}), media_type=OCI_MANIFEST)
    assert identity(found.images[untagged.digest]) == Image(untagged, media_type=OCI_MANIFEST)


def identity(image: Image) -> Image:
    """What an image is and is called, without when it was pushed and the like."""
    return Image(image.ref, image.image_tags, image.subject, image.media_type)


def test_an_image_says_what_it_is_made_for_and_how_large_its_layers_are(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    small, large = new.image(), new.image("of a longer word")
    index = new.index([large, small])
    refs = [world.push(repository, manifest) for manifest in (small, large, index)]

    found = world.registry.images(repository)

    of_small, of_large, of_index = (found.images[ref.digest] for ref in refs)
    assert (of_small.size, of_large.size) == (small.blobs[1].size, large.blobs[1].size)
    assert of_index.size == large.blobs[1].size
    assert of_small.artifact_media_type == small.blobs[0].media_type
    assert of_index.artifact_media_type is None


def test_an_image_says_when_it_was_pushed_whatever_tags_it_gets_later(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    image = world.push(repository, new.image(), RELEASE)
    pushed_at = world.registry.images(repository).images[image.digest].pushed_at

    world.registry.add_image_tag(image, LATEST)
    world.push(repository, new.image(), STABLE)

    assert abs(datetime.now(UTC) - pushed_at) < timedelta(minutes=5)
    assert world.registry.images(repository).images[image.digest].pushed_at == pushed_at


def test_an_image_says_when_it_was_pulled_and_nothing_of_it_when_nobody_has(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    pulled, other = world.push(repository, new.image(), RELEASE), world.push(repository, new.image("other"))

    world.content.store(repository).manifest(pulled.digest)

    found = world.registry.images(repository)
    assert abs(datetime.now(UTC) - found.images[pulled.digest].last_pulled_at) < timedelta(minutes=5)
    assert found.images[other.digest].last_pulled_at is None


def test_a_referrer_is_told_from_images_by_its_subject(world: Any, repository: RepositoryRef, new: Any) -> None:
    child = new.image("child")
    world.push(repository, child)
    index = world.push(repository, new.index([child]), RELEASE)
    referrer = world.push(repository, new.image("sbom", subject=new.index([child])))

    found = world.registry.images(repository)

    assert found.subject_of(index.digest) is None
    assert found.subject_of(referrer.digest) == index.digest


def test_every_image_tag_has_its_holder_when_there_are_many(world: Any, repository: RepositoryRef, new: Any) -> None:
    images = [new.image(str(number)) for number in range(3)]
    for number, image in enumerate(images):
        world.push(repository, image, f"1.0.{number}", f"2.0.{number}")
    world.push(repository, new.image("untagged"))

    tagged = world.registry.images(repository)

    assert tagged.repository == repository
    assert dict(tagged.holders) == {
        f"{major}.0.{number}": image.digest for number, image in enumerate(images) for major in (1, 2)
    }
    assert tagged.tags_of(images[0].digest) == {"1.0.0", "2.0.0"}


def test_an_index_is_told_from_images_by_its_media_type(world: Any, repository: RepositoryRef, new: Any) -> None:
    child = new.image("child")
    world.push(repository, child)
    index = world.push(repository, new.index([child]), RELEASE)

    found = world.registry.images(repository)

    assert found.images[index.digest].media_type == OCI_INDEX
    assert found.images[child.digest].media_type == OCI_MANIFEST


# ---------------------------------------------------------------- what indexes point to


def test_children_of_many_indexes_are_read_in_the_order_of_each(
    world: Any, repository: RepositoryRef, new: Any
) -> None:
    children = [new.image(str(number)) for number in range(4)]
    for child in children:
        world.push(repository, child)
    indexes = [new.index(pair) for pair in zip(children[1:], children, strict=False)]
    digests = [world.push(repository, index).digest for index in indexes]

    found = world.registry.children(repository, digests)

    assert found == {index.digest: index.children for index in indexes}


def test_a_child_says_what_platform_it_is_for(world: Any, repository: RepositoryRef, new: Any) -> None:
    image, attestation = new.image("image"), new.image("attestation")
    world.push(repository, image)
    world.push(repository, attestation)
    index = world.push(repository, new.index([image, attestation], ["linux/amd64", "unknown/unknown"]))

    (first, second) = world.registry.children(repository, [index.digest])[index.digest]

    assert (first.platform, first.runs_nowhere) == ("linux/amd64", False)
    assert second.runs_nowhere


def test_only_an_index_that_is_there_has_children(world: Any, repository: RepositoryRef, new: Any) -> None:
    image = world.push(repository, new.image())

    assert world.registry.children(repository, [image.digest, NOWHERE]) == {}
    assert world.registry.children(repository, []) == {}


# ---------------------------------------------------------------- adding an image tag


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


# ---------------------------------------------------------------- removing an image tag


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


# ---------------------------------------------------------------- deleting an image


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
