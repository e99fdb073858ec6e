"""AWS clients, each made when it is first used.

botocore makes them, as it makes boto3's: boto3 brings its S3 transfers along, a tenth of the time in which a command
starts.
"""

from collections.abc import Callable
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from ecr_steward.adapters.roles import Accounts, Role
from ecr_steward.adapters.whole_documents import keep_whole_documents
from ecr_steward.domain.names import RegistryRef

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sts.client import STSClient

PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=20)
"""botocore's own retries: they know throttling codes, and wait longer each time."""
USER_AGENT = "ecr-steward"
"""Who called, as records of CloudTrail tell it. What botocore would say of itself it finds anew for each call, in an
eighth of the time that a call costs here; its version is told all the same."""


@cache
def _loader(data_path: str | None) -> Loader:
    """One for the process: to read the model of a service takes longer than to make a client of it."""
    return create_loader(data_path)


class AwsClients:
    """The clients that the adapters need, over one session for each role. Safe to use from several threads."""

    def __init__(
        self, session: "boto3.Session | None" = None, config: Config = PATIENT, accounts: Accounts | None = None
    ) -> None:
        """Without a session, the environment says who is calling and where.

        Without accounts, every registry is spoken to as the caller, whosever it is.
        """
        self._given = session
        self._config = config.merge(Config(user_agent=USER_AGENT))
        self._accounts = accounts
        self._core = botocore.session.Session()
        self._core.register_component("data_loader", _loader(self._core.get_config_variable("data_path")))
        self._makers: dict[Role | None, Callable[..., Any]] = {}
        self._clients: dict[tuple[Role | None, str, str | None], Any] = {}
        self._lock = RLock()

    @property
    def region(self) -> str | None:
        """The region that the environment or its profile names."""
        found = self._given.region_name if self._given else self._core.get_config_variable("region")
        return str(found) if found else None

    def other(self, service: str, config: Config, region: str | None = None) -> Any:
        """A client of ours that is to behave otherwise than those here; a new one for each call."""
        with self._lock:
            return self._maker(None)(service, region_name=region, config=config)

    def ecr(self, registry: RegistryRef, role: str | None = None) -> "ECRClient":
        """ECR for a registry: of our own account as ourselves, of a connected one as the role it has for us.

        With ``role``, as the role of that name in the registry's account, at home too. Needs sts:AssumeRole on it.
        Raises AccountNotConnectedError, RoleNotAssumableError and the retryable errors.
        """
        if role and not self._accounts:
            raise TypeError(f"to act as the role {role} it must be known whose registry {registry} is")
        acting = self._accounts.role_for(registry, role) if self._accounts else None
        client: ECRClient = self._client("ecr", registry.region, acting)
        return client

    def ecs(self, place: RegistryRef) -> BaseClient:
        """ECS where a registry is, as whom the registry is spoken to."""
        return self._beside("ecs", place)

    def lambda_(self, place: RegistryRef) -> BaseClient:
        """Lambda where a registry is, as whom the registry is spoken to."""
        return self._beside("lambda", place)

    def inspector2(self, place: RegistryRef) -> BaseClient:
        """Inspector where a registry is, as whom the registry is spoken to."""
        return self._beside("inspector2", place)

    @property
    def sqs(self) -> "SQSClient":
        client: SQSClient = self._client("sqs")
        return client

    @property
    def events(self) -> "EventBridgeClient":
        client: EventBridgeClient = self._client("events")
        return client

    @property
    def dynamodb(self) -> "DynamoDBClient":
        client: DynamoDBClient = self._client("dynamodb")
        return client

    @property
    def s3(self) -> "S3Client":
        client: S3Client = self._client("s3")
        return client

    @property
    def secretsmanager(self) -> "SecretsManagerClient":
        client: SecretsManagerClient = self._client("secretsmanager")
        return client

    @property
    def sts(self) -> "STSClient":
        client: STSClient = self._client("sts")
        return client

    def _beside(self, service: str, place: RegistryRef) -> BaseClient:
        acting = self._accounts.role_for(place) if self._accounts else None
        client: BaseClient = self._client(service, place.region, acting)
        return client

    def _client(self, service: str, region: str | None = None, role: Role | None = None) -> Any:
        with self._lock:  # a session makes one client at a time
            if (role, service, region) not in self._clients:
                client = self._maker(role)(service, region_name=region, config=self._config)
                if service == "ecr":
                    keep_whole_documents(client)
                self._clients[role, service, region] = client
            return self._clients[role, service, region]

    def _maker(self, role: Role | None) -> Callable[..., Any]:
        if role not in self._makers:
            if role is not None:
                session = role.session(self.sts, self._core.get_component("data_loader"))
                self._makers[role] = session.create_client
            else:
                self._makers[role] = self._given.client if self._given else self._core.create_client
        return self._makers[role]
