"""AWS clients, each made when it is first used."""

from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_sqs.client import SQSClient

PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=20)
"""botocore's own retries: they know throttling codes, and wait longer each time."""


class AwsClients:
    """The clients that the adapters need, over one session. Safe to use from several threads."""

    def __init__(self, session: boto3.Session | None = None, config: Config = PATIENT) -> None:
        """Without a session, the environment says who is calling and where."""
        self._session = session
        self._config = config
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._lock = Lock()

    def ecr(self, region: str) -> "ECRClient":
        """ECR in a region, for registries of the caller's account and of those that let it in."""
        client: ECRClient = self._client("ecr", region)
        return client

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

    def _client(self, service: str, region: str | None = None) -> Any:
        with self._lock:  # a session makes one client at a time
            if (service, region) not in self._clients:
                self._session = self._session or boto3.Session()
                # boto3's overloads want each service's name spelled out
                make: Any = self._session.client
                self._clients[service, region] = make(service, region_name=region, config=self._config)
            return self._clients[service, region]
