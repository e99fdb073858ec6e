"""Whom a registry is spoken to as: ourselves at home, a role in another account. Over HTTP, signed by botocore."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.connected_accounts import NamedAccounts
from ecr_steward.adapters.ecr_registry import EcrRegistry
from ecr_steward.adapters.roles import Accounts
from ecr_steward.adapters.session_policies import session_policy
from ecr_steward.domain.names import RegistryRef
from ecr_steward.errors import (
    AccountNotConnectedError,
    RegistryUnavailableError,
    RoleNotAssumableError,
    StewardError,
    ThrottledError,
)
from tests.given.aws import clients as clients_of

HUB, TWO, STRANGER = "111122223333", "222233334444", "333344445555"
HOME, THERE = RegistryRef(HUB, "us-east-1"), RegistryRef(TWO, "us-east-1")
ROLE = f"arn:aws:iam::{TWO}:role/ecr-steward-spoke"
POLICY = session_policy("reconcile_registry")
ACCOUNTS = Accounts(
    HUB, NamedAccounts(frozenset({TWO})), "ecr-steward-spoke", "the-external-id", "reconcile_registry", POLICY
)
ANSWERS = {
    "repositories": [],
    "authorizationData": [{"authorizationToken": "QVdTOnRva2Vu", "expiresAt": 1.8e9, "proxyEndpoint": "https://ecr"}],
}
"""To whatever ECR is asked here."""


class Aws:
    """The servers behind STS and ECR, and what they were asked."""

    def __init__(self, sts: Any, ecr: Any, reply: Callable[..., Any]) -> None:
        self._sts, self._ecr, self._reply = sts, ecr, reply
        ecr.on("POST", "/", reply(200, json.dumps(ANSWERS).encode(), {"Content-Type": "application/x-amz-json-1.1"}))

    @property
    def environment(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL_STS": self._sts.url, "AWS_ENDPOINT_URL_ECR": self._ecr.url}

    def lets_in(self, key: str, minutes: float = 60) -> None:
        """STS answers with a session that lasts so long; the last such answer is for ever."""
        ends = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
        credentials = (
            f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
            f"<SessionToken>token</SessionToken><Expiration>{ends}</Expiration></Credentials>"
        )
        self._on_assume_role(200, f"<AssumeRoleResult>{credentials}</AssumeRoleResult>")

    def refuses(self, status: int, code: str) -> None:
        self._on_assume_role(status, f"<Error><Code>{code}</Code><Message>not now</Message></Error>")

    def _on_assume_role(self, status: int, content: str) -> None:
        element = "AssumeRoleResponse" if status == 200 else "ErrorResponse"
        body = f'<{element} xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{content}</{element}>'
        self._sts.on("POST", "/", self._reply(status, body.encode(), {"Content-Type": "text/xml"}))

    @property
    def assumed(self) -> list[dict[str, str]]:
        """What each AssumeRole asked for."""
        asked = [parse_qs(request.body.decode()) for request in self._sts.received]
        wanted = ("RoleArn", "ExternalId", "RoleSessionName", "Policy")
        return [{name: values[0] for name, values in each.items() if name in wanted} for each in asked]

    @property
    def callers(self) -> list[str]:
        """The access key that each request to ECR was signed with."""
        signed = [re.search(r"Credential=([^/]+)/", request.headers["authorization"]) for request in self._ecr.received]
        return [found[1] for found in signed if found]


@pytest.fixture
def aws(new_server: Callable[[], Any], reply_with: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Aws:
    aws = Aws(new_server(), new_server(), reply_with)
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    return aws


@pytest.fixture
def clients() -> AwsClients:
    return clients_of("OURS", accounts=ACCOUNTS)


def test_own_registry_is_spoken_to_as_ourselves_when_asked(aws: Aws, clients: AwsClients) -> None:
    list(EcrRegistry(clients).repositories(HOME))

    assert aws.callers == ["OURS"]
    assert aws.assumed == []


def test_registry_of_a_connected_account_is_spoken_to_as_its_role_when_asked(aws: Aws, clients: AwsClients) -> None:
    aws.lets_in("SPOKE")

    list(EcrRegistry(clients).repositories(THERE))

    assert aws.callers == ["SPOKE"]
    said = {"ExternalId": "the-external-id", "RoleSessionName": "reconcile_registry", "Policy": POLICY}
    assert aws.assumed == [{"RoleArn": ROLE, **said}]


def test_the_role_of_a_connected_account_has_all_its_rights_when_no_policy_is_set(aws: Aws) -> None:
    aws.lets_in("SPOKE")

    list(EcrRegistry(clients_of("OURS", accounts=replace(ACCOUNTS, session_policy=None))).repositories(THERE))

    assert "Policy" not in aws.assumed[0]


def test_one_session_serves_all_regions_and_threads_when_a_role_is_assumed(aws: Aws, clients: AwsClients) -> None:
    aws.lets_in("SPOKE")
    regions = [RegistryRef(TWO, region) for region in ("us-east-1", "eu-west-1")] * 4

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(clients.ecr, regions))

    assert len(aws.assumed) == 1
    assert len(set(map(id, found))) == 2


def test_the_error_says_what_to_do_when_an_account_is_not_connected(aws: Aws, clients: AwsClients) -> None:
    with pytest.raises(AccountNotConnectedError, match=f"{STRANGER} is not connected.*SpokeAccounts"):
        clients.ecr(RegistryRef(STRANGER, "us-east-1"))

    assert aws.assumed == []


def test_the_error_names_role_and_account_when_the_role_cannot_be_assumed(aws: Aws, clients: AwsClients) -> None:
    aws.refuses(403, "AccessDenied")

    with pytest.raises(RoleNotAssumableError, match=rf"account {TWO} .*{ROLE}.*spoke\.yaml.*AccessDenied.*not now"):
        list(EcrRegistry(clients).repositories(THERE))

    assert aws.callers == []


def test_a_role_is_tried_again_when_it_could_not_be_assumed_before(aws: Aws, clients: AwsClients) -> None:
    aws.refuses(403, "AccessDenied")
    aws.lets_in("SPOKE")
    with pytest.raises(RoleNotAssumableError):
        clients.ecr(THERE)

    list(EcrRegistry(clients).repositories(THERE))

    assert aws.callers == ["SPOKE"]


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        pytest.param(503, "ServiceUnavailable", RegistryUnavailableError, id="unavailable"),
        pytest.param(400, "Throttling", ThrottledError, id="throttled"),
        pytest.param(403, "ExpiredToken", RegistryUnavailableError, id="our-own-session-has-ended"),
    ],
)
def test_the_error_is_retryable_when_sts_is_in_passing_trouble(
    aws: Aws, clients: AwsClients, status: int, code: str, error: type[StewardError]
) -> None:
    aws.refuses(status, code)

    with pytest.raises(error, match="sts:AssumeRole"):
        clients.ecr(THERE)


def test_a_session_is_renewed_when_it_is_about_to_end(aws: Aws, clients: AwsClients) -> None:
    aws.lets_in("FIRST", minutes=5)
    aws.lets_in("SECOND")
    registry = EcrRegistry(clients)

    list(registry.repositories(THERE))
    list(registry.repositories(THERE))

    assert aws.callers == ["SECOND", "SECOND"]
    assert [each["Policy"] for each in aws.assumed] == [POLICY, POLICY]


def test_the_error_is_the_same_when_a_role_no_longer_lets_us_renew_its_session(aws: Aws, clients: AwsClients) -> None:
    aws.lets_in("FIRST", minutes=5)
    aws.refuses(403, "AccessDenied")

    with pytest.raises(RoleNotAssumableError, match=ROLE):
        list(EcrRegistry(clients).repositories(THERE))

    assert aws.callers == []


@pytest.mark.parametrize(
    ("registry", "arn", "external_id"),
    [
        (HOME, f"arn:aws:iam::{HUB}:role/pull-only", None),
        (THERE, f"arn:aws:iam::{TWO}:role/pull-only", "the-external-id"),
    ],
    ids=["at-home", "in-a-connected-account"],
)
def test_a_login_is_fetched_as_the_role_that_is_named(
    aws: Aws, clients: AwsClients, registry: RegistryRef, arn: str, external_id: str | None
) -> None:
    aws.lets_in("PULLER")

    answer = clients.ecr(registry, "pull-only").get_authorization_token()

    assert answer["authorizationData"][0]["authorizationToken"] == "QVdTOnRva2Vu"
    assert aws.callers == ["PULLER"]
    assert aws.assumed[0]["RoleArn"] == arn
    assert aws.assumed[0].get("ExternalId") == external_id
    assert "Policy" not in aws.assumed[0]  # the login may do what its role may


def test_the_arn_of_a_role_is_of_the_registrys_partition_when_that_is_another(clients: AwsClients) -> None:
    role = ACCOUNTS.role_for(RegistryRef(TWO, "cn-north-1"))

    assert role is not None
    assert role.arn == f"arn:aws-cn:iam::{TWO}:role/ecr-steward-spoke"
