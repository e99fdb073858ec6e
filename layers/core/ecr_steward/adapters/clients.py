"""AWS clients, each made when it is first used.

botocore makes them, as it makes boto3's: boto3 brings its S3 transfers along, a tenth of the time in which a command
starts.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from ecr_steward.adapters.roles import Accounts, Role
from ecr_steward.adapters.whole_documents import keep_whole_documents
from ecr_steward.domain.deadline import NEVER, Deadline
from ecr_steward.domain.names import RegistryRef

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sts.client import STSClient

PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=20)
"""botocore's own retries: they know throttling codes, and wait longer each time."""
ADAPTIVE = PATIENT.merge(Config(retries={"mode": "adaptive", "total_max_attempts": 5}))
"""The same for much work at once: a client that was throttled, one for each account and region, sends less from then
on (boto3 guide, "Adaptive retry mode")."""
LAST_SECONDS = 30.0
"""Of an invocation, in which nothing is asked any more: a request that hangs ends after the two timeouts above."""
_CLOSING = frozenset({"dynamodb", "events", "sqs"})
"""Services by which an invocation leaves to the next one what it did not do: they are asked to the last."""
ROLES_KEPT = 100
"""Roles whose sessions and clients a process keeps, those that were used last. A session with a client of ECR takes
0.4 MB: a thousand would fill a function."""
USER_AGENT = "ecr-steward"
"""Who called, as records of CloudTrail show it. What botocore says of itself would be found anew for each call, in an
eighth of the time that a call costs here."""


@cache
def service_models(data_path: str | None = None) -> Loader:
    """One for the process: to read the model of a service takes longer than to make a client of it."""
    return create_loader(data_path)


def new_session(region: str | None = None) -> botocore.session.Session:
    """A session with the credentials of the environment, and with its region unless another one is given."""
    made = botocore.session.Session()
    made.register_component("data_loader", service_models(made.get_config_variable("data_path")))
    if region:
        made.set_config_variable("region", region)
    return made


class AwsClients:
    """The clients that the adapters need, over one session for each role. Safe to use from several threads."""

    def __init__(
        self,
        config: Config = PATIENT,
        accounts: Accounts | None = None,
        session: botocore.session.Session | None = None,
    ) -> None:
        """Without a session, the environment says who is calling and where.

        Without accounts, every registry is spoken to as the caller, whosever it is.
        """
        self._config = config.merge(Config(user_agent=USER_AGENT))
        self._accounts = accounts
        self._session = session or new_session()
        self._deadline = NEVER
        self._own = _Acting(lambda: self._session, self._config, self._require_time)
        self._as = lru_cache(maxsize=ROLES_KEPT)(self._acting_as)
        self._lock = Lock()

    def work_until(self, deadline: Deadline) -> None:
        """Send no request, nor a retry, that may end after this deadline: that raises OutOfTimeError instead.

        All clients follow it, those that were made before, too: a process of Lambda has one invocation at a time.
        """
        self._deadline = deadline

    def _require_time(self, **_event: object) -> None:
        self._deadline.require(LAST_SECONDS)

    @property
    def region(self) -> str | None:
        """The region that the environment or its profile names."""
        found = self._session.get_config_variable("region")
        return str(found) if found else None

    def other(self, service: str, config: Config, region: str | None = None) -> Any:
        """A client of ours that is to behave otherwise than those here; a new one for each call."""
        return self._own.made(service, region, config)

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
        if role is None:
            return self._own.client(service, region)
        with self._lock:  # else two threads would assume a new role once each
            acting = self._as(role)
        return acting.client(service, region)

    def _acting_as(self, role: Role) -> "_Acting":
        return _Acting(lambda: role.assume(self.sts, new_session()), self._config, self._require_time)


class _Acting:
    """The clients of one session, made one at a time: a role that is slow to assume holds up no other."""

    def __init__(
        self, begin: Callable[[], botocore.session.Session], config: Config, before_send: Callable[..., None]
    ) -> None:
        self._begin = begin
        self._config = config
        self._before_send = before_send
        self._session: botocore.session.Session | None = None
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._lock = RLock()

    def client(self, service: str, region: str | None) -> Any:
        """The client of a service in a region: always the same."""
        key = service, region
        if (known := self._clients.get(key)) is not None:
            return known
        with self._lock:
            if key not in self._clients:
                client = self.made(service, region, self._config)
                if service == "ecr":
                    keep_whole_documents(client)
                self._clients[key] = client
            return self._clients[key]

    def made(self, service: str, region: str | None, config: Config) -> Any:
        """A new client."""
        with self._lock:
            if self._session is None:
                self._session = self._begin()
            client = self._session.create_client(service, region_name=region, config=config)
        if service not in _CLOSING:
            client.meta.events.register_last("before-send", self._before_send)  # after botocore has waited its turn
        return client
