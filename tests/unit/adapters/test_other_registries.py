"""Which registries beside ECR may be copied to, and by which login."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.docker_logins import LoginsError, keys_of, login_at, read_logins
from ecr_steward.adapters.other_registries import OtherRegistries
from ecr_steward.adapters.token_servers import IdentityToken, Password
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.names import DOCKER_HUB, ImageTag, OtherRepository, hosts_in
from ecr_steward.errors import (
    AccessDeniedError,
    RefusedByRegistryError,
    RegistryNotAllowedError,
    RegistryUnavailableError,
)

SECRET = "ecr-steward/elsewhere"
TAG = ImageTag("1.0.0")
BASIC = b64encode(b"ann:s3cret").decode()


@pytest.fixture
def secret(clients: AwsClients) -> Iterator[Stubber]:
    """The answers of Secrets Manager; all of them must be asked for."""
    with Stubber(clients.secretsmanager) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def others(clients: AwsClients, transport: Transport) -> OtherRegistries:
    return OtherRegistries(clients, transport)


def holding(secret: Stubber, **value: Any) -> None:
    secret.add_response("get_secret_value", value, {"SecretId": SECRET})


@pytest.fixture
def repository(server: Any, reply_with: Callable[..., Any]) -> OtherRepository:
    """A repository of a server that wants a password: the secret's login is for it."""

    def answer(request: Any) -> None:
        if "Authorization" in request.headers:
            reply_with(404)(request)
        else:
            reply_with(401, headers={"WWW-Authenticate": 'Basic realm="here"'})(request)

    server.on("HEAD", f"/v2/team/api/manifests/{TAG}", answer)
    return OtherRepository(server.url.removeprefix("http://"), "team/api", SECRET)


def test_nothing_is_asked_of_a_registry_that_is_not_allowed(clients: AwsClients, transport: Transport) -> None:
    others = OtherRegistries(clients, transport, {"ghcr.io": None})

    with pytest.raises(RegistryNotAllowedError, match=r"quay\.io is a registry .* parameter OtherRegistries"):
        others.store(OtherRepository("quay.io", "team/api"))


@pytest.mark.parametrize("host", ["ghcr.io.evil.example", "xghcr.io", "ghcr.io:444"])
def test_a_host_that_only_looks_like_an_allowed_one_is_not_allowed(
    clients: AwsClients, transport: Transport, host: str
) -> None:
    with pytest.raises(RegistryNotAllowedError):
        OtherRegistries(clients, transport, {"ghcr.io": None}).store(OtherRepository(host, "team/api"))


def held_as(text: str) -> dict[str, Any]:
    return {"SecretString": text}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (held_as("hunter2"), "the secret ecr-steward/elsewhere is no JSON"),
        (held_as("[]"), "is no JSON object"),
        ({"SecretBinary": b"hunter2"}, "is no JSON"),
        (held_as("{}"), "has no login for"),
        (held_as(json.dumps({"auths": ["hunter2"]})), "has no login for"),
        (held_as(json.dumps({"auths": {"quay.io": {"auth": BASIC}}})), "has no login for"),
    ],
)
def test_what_is_wrong_with_a_secret_is_told_without_what_it_holds(
    others: OtherRegistries, secret: Stubber, repository: OtherRepository, value: dict[str, Any], told: str
) -> None:
    holding(secret, **value)

    with pytest.raises(AccessDeniedError, match=told) as error:
        others.store(repository).digest_of(TAG)

    assert "hunter2" not in str(error.value)
    assert BASIC not in str(error.value)


def test_a_secret_that_is_not_there_is_told(
    others: OtherRegistries, secret: Stubber, repository: OtherRepository
) -> None:
    secret.add_client_error("get_secret_value", "ResourceNotFoundException")

    with pytest.raises(AccessDeniedError, match="the secret ecr-steward/elsewhere is not there"):
        others.store(repository).digest_of(TAG)


def test_a_login_is_read_when_the_registry_asks_for_one_and_only_then(
    others: OtherRegistries, server: Any, secret: Stubber, repository: OtherRepository
) -> None:
    store = others.store(repository)
    holding(secret, **held_as(json.dumps({"auths": {repository.host: {"auth": BASIC}}})))

    assert store.digest_of(TAG) is None
    assert store.digest_of(TAG) is None

    assert server.logins == [f"Basic {BASIC}"] * 2


def test_tokens_come_from_the_server_that_the_deployment_names(
    clients: AwsClients, transport: Transport, server: Any, reply_with: Callable[..., Any]
) -> None:
    host = server.url.removeprefix("http://")
    bearer = {"WWW-Authenticate": 'Bearer realm="https://127.0.0.1:1/token",service="here"'}
    server.on("HEAD", f"/v2/team/api/manifests/{TAG}", reply_with(401, headers=bearer))
    here = OtherRepository(host, "team/api")

    with pytest.raises(RefusedByRegistryError, match="parameter OtherRegistries"):
        OtherRegistries(clients, transport, {host: None}).store(here).digest_of(TAG)
    with pytest.raises(RegistryUnavailableError, match=r"https://127\.0\.0\.1:1/token"):
        OtherRegistries(clients, transport, hosts_in(f"ghcr.io,{host}=127.0.0.1:1")).store(here).digest_of(TAG)


@pytest.mark.parametrize(
    ("entry", "login"),
    [
        ({"auth": BASIC}, Password("ann", "s3cret")),
        ({"identitytoken": "eyJ"}, IdentityToken("eyJ")),
        ({"auth": b64encode(b"00000000-0000:").decode(), "identitytoken": "eyJ"}, IdentityToken("eyJ")),
        ({}, None),
        ("hunter2", None),
        (None, None),
    ],
)
def test_a_login_is_read_as_docker_writes_it(entry: Any, login: object) -> None:
    assert login_at({"auths": {"ghcr.io": entry}}, "ghcr.io", "config.json") == login


@pytest.mark.parametrize("auth", ["!", b64encode(b"no colon").decode(), 7, "\udcff"])
def test_a_login_that_is_no_user_and_password_is_refused(auth: object) -> None:
    with pytest.raises(LoginsError, match=r"config\.json: the login for ghcr.io is no user and password"):
        login_at({"auths": {"ghcr.io": {"auth": auth}}}, "ghcr.io", "config.json")


def test_a_document_nested_without_end_is_no_document() -> None:
    with pytest.raises(LoginsError):
        read_logins("[" * 100_000, "config.json")


def test_docker_hub_is_where_docker_keeps_its_login() -> None:
    assert keys_of(DOCKER_HUB) == ("https://index.docker.io/v1/", "docker.io")
    assert keys_of("ghcr.io") == ("ghcr.io", "https://ghcr.io")
