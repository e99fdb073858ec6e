"""The contract of ``Registry``, its repositories: every test runs on the fake and on the adapter."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ecr_steward.domain.names import ImageRef, RegistryRef, RepositoryRef
from ecr_steward.domain.repositories import Encryption, Mutability, RepositorySettings, TagMutability
from ecr_steward.errors import RefusedByRegistryError, RepositoryNotFoundError
from tests.contract.samples import IMMUTABLE, IMMUTABLE_BUT_LATEST, MUTABLE_BUT_RELEASES, NOWHERE, RELEASE

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
AES256 = Encryption("AES256")


def policy(repository: RepositoryRef) -> dict[str, Any]:
    """A policy that names an account, which ECR wants to be there."""
    statement = {
        "Sid": "Pull",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{repository.registry.account}:root"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def settings(world: Any, repository: RepositoryRef) -> RepositorySettings:
    found: RepositorySettings = world.registry.repository(repository).settings
    return found


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
    assert world.registry.create_repository(abroad, IMMUTABLE_BUT_LATEST) is True

    assert settings(world, abroad).mutability == IMMUTABLE_BUT_LATEST


def test_creating_leaves_a_repository_as_it_is_when_it_is_there(world: Any, repository: RepositoryRef) -> None:
    world.registry.put_lifecycle_policy(repository, LIFECYCLE)

    assert world.registry.create_repository(repository, IMMUTABLE) is False

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


def test_a_repository_has_the_resource_tags_that_it_was_created_with(world: Any, repository: RepositoryRef) -> None:
    new = replace(repository, name=f"{repository.name}-copies")

    assert world.registry.create_repository(new, None, None, {"ecr-steward:copies": "1"})
    assert not world.registry.create_repository(new, None, None, {"ecr-steward:copies": "2"})

    assert world.registry.resource_tags(new) == {"ecr-steward:copies": "1"}
