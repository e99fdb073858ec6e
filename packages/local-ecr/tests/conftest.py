"""A server with an ECR of its own for every test, a boto3 client for one face of it and plain HTTP for the other."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config

from lab.runs import (  # noqa: F401
    pytest_collection,
    pytest_collection_modifyitems,
    pytest_make_parametrize_id,
    pytest_runtest_makereport,
)
from local_ecr import LocalEcr, LocalEcrServer

ACCOUNT = "111122223333"
REGION = "us-east-1"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"

Make = Callable[..., "Stand"]


def as_json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()


@dataclass
class Clock:
    """Real time, moved by as much as a test says."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Distribution:
    """The /v2/ face of one repository, spoken to by hand."""

    http: urllib3.PoolManager
    url: str
    token: str
    repository_name: str = "team/app"

    @staticmethod
    def digest_of(data: bytes) -> str:
        return f"sha256:{hashlib.sha256(data).hexdigest()}"

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
        redirect: bool = True,
    ) -> urllib3.BaseHTTPResponse:
        """`path` is below the repository unless it begins with a slash; an empty `token` sends none."""
        target = path if path.startswith("/") else f"/v2/{self.repository_name}/{path}"
        url = path if path.startswith(f"{self.url}/v2/") else self.url + target
        token = self.token if token is None else token
        authorization = {"Authorization": f"Basic {token}"} if token else {}
        return self.http.request(
            method, url, body=body, headers={**authorization, **(headers or {})}, redirect=redirect
        )

    def push_blob(self, data: bytes) -> str:
        digest = self.digest_of(data)
        begun = self.send("POST", "blobs/uploads/")
        assert begun.status == 202, begun.data
        done = self.send("PUT", f"{begun.headers['Location']}?digest={digest}", body=data)
        assert done.status == 201, done.data
        return digest

    def refer_to(self, digest: str) -> str:
        """Push an image that is made of this blob alone, so that the blob may be read; the image's digest."""
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": digest, "size": 0},
            "layers": [],
        }
        image_digest = self.digest_of(as_json(document))
        pushed = self.push_manifest(image_digest, document)
        assert pushed.status == 201, pushed.data
        return image_digest

    def push_manifest(
        self, reference: str, document: Mapping[str, Any] | bytes, media_type: str = OCI_MANIFEST
    ) -> urllib3.BaseHTTPResponse:
        body = document if isinstance(document, bytes) else as_json(document)
        return self.send("PUT", f"manifests/{reference}", body=body, headers={"Content-Type": media_type})

    def image(self, text: str, **members: Any) -> dict[str, Any]:
        """A manifest of one layer that holds `text`; its blobs are pushed, it is not."""
        layer, config = text.encode(), as_json({"architecture": "amd64", "os": "linux", "history": text})
        return {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": self.push_blob(config), "size": len(config)},
            "layers": [{"mediaType": OCI_LAYER, "digest": self.push_blob(layer), "size": len(layer)}],
            **members,
        }

    def push_image(self, text: str, image_tag: str | None = None, **members: Any) -> str:
        """Push such an image and return its digest."""
        manifest = self.image(text, **members)
        digest = self.digest_of(as_json(manifest))
        pushed = self.push_manifest(image_tag or digest, manifest)
        assert pushed.status == 201, pushed.data
        return digest

    def push_index(self, image_tag: str, digests: Sequence[str]) -> str:
        manifests = [{"mediaType": OCI_MANIFEST, "digest": digest, "size": 400} for digest in digests]
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
        pushed = self.push_manifest(image_tag, index, OCI_INDEX)
        assert pushed.status == 201, pushed.data
        return self.digest_of(as_json(index))


class LentServer:
    """One running server of a process, and the clients of its ports, for one ECR after another.

    To start a server and to make a client takes longer than most tests; an ECR on an empty folder does not.
    """

    def __init__(self, folder: Path) -> None:
        self._server = LocalEcrServer(LocalEcr(folder), app=self)
        self._home = self._server.ecr
        self.clients: dict[tuple[str, str], Any] = {}
        self._server.start()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._server.ecr.app(scope, receive, send)

    @property
    def is_free(self) -> bool:
        return self._server.ecr is self._home

    @property
    def ecr(self) -> LocalEcr:
        return self._server.ecr

    @property
    def endpoint_url(self) -> str:
        return self._server.endpoint_url

    def registry_url(self, account: str, region: str) -> str:
        return self._server.registry_url(account, region)

    def lend(self, ecr: LocalEcr) -> None:
        ecr.registries_ports.update(self._home.registries_ports)
        ecr.layers_port = self._home.layers_port
        self._server.ecr = ecr

    def stop(self) -> None:
        """Give it back: the ECR is closed, as by a server that ends."""
        if not self.is_free:
            self.ecr.close()
            self._server.ecr = self._home

    def end(self) -> None:
        self._server.stop()


@dataclass
class Stand:
    """A running server and what it told."""

    server: LocalEcrServer | LentServer
    data: Path
    clock: Clock
    events: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def ecr(self) -> LocalEcr:
        return self.server.ecr

    def trust(self, account: str, *actions: str, repository_name: str = "team/app") -> None:
        """Let another account do this with a repository of ours, as far as its own policies do."""
        statement = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": list(actions)}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.client().set_repository_policy(repositoryName=repository_name, policyText=policy)

    def client(self, region: str = REGION, account: str = ACCOUNT) -> Any:
        """The one for this region and account, made when first asked for."""
        if (region, account) not in self._clients:
            self._clients[region, account] = boto3.client(
                "ecr",
                region_name=region,
                endpoint_url=self.server.endpoint_url,
                aws_access_key_id=account,
                aws_secret_access_key="not-verified",
                config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20),
            )
        return self._clients[region, account]

    def token(self, region: str = REGION, account: str = ACCOUNT) -> str:
        data = self.client(region, account).get_authorization_token()["authorizationData"]
        token: str = data[0]["authorizationToken"]
        return token

    def distribution(self, region: str = REGION, repository_name: str = "team/app") -> Distribution:
        http = urllib3.PoolManager(retries=urllib3.Retry(connect=0, read=0, redirect=2), timeout=20)
        return Distribution(http, self.server.registry_url(ACCOUNT, region), self.token(region), repository_name)

    def image_actions(self) -> list[tuple[str, str, str | None]]:
        """(action, digest, tag) of the ECR Image Action events so far."""
        found = [event["detail"] for _, _, event in self.events if event["detail-type"] == "ECR Image Action"]
        return [(one["action-type"], one["image-digest"], one.get("image-tag")) for one in found]

    def api_calls(self) -> list[dict[str, Any]]:
        name = "AWS API Call via CloudTrail"
        return [event["detail"] for _, _, event in self.events if event["detail-type"] == name]


def start(
    folder: Path,
    on_event: Callable[..., None] | None = None,
    lent: LentServer | None = None,
    clock: Clock | None = None,
    **options: Any,
) -> Stand:
    """A server of its own unless there is one to borrow."""
    clock, events = clock or Clock(), []
    ecr = LocalEcr(folder, clock=clock, on_event=on_event or (lambda *event: events.append(event)), **options)
    if lent is not None and lent.is_free:
        lent.lend(ecr)
        return Stand(lent, folder, clock, events, lent.clients)
    server = LocalEcrServer(ecr)
    server.start()
    return Stand(server, folder, clock, events)


@pytest.fixture(scope="session")
def lent_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LentServer]:
    server = LentServer(tmp_path_factory.mktemp("lent") / "ecr")
    yield server
    server.end()


@pytest.fixture
def make_stand(tmp_path: Path, lent_server: LentServer) -> Iterator[Make]:
    """An ECR of the test's own behind a running server, with options of LocalEcr when asked."""
    running: list[Stand] = []

    def make(data: Path | None = None, **options: Any) -> Stand:
        running.append(start(data or tmp_path / "ecr", lent=lent_server, **options))
        return running[-1]

    yield make
    for stand in running:
        stand.server.stop()


@pytest.fixture(scope="session")
def shared_stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """One server for all tests that ask for nothing that lasts."""
    stand = start(tmp_path_factory.mktemp("shared") / "ecr")
    yield stand
    stand.server.stop()


@pytest.fixture
def stand(make_stand: Make) -> Stand:
    return make_stand()


@pytest.fixture
def ecr(stand: Stand) -> Any:
    """A boto3 client for us-east-1."""
    return stand.client()


@pytest.fixture
def team_app(stand: Stand, ecr: Any) -> Distribution:
    """The repository team/app, there and empty."""
    ecr.create_repository(repositoryName="team/app")
    return stand.distribution()
