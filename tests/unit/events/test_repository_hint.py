"""What announces a repository, by whatever way it appeared or changed."""

import pytest

from ecr_steward.domain.callers import OwnRoles
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.errors import MalformedEventError
from ecr_steward.events.repository_hint import read_repository_changed

HOME = RegistryRef("111122223333", "us-east-1")
OWN_ROLES = OwnRoles("111122223333", "/ecr-steward/", frozenset({"222233334444"}), "ecr-steward-spoke")


@pytest.mark.parametrize(
    ("sample", "name", "how"),
    [
        ("ecr_image_action/push_tagged", "team-a/api", "push"),
        ("ecr_replication_action/arrived", "team-a/api", "replication"),
        ("ecr_pull_through_cache_action/fetched", "team-a/library/alpine", "pull through cache"),
        ("aws_api_call_via_cloudtrail/create_repository_by_replication", "team-a/api", "CreateRepository"),
    ],
)
def test_a_repository_is_announced_when_it_appears_by_any_way(load_event, sample, name, how):
    change = read_repository_changed(load_event(sample))

    assert (change.repository, change.operation) == (RepositoryRef(HOME, name), how)


@pytest.mark.parametrize("sample", ["ecr_replication_action/failed", "ecr_pull_through_cache_action/failed"])
def test_nothing_is_announced_when_nothing_arrived(load_event, sample):
    with pytest.raises(MalformedEventError, match="with result FAILED, which changed nothing"):
        read_repository_changed(load_event(sample))


@pytest.mark.parametrize("event", [None, [], {"detail-type": 12}, {"detail-type": "ECR Replication Action"}])
def test_an_event_is_malformed_when_it_announces_nothing(event):
    with pytest.raises(MalformedEventError):
        read_repository_changed(event)


@pytest.mark.parametrize(
    ("sample", "is_own"),
    [
        ("set_repository_policy_by_the_steward", True),
        ("set_repository_policy", False),
        ("create_repository_by_replication", False),
    ],
)
def test_the_steward_knows_its_own_call_when_a_trail_tells_of_it(load_event, sample, is_own):
    change = read_repository_changed(load_event(f"aws_api_call_via_cloudtrail/{sample}"))

    assert OWN_ROLES.include(change.by) == is_own
