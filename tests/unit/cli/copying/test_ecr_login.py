"""What becomes of a copy when the login to ECR that Docker keeps has expired. ECR is local_ecr, whose clock moves."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.token_servers import Password
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.names import ImageTag, RegistryRef
from ecr_steward.errors import AccessDeniedError, RegistryUnavailableError
from ecr_steward_cli.copying.ecr_login import EcrLogin
from local_ecr import LocalEcr, LocalEcrServer

HOME = RegistryRef("111122223333", "us-east-1")
CLOSED = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGetImage"}]}


class Ecr:
    """A local ECR that calls itself by its names at AWS, and a login of Docker's to it."""

    def __init__(self, folder: Path) -> None:
        self.ahead = timedelta()
        self.server = LocalEcrServer(LocalEcr(folder, clock=lambda: datetime.now(UTC) + self.ahead), [])

    @property
    def api(self) -> Any:
        return boto3.client(
            "ecr",
            region_name=HOME.region,
            endpoint_url=self.server.endpoint_url,
            aws_access_key_id=HOME.account,
            aws_secret_access_key="not-verified",
        )

    def kept(self) -> Password:
        (data,) = self.api.get_authorization_token()["authorizationData"]
        username, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        return Password(username, password)


@pytest.fixture
def ecr(tmp_path: Path) -> Iterator[Ecr]:
    made = Ecr(tmp_path / "ecr")
    with made.server:
        made.api.create_repository(repositoryName="team/app")
        yield made


@pytest.fixture
def credentials(ecr: Ecr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have AWS's own credentials of an account, or none at all."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", ecr.server.endpoint_url)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))

    def have(account: str) -> None:
        if account:
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", account)
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-verified")

    return have


class Aws:
    """AWS's own clients, made anew each time that they are asked for."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> AwsClients:
        self.made += 1
        return AwsClients(config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def client(ecr: Ecr, aws: Aws) -> Iterator[DistributionClient]:
    """With a login that Docker has kept since now."""
    transport = Transport()
    login = EcrLogin(ecr.server.endpoint_url, ecr.kept(), HOME, transport, aws)
    yield DistributionClient(login.origin, login.authorization, renew=login.renew, transport=transport)
    transport.close()


@pytest.fixture
def expired(ecr: Ecr, client: DistributionClient) -> DistributionClient:
    """With a login that has lived for too long."""
    ecr.ahead = timedelta(hours=13)
    return client


def test_the_kept_login_is_used_while_it_lives(
    ecr: Ecr, credentials: Callable[[str], None], client: DistributionClient, capsys: pytest.CaptureFixture[str]
) -> None:
    credentials("")

    assert client.digest_of("team/app", ImageTag("1.0")) is None
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_awss_own_is_used_and_told_of_once_when_the_kept_login_has_expired(
    method: str,
    ecr: Ecr,
    credentials: Callable[[str], None],
    client: DistributionClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    credentials(HOME.account)
    ecr.ahead = timedelta(hours=13)

    for _ in range(2):
        found = list(client.image_tags("team/app")) if method == "GET" else client.digest_of("team/app", ImageTag("1"))
        assert not found

    host = ecr.server.endpoint_url.partition("://")[2]
    told = capsys.readouterr().err
    assert told == f"note: the login that is kept for {host} has expired; AWS's own is used in its place\n"


@pytest.mark.parametrize(
    ("account", "note"), [("", "Unable to locate credentials"), ("444455556666", "of another account: 444455556666.")]
)
def test_it_is_told_what_to_do_when_there_is_no_other_login(
    account: str, note: str, credentials: Callable[[str], None], expired: DistributionClient, aws: Aws
) -> None:
    credentials(account)
    made = []

    for _ in range(2):
        with pytest.raises(AccessDeniedError, match=r"twelve hours. Log in again, or docker logout") as raised:
            expired.digest_of("team/app", ImageTag("1.0"))
        assert [note in each for each in raised.value.__notes__] == [True]
        made.append(aws.made)

    assert made[0] == made[1] > 0  # AWS's credentials are looked for once


def test_awss_own_is_asked_for_again_when_aws_could_not_be_reached(
    ecr: Ecr, credentials: Callable[[str], None], client: DistributionClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials(HOME.account)
    ecr.ahead = timedelta(hours=13)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    with pytest.raises(RegistryUnavailableError, match="ecr:GetAuthorizationToken") as raised:
        client.digest_of("team/app", ImageTag("1.0"))
    assert "has expired" in raised.value.__notes__[0]

    monkeypatch.setenv("AWS_ENDPOINT_URL", ecr.server.endpoint_url)
    assert client.digest_of("team/app", ImageTag("1.0")) is None


def test_the_kept_login_stays_when_it_lives_and_may_not_do_this(
    ecr: Ecr, credentials: Callable[[str], None], client: DistributionClient, capsys: pytest.CaptureFixture[str]
) -> None:
    credentials(HOME.account)
    ecr.api.set_repository_policy(repositoryName="team/app", policyText=json.dumps(CLOSED), force=True)

    with pytest.raises(AccessDeniedError, match="may not do this"):
        client.digest_of("team/app", ImageTag("1.0"))
    with pytest.raises(AccessDeniedError, match="ecr:BatchGetImage"):
        client.get_manifest("team/app", ImageTag("1.0"))
    assert capsys.readouterr().err == ""
