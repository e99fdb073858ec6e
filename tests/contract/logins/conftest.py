"""Worlds for the contract of ``Logins``: the fake's, and the adapter's over a local ECR that judges rights.

With STEWARD_TEST_AWS=1 also the adapter's in a real account, whose IAM gets roles for as long as a test takes.
"""

import contextlib
import io
import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from ecr_steward.adapters.clients import AwsClients, new_session
from ecr_steward.adapters.connected_accounts import NamedAccounts
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of, parse_manifest
from ecr_steward.adapters.memory import InMemoryLogins, InMemoryRole
from ecr_steward.adapters.patience import PATIENT
from ecr_steward.adapters.role_logins import RoleLogins
from ecr_steward.adapters.roles import Accounts
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest
from ecr_steward.domain.names import RegistryRef, image_tag
from ecr_steward.errors import StewardError
from ecr_steward.ports.credentials import Logins
from local_ecr import Credential, LocalEcr, LocalEcrServer, Policy, Principal
from tests.given import aws

HUB, SPOKE = "111122223333", "222233334444"
OWN_ROLE = "ecr-steward-RefreshCredentialsFunctionRole-1A2B3C"
TOKEN = ["ecr:GetAuthorizationToken"]
PULL = [*TOKEN, "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
LIST = ["ecr:DescribeRepositories", "ecr:ListImages"]
OCI_CONFIG, OCI_LAYER = "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar"
ROLES = ("pull-only", "ci", "nobody")
SEEN_WITHIN = 60.0  # seconds until all of AWS knows of a new role


class World(Protocol):
    """Two connected accounts with empty registries. ``pull-only`` is a word for a role of another name."""

    @property
    def logins(self) -> Logins: ...
    @property
    def home(self) -> RegistryRef:
        """A registry of our own account."""
        ...

    @property
    def there(self) -> RegistryRef:
        """One of another account."""
        ...

    @property
    def own_role(self) -> str:
        """Whose session we are."""
        ...

    def allow(self, account: str, role: str, *actions: str) -> None:
        """Have a role that we may assume, with these actions."""
        ...


class LocalWorld:
    home, there = RegistryRef(HUB, "us-east-1"), RegistryRef(SPOKE, "us-east-1")
    own_role = OWN_ROLE


class FakeWorld(LocalWorld):
    def __init__(self) -> None:
        self.logins = InMemoryLogins(lambda: datetime.now(UTC))
        self.logins.own_role = (HUB, OWN_ROLE)
        self.logins.roles = {(account, "another-role"): InMemoryRole() for account in (HUB, SPOKE)}

    def allow(self, account: str, role: str, *actions: str) -> None:
        self.logins.roles[account, role] = InMemoryRole(set(PULL) <= set(actions), "ecr:InitiateLayerUpload" in actions)


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


class EcrWorld(LocalWorld):
    """A local ECR and an STS. Ourselves, and our role in the other account, may only list."""

    def __init__(self, folder: Path, transport: Transport) -> None:
        self._roles: dict[str, list[str]] = {}
        ecr = LocalEcr(folder, principal_of=self._principal_of, identities=self._policies_of)
        self.server = LocalEcrServer(ecr, [(account, "us-east-1") for account in (HUB, SPOKE)])
        session = aws.session(f"{HUB}.{OWN_ROLE}")
        session.register("before-send.sts", Sts(self._roles))
        accounts = Accounts(HUB, NamedAccounts(frozenset({SPOKE})), "ecr-steward-spoke", "the-external-id")
        self._clients = AwsClients(aws.ONE_TRY, accounts, session)
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


class AwsWorld:
    """One real account. Its roles have rights in repositories of our own only, and are gone with the test."""

    def __init__(self, account: str, region: str, transport: Transport) -> None:
        self.home = RegistryRef(account, region)
        self.prefix = f"ecr-steward-test-{uuid.uuid4().hex[:8]}"
        self._names = {role: f"{self.prefix}-{role}" for role in ROLES}
        self._made: list[str] = []
        self._clients = AwsClients(accounts=Accounts(account), session=new_session(region))
        self._iam: Any = boto3.client("iam", region_name=region)
        self.logins = RoleLogins(self._clients, self._names, transport)

    @property
    def there(self) -> RegistryRef:
        pytest.skip("it would take a second account, with roles that trust the first")

    @property
    def own_role(self) -> str:
        kind, name, *_ = self._clients.sts.get_caller_identity()["Arn"].split(":")[5].split("/")
        if kind != "assumed-role":
            pytest.skip("whoever runs this is no role")
        return name

    def allow(self, account: str, role: str, *actions: str) -> None:
        name = self._names[role]
        trust = _policy({"Action": "sts:AssumeRole", "Principal": {"AWS": account}})
        self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        self._made.append(name)
        ours = f"arn:aws:ecr:*:{account}:repository/{self.prefix}/*"
        rights = _policy({"Action": TOKEN, "Resource": "*"}, {"Action": list(actions), "Resource": ours})
        self._iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=rights)
        self._wait_for(role)

    def _wait_for(self, role: str) -> None:
        deadline = time.monotonic() + SEEN_WITHIN
        while True:
            try:
                self.logins.fetch(self.home, role)
            except StewardError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(2)
            else:
                return

    def remove_roles(self) -> None:
        for name in self._made:
            with contextlib.suppress(self._iam.exceptions.NoSuchEntityException):
                self._iam.delete_role_policy(RoleName=name, PolicyName="test")
            self._iam.delete_role(RoleName=name)


def _policy(*statements: dict[str, Any]) -> str:
    allowed = [{"Effect": "Allow", **statement} for statement in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": allowed})


@pytest.fixture
def adapter_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EcrWorld]:
    transport = Transport(retries=PATIENT.new(total=0))
    world = EcrWorld(tmp_path, transport)
    with world.server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", world.server.endpoint_url)
        yield world
        transport.close()


@pytest.fixture
def fake_world() -> World:
    return FakeWorld()


@pytest.fixture
def aws_world(real_account: str, region: str, remove_repositories: Callable[[Any, str], None]) -> Iterator[World]:
    transport = Transport()
    world = AwsWorld(real_account, region, transport)
    ecr = boto3.client("ecr", region_name=region)
    ecr.create_repository(repositoryName=f"{world.prefix}/app")
    yield world
    world.remove_roles()
    remove_repositories(ecr, world.prefix)
    transport.close()


def _document(media_type: str, **members: object) -> Manifest:
    return parse_manifest(json.dumps({"schemaVersion": 2, "mediaType": media_type, **members}).encode(), media_type)
