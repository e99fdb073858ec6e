"""Two accounts, a role in each, and policies that a test may change at any time."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config

from local_ecr import Credential, LocalEcr, LocalEcrServer, Policy, Principal, account_principal
from local_ecr.iam import Identity

OWNER, VISITOR = "111122223333", "444455556666"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def principal_of(credential: Credential) -> Principal:
    """The keys "owner-ci" and "visitor-ci" are sessions of the role /build/ci of an account, any other is a root."""
    account = {"owner": OWNER, "visitor": VISITOR}.get(credential.access_key_id.partition("-")[0])
    if account is None:
        return account_principal(credential)
    session = f"arn:aws:sts::{account}:assumed-role/ci/run-1"
    return Principal(account, session, credential.access_key_id, path="/build/")


@dataclass
class Town:
    """A server whose repository team/app is the owner's, with one image that has the tag 1.0."""

    server: LocalEcrServer
    identities: dict[str, Identity | tuple[Policy, ...] | None]
    """A role, or its policies alone, by its account; None: it was deleted."""
    events: list[tuple[str, str, dict[str, Any]]]
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=20))
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    arn = f"arn:aws:ecr:us-east-1:{OWNER}:repository/team/app"
    role_arn = "arn:aws:iam::{account}:role/build/ci"
    session_arn = "arn:aws:sts::{account}:assumed-role/ci/run-1"

    @staticmethod
    def digest_of(data: bytes) -> str:
        return f"sha256:{hashlib.sha256(data).hexdigest()}"

    @property
    def ecr(self) -> LocalEcr:
        return self.server.ecr

    def client(self, key: str = OWNER) -> Any:
        """The JSON API, spoken to with this access key."""
        return self.client_in("us-east-1", key)

    def client_in(self, region: str, key: str) -> Any:
        """The same in another region."""
        if (region, key) not in self.clients:
            self.clients[region, key] = boto3.client(
                "ecr",
                region_name=region,
                endpoint_url=self.server.endpoint_url,
                aws_access_key_id=key,
                aws_secret_access_key="not-verified",
                config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20),
            )
        return self.clients[region, key]

    def may(self, account: str, *statements: dict[str, Any], name: str = "Build") -> None:
        """Give the account's role one policy with these statements."""
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        self.identities[account] = (Policy(name, document),) if statements else ()

    def repository_may(self, *statements: dict[str, Any], repository_name: str = "team/app") -> None:
        """Give the repository this policy, or none."""
        owner = self.client()
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            owner.set_repository_policy(repositoryName=repository_name, policyText=policy, force=True)
        else:
            with suppress(owner.exceptions.RepositoryPolicyNotFoundException):
                owner.delete_repository_policy(repositoryName=repository_name)

    def token(self, key: str) -> str:
        """An authorization token, fetched with the role's own policies set aside."""
        account = OWNER if key.startswith("owner") else VISITOR
        before = self.identities.get(account, ())
        self.may(account, EVERYTHING)
        data = self.client(key).get_authorization_token()["authorizationData"]
        self.identities[account] = before
        return str(data[0]["authorizationToken"])

    def send(self, token: str, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        """A request to the owner's registry; `path` is below team/app unless it begins with a slash."""
        target = path if path.startswith("/") else f"/v2/team/app/{path}"
        url = self.server.registry_url(OWNER, "us-east-1") + target
        return self.http.request(method, url, body=body, headers={"Authorization": f"Basic {token}", **headers})


@contextmanager
def open_town(folder: Path, **options: Any) -> Iterator[Town]:
    """A town whose state is in this folder; `options` are further ones of LocalEcr."""
    identities: dict[str, Identity | tuple[Policy, ...] | None] = {}
    events: list[tuple[str, str, dict[str, Any]]] = []
    ecr = LocalEcr(
        folder,
        principal_of=principal_of,
        identities=lambda principal: identities.get(principal.account, ()),
        on_event=lambda *event: events.append(event),
        organization_id="o-town",
        **options,
    )
    with LocalEcrServer(ecr, [(OWNER, "us-east-1"), (VISITOR, "us-east-1")]) as server:
        town = Town(server, identities, events)
        town.client().create_repository(repositoryName="team/app")
        yield town


@pytest.fixture(scope="module")
def shared_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One server for a module."""
    with open_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture
def town(shared_town: Town) -> Town:
    """The same server, without policies and decisions."""
    shared_town.identities.clear()
    shared_town.repository_may()
    shared_town.ecr.decisions.clear()
    shared_town.events.clear()
    return shared_town
