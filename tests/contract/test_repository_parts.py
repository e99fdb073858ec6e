"""The parts of a repository that are read by a call each, and settings that have no step of their own."""

from typing import Any

import pytest

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.repositories import (
    SETTINGS,
    Encryption,
    Mutability,
    Part,
    Repository,
    RepositorySettings,
    TagMutability,
)
from ecr_steward.errors import RefusedByRegistryError, RepositoryNotFoundError

IMMUTABLE = TagMutability(Mutability.IMMUTABLE)


def policy(repository: RepositoryRef, sid: str = "Pull") -> dict[str, Any]:
    """A policy that names an account, which ECR wants to be there."""
    account = f"arn:aws:iam::{repository.registry.account}:root"
    statement = {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": account}, "Action": "ecr:BatchGetImage"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_nothing_else_is_known_of_a_repository_when_some_parts_were_read(world: Any, repository: RepositoryRef) -> None:
    world.registry.set_repository_policy(repository, policy(repository))
    world.registry.put_tag_mutability(repository, IMMUTABLE)
    world.registry.add_resource_tags(repository, {"tier": "prod"})

    found = world.registry.repository(repository, {Part.POLICY})

    assert found.read == {Part.POLICY}
    assert found.settings == RepositorySettings(policy=policy(repository))


def test_what_is_known_of_a_repository_stays_when_more_is_read(world: Any, repository: RepositoryRef) -> None:
    world.registry.add_resource_tags(repository, {"tier": "prod"})
    first = world.registry.repository(repository, {Part.RESOURCE_TAGS})
    world.registry.add_resource_tags(repository, {"tier": "test"})

    found = world.registry.repository(first, SETTINGS)

    assert found.read == SETTINGS
    assert found.settings.resource_tags == {"tier": "prod"}
    assert found.settings.encryption == Encryption("AES256")
    assert world.registry.repository(repository, set()).read == frozenset()


@pytest.mark.parametrize("part", Part)
def test_no_part_is_read_when_the_repository_is_not_there(world: Any, abroad: RepositoryRef, part: Part) -> None:
    with pytest.raises(RepositoryNotFoundError, match="team-a/api"):
        world.registry.repository(abroad, {part})


def test_many_repositories_are_described_at_once(world: Any, repository: RepositoryRef) -> None:
    names = [f"{world.prefix}team-{letter}/api" for letter in "bcde"]
    for name in names:
        world.registry.create_repository(RepositoryRef(repository.registry, name), IMMUTABLE)

    found = list(world.registry.described(repository.registry, names))

    assert sorted(each.ref.name for each in found) == names
    assert {each.read for each in found} == {frozenset({Part.DESCRIPTION})}
    assert {each.settings.mutability for each in found} == {IMMUTABLE}
    assert list(world.registry.described(repository.registry, [])) == []


def test_none_is_described_when_one_of_them_is_not_there(world: Any, repository: RepositoryRef) -> None:
    with pytest.raises(RepositoryNotFoundError):
        list(world.registry.described(repository.registry, [repository.name, f"{world.prefix}gone/api"]))


def test_a_repository_is_created_with_its_encryption(world: Any, abroad: RepositoryRef) -> None:
    world.registry.create_repository(abroad, None, Encryption("KMS"))

    encryption = world.registry.repository(abroad, {Part.DESCRIPTION}).settings.encryption
    assert encryption.type == "KMS"


def test_the_policy_is_gone_when_it_was_deleted(world: Any, repository: RepositoryRef) -> None:
    world.registry.set_repository_policy(repository, policy(repository))

    world.registry.delete_repository_policy(repository)
    world.registry.delete_repository_policy(repository)

    assert world.registry.repository(repository, {Part.POLICY}).settings.policy is None


def test_there_is_no_policy_to_delete_when_the_repository_is_not_there(world: Any, abroad: RepositoryRef) -> None:
    with pytest.raises(RepositoryNotFoundError):
        world.registry.delete_repository_policy(abroad)


def test_the_repository_decides_over_its_scans_when_the_registry_has_no_rules(
    world: Any, repository: RepositoryRef
) -> None:
    found = world.registry.repository(repository, {Part.REGISTRY_SCANNING})

    assert found.scanned_by_registry is None
    assert Part.REGISTRY_SCANNING in found.read


def test_the_registry_decides_over_scans_when_a_rule_of_it_names_the_repository(
    world: Any, repository: RepositoryRef
) -> None:
    world.scan_by_registry(repository)

    found = world.registry.repository(repository, {Part.REGISTRY_SCANNING})

    assert found.scanned_by_registry == "SCAN_ON_PUSH"


def test_registry_scanning_is_read_of_many_and_who_is_gone_is_left_out(world: Any, repository: RepositoryRef) -> None:
    world.scan_by_registry(repository)
    other = RepositoryRef(repository.registry, f"{world.prefix}other/api")
    world.registry.create_repository(other, None)
    gone = RepositoryRef(repository.registry, f"{world.prefix}gone/api")

    asked = [Repository.unread(ref) for ref in (repository, other, gone)]
    found = list(world.registry.with_registry_scanning(repository.registry, asked))

    assert [(each.ref, each.scanned_by_registry) for each in found] == [(repository, "SCAN_ON_PUSH"), (other, None)]
    assert all(Part.REGISTRY_SCANNING in each.read for each in found)


@pytest.mark.parametrize("length", [10_240, 10_241])
def test_a_policy_is_taken_up_to_its_longest(world: Any, repository: RepositoryRef, length: int) -> None:
    document = policy(repository)
    filler = length - len(str(document).replace(" ", ""))
    document["Statement"][0]["Sid"] = "x" * (len("Pull") + filler)

    if length == 10_240:
        world.registry.set_repository_policy(repository, document)
        found = world.registry.repository(repository, {Part.POLICY}).settings.policy
        assert found is not None
        assert found["Statement"][0]["Sid"] == document["Statement"][0]["Sid"]
    else:
        with pytest.raises(RefusedByRegistryError):
            world.registry.set_repository_policy(repository, document)
