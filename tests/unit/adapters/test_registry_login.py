"""Logins to registries: how long they are used."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.registry_login import RegistryLogin
from ecr_steward.domain.names import RegistryRef
from ecr_steward.errors import RefusedByRegistryError, ThrottledError
from lab.clock import SettableClock
from tests.given import aws

HOME = RegistryRef("111122223333", "eu-west-1")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOON)


@pytest.fixture
def clients() -> AwsClients:
    return aws.clients(region="eu-west-1")


@pytest.fixture
def stubber(clients: AwsClients) -> Iterator[Stubber]:
    with Stubber(clients.ecr(HOME)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def answer(token: str, issued: datetime) -> dict[str, Any]:
    endpoint = "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com"
    expires_at = issued + timedelta(hours=12)
    return {"authorizationData": [{"authorizationToken": token, "expiresAt": expires_at, "proxyEndpoint": endpoint}]}


def test_a_login_is_kept_for_half_of_its_life_and_replaced_then(
    clients: AwsClients, stubber: Stubber, clock: SettableClock
) -> None:
    stubber.add_response("get_authorization_token", answer("Zmlyc3Q=", NOON), {"registryIds": ["111122223333"]})
    stubber.add_response("get_authorization_token", answer("c2Vjb25k", NOON + timedelta(hours=6)))
    logins = RegistryLogin(clients, clock)

    assert logins.to(HOME).authorization == "Basic Zmlyc3Q="
    assert logins.to(HOME).endpoint == "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com"
    clock.now = NOON + timedelta(hours=5, minutes=59)
    assert logins.to(HOME).authorization == "Basic Zmlyc3Q="
    clock.now = NOON + timedelta(hours=6)
    assert logins.to(HOME).authorization == "Basic c2Vjb25k"


def test_a_login_is_replaced_when_the_registry_did_not_take_it(
    clients: AwsClients, stubber: Stubber, clock: SettableClock
) -> None:
    stubber.add_response("get_authorization_token", answer("Zmlyc3Q=", NOON))
    stubber.add_response("get_authorization_token", answer("c2Vjb25k", NOON))
    logins = RegistryLogin(clients, clock)
    logins.to(HOME)

    logins.renew(HOME)

    assert logins.to(HOME).authorization == "Basic c2Vjb25k"


def test_the_secret_is_not_shown_when_a_login_is_printed(
    clients: AwsClients, stubber: Stubber, clock: SettableClock
) -> None:
    stubber.add_response("get_authorization_token", answer("Y2FuYXJ5", NOON))

    assert "Y2FuYXJ5" not in repr(RegistryLogin(clients, clock).to(HOME))


def test_an_error_is_ours_when_there_is_no_login(clients: AwsClients, stubber: Stubber, clock: SettableClock) -> None:
    stubber.add_client_error("get_authorization_token", "ThrottlingException")
    stubber.add_response("get_authorization_token", {"authorizationData": []})
    logins = RegistryLogin(clients, clock)

    with pytest.raises(ThrottledError, match="ecr:GetAuthorizationToken"):
        logins.to(HOME)
    with pytest.raises(RefusedByRegistryError, match="no login"):
        logins.to(HOME)
