"""The contract of ``Logins``: every test runs on the fake, and on the adapter over a local ECR that judges rights."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_steward.domain.names import RegistryRef
from ecr_steward.errors import AccountNotConnectedError, CredentialRefusedError, RoleNotAssumableError

STRANGER = "333344445555"
TOKEN = ["ecr:GetAuthorizationToken"]
PULL = [*TOKEN, "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
PUSH = ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart"]

everywhere = pytest.mark.parametrize("where", ["home", "there"], ids=["home", "another account"])


@everywhere
def test_a_login_is_for_its_registry_speaks_as_its_role_and_lasts_twelve_hours(world: Any, where: str) -> None:
    registry: RegistryRef = getattr(world, where)
    world.allow(registry.account, "pull-only", *PULL)

    token = world.logins.fetch(registry, "pull-only")

    assert (token.registry, token.role, token.username) == (registry, "pull-only", "AWS")
    assert token.host
    assert "/" not in token.host
    assert timedelta(hours=11, minutes=59) < token.expires_at - datetime.now(UTC) <= timedelta(hours=12)
    assert token.password.reveal not in repr(token)


@everywhere
def test_a_pull_only_login_may_pull_and_may_not_push(world: Any, where: str) -> None:
    registry: RegistryRef = getattr(world, where)
    world.allow(registry.account, "pull-only", *PULL)

    token = world.logins.fetch(registry, "pull-only")

    assert world.logins.may_pull(token) is True
    assert world.logins.may_push(token) is False


def test_a_login_may_push_when_its_role_may(world: Any) -> None:
    world.allow(world.home.account, "ci", *PULL, *PUSH)

    token = world.logins.fetch(world.home, "ci")

    assert world.logins.may_pull(token) is True
    assert world.logins.may_push(token) is True


def test_a_login_may_not_pull_when_its_role_has_no_right_but_to_log_in(world: Any) -> None:
    world.allow(world.home.account, "nobody", *TOKEN)

    token = world.logins.fetch(world.home, "nobody")

    assert world.logins.may_pull(token) is False
    assert world.logins.may_push(token) is False


def test_nobody_gets_a_login_that_speaks_as_ourselves(world: Any) -> None:
    with pytest.raises(CredentialRefusedError, match=world.own_role):
        world.logins.fetch(world.home, world.own_role)


@everywhere
def test_a_role_that_is_not_there_cannot_be_assumed(world: Any, where: str) -> None:
    registry: RegistryRef = getattr(world, where)
    with pytest.raises(RoleNotAssumableError, match="no-such-role"):
        world.logins.fetch(registry, "no-such-role")


def test_an_account_that_is_not_connected_is_not_asked(world: Any) -> None:
    world.allow(world.home.account, "pull-only", *PULL)

    with pytest.raises(AccountNotConnectedError, match=STRANGER):
        world.logins.fetch(RegistryRef(STRANGER, "us-east-1"), "pull-only")
