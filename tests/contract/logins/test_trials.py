"""What only the adapter of ``Logins`` has: a registry to try a login at, which judges rights."""

from dataclasses import replace
from typing import Any

import pytest

from ecr_steward.domain.credentials import SecretText
from ecr_steward.errors import AccessDeniedError

TOKEN = ["ecr:GetAuthorizationToken"]
PULL = [*TOKEN, "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
PUSH = ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart"]


def asked_as(world: Any, role: str) -> list[tuple[str, int]]:
    """What was asked of ECR as a role, and how it was answered."""
    requests = world.server.ecr.requests.entries()
    return [(request.operation, request.status) for request in requests if f"/{role}/" in request.principal]


def test_an_image_is_pulled_when_the_registry_holds_one(adapter_world: Any) -> None:
    adapter_world.allow(adapter_world.there.account, "pull-only", *PULL)
    adapter_world.create_repository(adapter_world.there, "team-a/api")
    adapter_world.push(adapter_world.there, "team-a/api")

    token = adapter_world.logins.fetch(adapter_world.there, "pull-only")
    assert adapter_world.logins.may_pull(token)
    assert not adapter_world.logins.may_push(token)

    found = asked_as(adapter_world, "the-pull-only-role")
    assert ("BatchGetImage", 200) in found
    assert {status for operation, status in found if operation == "GetDownloadUrlForLayer"} <= {200, 307}
    assert found[-1] == ("InitiateLayerUpload", 403)


@pytest.mark.parametrize("actions", [PULL[:2], [*TOKEN, PULL[2]]], ids=["no content", "no manifests"])
@pytest.mark.parametrize("is_empty", [False, True], ids=["an image", "no image"])
def test_a_login_may_not_pull_when_its_role_can_read_but_half_of_an_image(
    adapter_world: Any, actions: list[str], *, is_empty: bool
) -> None:
    adapter_world.allow(adapter_world.home.account, "half", *actions)
    adapter_world.create_repository(adapter_world.home, "team-a/api")
    if not is_empty:
        adapter_world.push(adapter_world.home, "team-a/api")

    assert not adapter_world.logins.may_pull(adapter_world.logins.fetch(adapter_world.home, "half"))


def test_one_upload_is_tried_however_many_repositories_there_are(adapter_world: Any) -> None:
    """aws minor 7: each one that is refused is an unauthorized call, which accounts have alarms on."""
    adapter_world.allow(adapter_world.home.account, "the-pull-only-role", *PULL)
    for number in range(5):
        adapter_world.create_repository(adapter_world.home, f"team-{number}/api")

    assert not adapter_world.logins.may_push(adapter_world.logins.fetch(adapter_world.home, "pull-only"))

    refused = [operation for operation, status in asked_as(adapter_world, "the-pull-only-role") if status == 403]
    assert refused == ["InitiateLayerUpload"]


def test_a_login_may_not_pull_when_the_registry_does_not_know_it(adapter_world: Any) -> None:
    adapter_world.allow(adapter_world.home.account, "pull-only", *PULL)
    adapter_world.create_repository(adapter_world.home, "team-a/api")
    token = adapter_world.logins.fetch(adapter_world.home, "pull-only")

    assert not adapter_world.logins.may_pull(replace(token, password=SecretText("another")))


def test_one_repository_is_enough_to_pull_from_and_is_the_one_to_push_to(adapter_world: Any) -> None:
    adapter_world.allow(adapter_world.home.account, "narrow", *TOKEN)
    for name in ("team-a/api", "team-b/api"):
        adapter_world.create_repository(adapter_world.home, name)
    adapter_world.let_into(adapter_world.home, "team-b/api", "narrow", *PULL[1:])
    token = adapter_world.logins.fetch(adapter_world.home, "narrow")
    assert adapter_world.logins.may_pull(token)
    assert not adapter_world.logins.may_push(token)

    adapter_world.let_into(adapter_world.home, "team-b/api", "narrow", *PULL[1:], *PUSH)

    assert adapter_world.logins.may_push(token)


def test_a_role_passes_when_it_may_do_harm_without_an_upload_since_that_is_not_tried(adapter_world: Any) -> None:
    adapter_world.create_repository(adapter_world.home, "team-a/api")
    adapter_world.push(adapter_world.home, "team-a/api")
    adapter_world.allow(
        adapter_world.home.account, "a-role", *PULL, "ecr:PutImage", "ecr:BatchDeleteImage", "ecr:DeleteRepository"
    )

    token = adapter_world.logins.fetch(adapter_world.home, "a-role")

    assert (adapter_world.logins.may_pull(token), adapter_world.logins.may_push(token)) == (True, False)


def test_an_upload_that_was_accepted_is_cancelled_at_once(adapter_world: Any) -> None:
    adapter_world.allow(adapter_world.home.account, "ci", *PULL, *PUSH)
    adapter_world.create_repository(adapter_world.home, "team-a/api")

    adapter_world.logins.may_push(adapter_world.logins.fetch(adapter_world.home, "ci"))

    assert asked_as(adapter_world, "ci")[-2:] == [("InitiateLayerUpload", 202), ("CancelLayerUpload", 204)]


def test_no_login_is_fetched_when_the_role_may_not_even_log_in(adapter_world: Any) -> None:
    adapter_world.allow(adapter_world.home.account, "nobody", "ecr:BatchGetImage")

    with pytest.raises(AccessDeniedError, match="ecr:GetAuthorizationToken on 111122223333/us-east-1 as nobody"):
        adapter_world.logins.fetch(adapter_world.home, "nobody")
