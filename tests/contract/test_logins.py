"""The contract of ``Logins``: every test runs on the fake, and on the adapter over a local ECR that judges rights."""

import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of, parse_manifest
from ecr_steward.adapters.role_logins import RoleLogins
from ecr_steward.adapters.roles import Accounts
from ecr_steward.adapters.transport import PATIENT, Transport
from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest
from ecr_steward.domain.names import RegistryRef, image_tag
from ecr_steward.errors import (
    AccessDeniedError,
    AccountNotConnectedError,
    CredentialRefusedError,
    RoleNotAssumableError,
)
from ecr_steward.ports.credentials import Logins
from ecr_steward_fakes import FakeLogins, FakeRole
from local_ecr import Credential, LocalEcr, LocalEcrServer, Policy, Principal

HUB, SPOKE, STRANGER = "111122223333", "222233334444", "333344445555"
HOME, THERE = RegistryRef(HUB, "us-east-1"), RegistryRef(SPOKE, "us-east-1")
OWN_ROLE = "ecr-steward-RefreshCredentialsFunctionRole-1A2B3C"
TOKEN = ["ecr:GetAuthorizationToken"]
PULL = [*TOKEN, "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
LIST = ["ecr:DescribeRepositories", "ecr:ListImages"]
OCI_CONFIG, OCI_LAYER = "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar"
PUSH = ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart"]


class World(Protocol):
    """Two connected accounts with empty registries. ``pull-only`` is a word for the role ``the-pull-only-role``."""

    @property
    def logins(self) -> Logins: ...
    def allow(self, account: str, role: str, *actions: str) -> None:
        """Have a role that we may assume, with these actions."""
        ...


class FakeWorld:
    def __init__(self) -> None:
        self.logins = FakeLogins(lambda: datetime.now(UTC))
        self.logins.own_role = (HUB, OWN_ROLE)
        self.logins.roles = {(account, "another-role"): FakeRole() for account in (HUB, SPOKE)}

    def allow(self, account: str, role: str, *actions: str) -> None:
        self.logins.roles[account, role] = FakeRole(set(PULL) <= set(actions), "ecr:InitiateLayerUpload" in actions)


class Sts:
    """Lets ourselves assume each role that there is, with the external id in another account; botocore asks it."""

    def __init__(self, roles: dict[str, list[str]]) -> None:
        self._roles = roles

    def __call__(self, request: Any, **_: object) -> AWSResponse:
        asked = {name: values[0] for name, values in parse_qs(request.body).items()}
        if asked["Action"] == "GetCallerIdentity":
            arn = f"arn:aws:sts::{HUB}:assumed-role/{OWN_ROLE}/refresh_credentials"
            return self._answer(request, 200, "GetCallerIdentity", f"<Arn>{arn}</Arn>")
        arn = asked["RoleArn"]
        is_let_in = arn in self._roles and (f":{HUB}:" in arn or asked.get("ExternalId") == "the-external-id")
        if not is_let_in:
            error = "<Error><Code>AccessDenied</Code><Message>not authorized: sts:AssumeRole</Message></Error>"
            return self._answer(request, 403, "Error", error)
        ends = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        credentials = f"<AccessKeyId>{arn.split(':')[4]}.{arn.rpartition('/')[2]}</AccessKeyId>"
        credentials += (
            f"<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>{ends}</Expiration>"
        )
        return self._answer(request, 200, "AssumeRole", f"<Credentials>{credentials}</Credentials>")

    @staticmethod
    def _answer(request: Any, status: int, name: str, content: str) -> AWSResponse:
        inner = content if status != 200 else f"<{name}Result>{content}</{name}Result>"
        body = f'<{name}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{inner}</{name}Response>'
        raw = io.BytesIO(body.encode())
        raw.stream = lambda **_: iter([raw.read()])  # type: ignore[attr-defined]
        return AWSResponse(request.url, status, {"Content-Type": "text/xml"}, raw)


class EcrWorld:
    """A local ECR and an STS. Ourselves, and our role in the other account, may only list."""

    def __init__(self, folder: Path, transport: Transport) -> None:
        self._roles: dict[str, list[str]] = {}
        ecr = LocalEcr(folder, principal_of=self._principal_of, identities=self._policies_of)
        self.server = LocalEcrServer(ecr, [(account, "us-east-1") for account in (HUB, SPOKE)])
        session = boto3.Session(f"{HUB}.{OWN_ROLE}", "secret", region_name="us-east-1")
        session.events.register("before-send.sts", Sts(self._roles))
        self._clients = AwsClients(
            session,
            Config(retries={"total_max_attempts": 1}),
            Accounts(HUB, frozenset({SPOKE}), "ecr-steward-spoke", "the-external-id"),
        )
        self.logins = RoleLogins(self._clients, {"pull-only": "the-pull-only-role"}, transport)
        self.allow(HUB, OWN_ROLE, *LIST)
        self.allow(SPOKE, "ecr-steward-spoke", *LIST)

    def allow(self, account: str, role: str, *actions: str) -> None:
        name = {"pull-only": "the-pull-only-role"}.get(role, role)
        self._roles[f"arn:aws:iam::{account}:role/{name}"] = list(actions)

    def create_repository(self, registry: RegistryRef, name: str) -> None:
        self._root(registry).create_repository(repositoryName=name)

    def push(self, registry: RegistryRef, repository_name: str) -> Manifest:
        """Somebody who may do everything pushes an index of one image; answers with the image."""
        data = self._root(registry).get_authorization_token()["authorizationData"][0]
        client = DistributionClient(data["proxyEndpoint"], lambda: f"Basic {data['authorizationToken']}")
        blobs = [(media_type, content) for media_type, content in ((OCI_CONFIG, b"{}"), (OCI_LAYER, b"layer"))]
        descriptors = [Descriptor(media_type, digest_of(content), len(content)) for media_type, content in blobs]
        for descriptor, (_, content) in zip(descriptors, blobs, strict=True):
            client.upload_blob(repository_name, [content], descriptor)
        config, layer = ({"mediaType": d.media_type, "digest": d.digest.value, "size": d.size} for d in descriptors)
        image = _document(OCI_MANIFEST, config=config, layers=[layer])
        client.put_manifest(repository_name, image.digest, image.content, OCI_MANIFEST)
        child = {"mediaType": OCI_MANIFEST, "digest": image.digest.value, "size": image.descriptor.size}
        index = _document(OCI_INDEX, manifests=[child])
        client.put_manifest(repository_name, image_tag("1.4.2"), index.content, OCI_INDEX)
        return image

    def _root(self, registry: RegistryRef) -> Any:
        return boto3.client(
            "ecr",
            region_name=registry.region,
            endpoint_url=self.server.endpoint_url,
            aws_access_key_id=registry.account,
            aws_secret_access_key="secret",
        )

    def let_into(self, registry: RegistryRef, repository_name: str, role: str, *actions: str) -> None:
        """Have a repository's policy allow a role these actions."""
        principal = {"AWS": f"arn:aws:iam::{registry.account}:role/{role}"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": list(actions)}
        self._root(registry).set_repository_policy(
            repositoryName=repository_name,
            policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

    def _principal_of(self, credential: Credential) -> Principal:
        account, _, role = credential.access_key_id.partition(".")
        arn = f"arn:aws:sts::{account}:assumed-role/{role}/session" if role else f"arn:aws:iam::{account}:root"
        return Principal(account, arn, credential.access_key_id)

    def _policies_of(self, principal: Principal) -> Sequence[Policy]:
        actions = self._roles.get(principal.role_arn or "", [])
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        return [Policy("role", {"Version": "2012-10-17", "Statement": [statement]})] if actions else []


@pytest.fixture
def adapter_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EcrWorld]:
    transport = Transport(retries=PATIENT.new(total=0))
    world = EcrWorld(tmp_path, transport)
    with world.server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", world.server.endpoint_url)
        yield world
        transport.close()


@pytest.fixture
def aws_world() -> World:
    pytest.skip("it would take two accounts, with roles that trust each other")


@pytest.fixture
def fake_world() -> World:
    return FakeWorld()


# ---------------------------------------------------------------- the contract


@pytest.mark.parametrize("registry", [HOME, THERE], ids=["home", "another account"])
def test_a_login_is_for_its_registry_speaks_as_its_role_and_lasts_twelve_hours(
    world: World, registry: RegistryRef
) -> None:
    world.allow(registry.account, "pull-only", *PULL)

    token = world.logins.fetch(registry, "pull-only")

    assert (token.registry, token.role, token.username) == (registry, "pull-only", "AWS")
    assert token.host
    assert "/" not in token.host
    assert timedelta(hours=11, minutes=59) < token.expires_at - datetime.now(UTC) <= timedelta(hours=12)
    assert token.password.reveal not in repr(token)


def test_a_pull_only_login_may_pull_and_may_not_push(world: World) -> None:
    world.allow(SPOKE, "pull-only", *PULL)

    token = world.logins.fetch(THERE, "pull-only")

    assert world.logins.may_pull(token) is True
    assert world.logins.may_push(token) is False


def test_a_login_may_push_when_its_role_may(world: World) -> None:
    world.allow(HUB, "ci", *PULL, *PUSH)

    token = world.logins.fetch(HOME, "ci")

    assert world.logins.may_pull(token) is True
    assert world.logins.may_push(token) is True


def test_a_login_may_not_pull_when_its_role_has_no_right_but_to_log_in(world: World) -> None:
    world.allow(HUB, "nobody", *TOKEN)

    token = world.logins.fetch(HOME, "nobody")

    assert world.logins.may_pull(token) is False
    assert world.logins.may_push(token) is False


def test_nobody_gets_a_login_that_speaks_as_ourselves(world: World) -> None:
    with pytest.raises(CredentialRefusedError, match=OWN_ROLE):
        world.logins.fetch(HOME, OWN_ROLE)


@pytest.mark.parametrize("registry", [HOME, THERE], ids=["home", "another account"])
def test_a_role_that_is_not_there_cannot_be_assumed(world: World, registry: RegistryRef) -> None:
    with pytest.raises(RoleNotAssumableError, match="no-such-role"):
        world.logins.fetch(registry, "no-such-role")


def test_an_account_that_is_not_connected_is_not_asked(world: World) -> None:
    world.allow(SPOKE, "pull-only", *PULL)

    with pytest.raises(AccountNotConnectedError, match=STRANGER):
        world.logins.fetch(RegistryRef(STRANGER, "us-east-1"), "pull-only")


# ---------------------------------------------------------------- what only the adapter has: a registry to try it at


def asked_as(world: EcrWorld, role: str) -> list[tuple[str, int]]:
    """What was asked of ECR as a role, and how it was answered."""
    requests = world.server.ecr.requests.entries()
    return [(request.operation, request.status) for request in requests if f"/{role}/" in request.principal]


def test_an_image_is_pulled_when_the_registry_holds_one(adapter_world: EcrWorld) -> None:
    adapter_world.allow(SPOKE, "pull-only", *PULL)
    adapter_world.create_repository(THERE, "team-a/api")
    adapter_world.push(THERE, "team-a/api")

    token = adapter_world.logins.fetch(THERE, "pull-only")
    assert adapter_world.logins.may_pull(token)
    assert not adapter_world.logins.may_push(token)

    found = asked_as(adapter_world, "the-pull-only-role")
    assert ("BatchGetImage", 200) in found
    assert [status for operation, status in found if operation == "GetDownloadUrlForLayer"] in ([200], [307])
    assert found[-1] == ("InitiateLayerUpload", 403)


@pytest.mark.parametrize("actions", [PULL[:2], [*TOKEN, PULL[2]]], ids=["no content", "no manifests"])
@pytest.mark.parametrize("is_empty", [False, True], ids=["an image", "no image"])
def test_a_login_may_not_pull_when_its_role_can_read_but_half_of_an_image(
    adapter_world: EcrWorld, actions: list[str], *, is_empty: bool
) -> None:
    adapter_world.allow(HUB, "half", *actions)
    adapter_world.create_repository(HOME, "team-a/api")
    if not is_empty:
        adapter_world.push(HOME, "team-a/api")

    assert not adapter_world.logins.may_pull(adapter_world.logins.fetch(HOME, "half"))


def test_one_repository_is_enough_to_pull_from_and_one_too_many_to_push_to(adapter_world: EcrWorld) -> None:
    adapter_world.allow(HUB, "narrow", *TOKEN)
    for name in ("team-a/api", "team-b/api"):
        adapter_world.create_repository(HOME, name)
    adapter_world.let_into(HOME, "team-b/api", "narrow", *PULL[1:])
    token = adapter_world.logins.fetch(HOME, "narrow")
    assert adapter_world.logins.may_pull(token)
    assert not adapter_world.logins.may_push(token)

    adapter_world.let_into(HOME, "team-b/api", "narrow", *PULL[1:], *PUSH)

    assert adapter_world.logins.may_push(token)


def test_a_role_passes_when_it_may_do_harm_without_an_upload_since_that_is_not_tried(adapter_world: EcrWorld) -> None:
    adapter_world.create_repository(HOME, "team-a/api")
    adapter_world.push(HOME, "team-a/api")
    adapter_world.allow(HUB, "a-role", *PULL, "ecr:PutImage", "ecr:BatchDeleteImage", "ecr:DeleteRepository")

    token = adapter_world.logins.fetch(HOME, "a-role")

    assert (adapter_world.logins.may_pull(token), adapter_world.logins.may_push(token)) == (True, False)


def test_an_upload_that_was_accepted_is_cancelled_at_once(adapter_world: EcrWorld) -> None:
    adapter_world.allow(HUB, "ci", *PULL, *PUSH)
    adapter_world.create_repository(HOME, "team-a/api")

    adapter_world.logins.may_push(adapter_world.logins.fetch(HOME, "ci"))

    assert asked_as(adapter_world, "ci")[-2:] == [("InitiateLayerUpload", 202), ("CancelLayerUpload", 204)]


def test_no_login_is_fetched_when_the_role_may_not_even_log_in(adapter_world: EcrWorld) -> None:
    adapter_world.allow(HUB, "nobody", "ecr:BatchGetImage")

    with pytest.raises(AccessDeniedError, match="ecr:GetAuthorizationToken on 111122223333/us-east-1 as nobody"):
        adapter_world.logins.fetch(HOME, "nobody")


def _document(media_type: str, **members: object) -> Manifest:
    return parse_manifest(json.dumps({"schemaVersion": 2, "mediaType": media_type, **members}).encode(), media_type)
