"""Fixtures for tests that want an Amazon ECR; pytest finds them where local-ecr is installed.

def test_an_image_is_there_when_it_was_pushed(local_ecr):
    local_ecr.client().create_repository(repositoryName="team/app")
    push(f"{local_ecr.registry_host()}/team/app:1.0.0", username="AWS", password=local_ecr.password())
    pushed = [event["detail"] for event in local_ecr.events if event["detail-type"] == "ECR Image Action"]
    assert [detail["image-tag"] for detail in pushed] == ["1.0.0"]
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local_ecr.names import DEFAULT_REGISTRY

if TYPE_CHECKING:
    from local_ecr import LocalEcr, LocalEcrServer, Registry, SeededImages

DEFAULT_ACCOUNT, DEFAULT_REGION = DEFAULT_REGISTRY.account, DEFAULT_REGISTRY.region


@dataclass(repr=False)
class LocalEcrStand:
    """A running ECR: what a client needs to reach it, and what it told."""

    server: LocalEcrServer
    clock: MovableClock
    events: list[dict[str, Any]] = field(default_factory=list)
    """Every EventBridge event of every account and region, oldest first."""

    def __repr__(self) -> str:
        return f"<local ECR at {self.endpoint_url}, events: {len(self.events)}>"

    @property
    def ecr(self) -> LocalEcr:
        """The registries themselves: `decisions`, `requests`, `faults`, `record_scan` and so on."""
        return self.server.ecr

    @property
    def endpoint_url(self) -> str:
        """For AWS_ENDPOINT_URL_ECR."""
        return self.server.endpoint_url

    @property
    def proxy_url(self) -> str:
        """For HTTP_PROXY, and with TLS for HTTPS_PROXY: clients find it at the names that ECR has at AWS."""
        return self.server.proxy_url

    @property
    def ca_file(self) -> Path | None:
        """The certificate authority that clients are to trust; None without TLS."""
        return self.server.ca_file

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables with which boto3 and the AWS CLI reach it as the account's root."""
        trust = {"AWS_CA_BUNDLE": str(self.ca_file)} if self.ca_file else {}
        return trust | {
            "AWS_ENDPOINT_URL_ECR": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": DEFAULT_ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "not-verified",
            "AWS_DEFAULT_REGION": DEFAULT_REGION,
            "AWS_REGION": DEFAULT_REGION,
        }

    def client(
        self, region: str = DEFAULT_REGION, account: str = DEFAULT_ACCOUNT, *, access_key: str | None = None
    ) -> Any:
        """A boto3 client without retries: of an account's root, or of whoever has `access_key` among the identities."""
        import boto3  # noqa: PLC0415 a test that brings its own client need not have it
        from botocore.config import Config  # noqa: PLC0415

        return boto3.client(
            "ecr",
            region_name=region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=access_key or account,
            aws_secret_access_key="not-verified",  # noqa: S106 nobody verifies it
            verify=str(self.ca_file) if self.ca_file else None,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def token(
        self, region: str = DEFAULT_REGION, account: str = DEFAULT_ACCOUNT, *, access_key: str | None = None
    ) -> str:
        """An authorization token of the same, as `Authorization: Basic` takes it."""
        data = self.client(region, account, access_key=access_key).get_authorization_token()["authorizationData"]
        token: str = data[0]["authorizationToken"]
        return token

    def password(
        self, region: str = DEFAULT_REGION, account: str = DEFAULT_ACCOUNT, *, access_key: str | None = None
    ) -> str:
        """The token as docker, skopeo, oras and others take it: the password of the user AWS."""
        return base64.b64decode(self.token(region, account, access_key=access_key)).decode().partition(":")[2]

    def why(self, request_id: str) -> str:
        """Why a request was allowed or refused: each policy that was looked at, and what was missing.

        The id is `ResponseMetadata.RequestId` of a boto3 answer or error. Raises UnknownRequestError.
        """
        return "\n".join(self.ecr.decisions.why(request_id))

    def registry_url(self, region: str = DEFAULT_REGION, account: str = DEFAULT_ACCOUNT) -> str:
        """Where the /v2/ face of a registry is."""
        return self.server.registry_url(account, region)

    def registry_host(self, region: str = DEFAULT_REGION, account: str = DEFAULT_ACCOUNT) -> str:
        """The same without a scheme, as an image's name begins."""
        return self.registry_url(region, account).partition("://")[2]

    def record_scan(self, repository_name: str, digest: str, document: Mapping[str, Any], **registry: str) -> None:
        """Say what a scanner found: `{"type": "BASIC", "status": "COMPLETE", "findings": [...]}`."""
        self.ecr.record_scan(_registry(**registry), repository_name, digest, document)

    def seed(self, repository_names: Iterable[str], images: SeededImages | None = None, **registry: str) -> None:
        """Create repositories with any number of images, as pushes would have left them: see `LocalEcr.seed`."""
        self.ecr.seed(_registry(**registry), repository_names, images)

    def move_clock(self, by: timedelta) -> None:
        """Let so much time pass: tokens end, lifecycle policies run. Only the registry's own time moves.

        Raises ValueError for a time that is not ahead.
        """
        self.clock.move(by)
        self.ecr.run_due()

    def wait_until_idle(self, timeout: float = 30) -> None:
        """Return when nothing is on its way to a replica. Raises TimeoutError."""
        self.ecr.wait_until_idle(timeout)


class MovableClock:
    """Real time, ahead by as much as it was moved."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def move(self, by: timedelta) -> None:
        if by < timedelta():
            raise ValueError(f"the clock only moves forward, not by {by}")
        self._ahead += by


@pytest.fixture(scope="session")
def local_ecr_options() -> dict[str, Any]:
    """Options of LocalEcr, and `registries` and `tls` of its server, for all; override it in a conftest.py.

    `registries` are pairs of account and region. With `tls=True` every URL is of https. `quirks` and `quotas` may
    be written as on the command line, `scans_end_after` in seconds, and `identities` as in the file that is named
    there: see `local_ecr.read_identities`.
    """
    return {}


@pytest.fixture
def local_ecr(tmp_path: Path, local_ecr_options: Mapping[str, Any]) -> Iterator[LocalEcrStand]:
    """An empty Amazon ECR on 127.0.0.1, for one test."""
    from local_ecr import LocalEcr, LocalEcrServer  # noqa: PLC0415 only tests that use it pay for it

    options = _read(local_ecr_options)
    registries = options.pop("registries", [(DEFAULT_ACCOUNT, DEFAULT_REGION), (DEFAULT_ACCOUNT, "eu-west-1")])
    folder = tmp_path / "local-ecr"
    tls = folder / "tls" if options.pop("tls", False) else None
    clock, events = MovableClock(), list[dict[str, Any]]()
    ecr = LocalEcr(folder, clock=clock, on_event=lambda account, region, event: events.append(event), **options)
    with LocalEcrServer(ecr, registries, tls=tls) as server:
        yield LocalEcrStand(server, clock, events)


def _read(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options with what is written as on the command line replaced by what it means there."""
    options = dict(given)
    if isinstance(options.get("quirks"), str):
        from local_ecr import Quirks  # noqa: PLC0415 as above

        options["quirks"] = Quirks.parse(options["quirks"])
    if isinstance(options.get("quotas"), str):
        from local_ecr import Quotas  # noqa: PLC0415 as above

        options["quotas"] = Quotas.parse(options["quotas"])
    if isinstance(options.get("scans_end_after"), int | float):
        options["scans_end_after"] = timedelta(seconds=options["scans_end_after"])
    if isinstance(options.get("identities"), Mapping):
        from local_ecr import read_identities  # noqa: PLC0415 as above

        options |= read_identities(options["identities"]).options
    return options


def _registry(region: str = DEFAULT_REGION, account: str = DEFAULT_ACCOUNT) -> Registry:
    from local_ecr import Registry  # noqa: PLC0415 as above

    return Registry.parse(account, region)
