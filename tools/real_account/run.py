"""What a step works with: clients, names, and ways to make things that the journal knows of beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from real_account.journal import Journal, Made
from real_account.pace import Pace

PREFIX: Final = "ecr-steward-try-"
TAG: Final = "ecr-steward:run"
CONFIG: Final = Config(retries={"total_max_attempts": 8, "mode": "standard"}, connect_timeout=5, read_timeout=60)


def new_client(service: str, region: str, keys: Mapping[str, str] | None = None, config: Config = CONFIG) -> Any:
    """A client of boto3; `keys` are credentials other than those of the environment as it is now.

    Not of boto3's default session: that keeps the credentials of its first use for the whole process.
    """
    session: Any = boto3.Session()
    return session.client(service, region_name=region, config=config, **(keys or {}))


@dataclass(frozen=True)
class Sizes:
    """How much some steps make; smaller only where no real account is asked."""

    layer_bytes: int = 2 << 30
    repositories: int = 500
    contract: str = "aws"
    """pytest's -k for the contract suites."""


@dataclass
class Run:
    """One run in one account."""

    account: str
    region: str
    second_region: str
    run_id: str
    folder: Path
    on_aws: bool
    pace: Pace = field(default_factory=Pace)
    sizes: Sizes = field(default_factory=Sizes)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """Begins the name of all that this run makes."""
        return f"{PREFIX}{self.run_id}"

    @property
    def journal(self) -> Journal:
        """What this run has made."""
        return Journal(self.folder)

    @property
    def partition(self) -> str:
        """Of this region's ARNs."""
        return str(boto3.Session().get_partition_for_region(self.region))

    def arn(self, service: str, name: str) -> str:
        """The ARN of something in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{name}"

    def client(self, service: str, region: str | None = None) -> Any:
        """A client with the credentials of the environment."""
        key = (service, region or self.region)
        if key not in self._clients:
            self._clients[key] = new_client(*key)
        return self._clients[key]

    def close(self) -> None:
        """Close all clients."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    # ---------------------------------------------------------------- making

    def making(self, kind: str, name: str, **facts: Any) -> str:
        """Record what is about to be made in this region; its name."""
        self.journal.making(Made(kind, name, self.region, facts))
        return name

    def name(self, name: str) -> str:
        """A name that says which run it is of."""
        return f"{self.prefix}-{name}"

    def tags(self, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
        """The tag of this run, as most services want it."""
        return [{key: TAG, value: self.run_id}]

    def repository(self, name: str, **settings: Any) -> str:
        """Create a repository. Needs ecr:CreateRepository and ecr:TagResource."""
        whole = self.making("repository", self.name(name))
        self.client("ecr").create_repository(repositoryName=whole, tags=self.tags(), **settings)
        return whole

    def role(self, name: str, *statements: Mapping[str, Any]) -> str:
        """Create a role that this account may assume, with one inline policy; its ARN."""
        whole, iam = self.making("role", self.name(name)), self.client("iam")
        root = f"arn:{self.partition}:iam::{self.account}:root"
        trust = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}
        made = iam.create_role(RoleName=whole, AssumeRolePolicyDocument=document(trust), Tags=self.tags())
        iam.put_role_policy(RoleName=whole, PolicyName="try", PolicyDocument=document(*statements))
        return str(made["Role"]["Arn"])

    def queue(self, name: str, *writers: Mapping[str, Any]) -> tuple[str, str]:
        """Create a queue with the statements of those who may write to it; its URL and ARN."""
        whole = self.making("queue", self.name(name))
        arn = self.arn("sqs", whole)
        policy = document(*({"Action": "sqs:SendMessage", "Resource": arn, **writer} for writer in writers))
        tags = {one["Key"]: one["Value"] for one in self.tags()}
        made = self.client("sqs").create_queue(QueueName=whole, Attributes={"Policy": policy}, tags=tags)
        return str(made["QueueUrl"]), arn

    def rule(self, name: str, pattern: Mapping[str, Any], target: str, bus: str = "default") -> str:
        """Create a rule with one target; its ARN."""
        whole, events = self.making("rule", self.name(name), bus=bus), self.client("events")
        made = events.put_rule(Name=whole, EventBusName=bus, EventPattern=json.dumps(pattern), Tags=self.tags())
        events.put_targets(Rule=whole, EventBusName=bus, Targets=[{"Id": "try", "Arn": target}])
        return str(made["RuleArn"])

    # ---------------------------------------------------------------- waiting for others

    def as_role(self, role_arn: str) -> Mapping[str, str]:
        """Credentials of an hour as a role, which IAM may need a minute to know. Needs sts:AssumeRole."""

        def assume() -> dict[str, Any] | None:
            try:
                answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="try", DurationSeconds=3600)
            except ClientError as error:
                if error.response["Error"]["Code"] != "AccessDenied":
                    raise
                return None
            return dict(answer["Credentials"])

        found = self.pace.until(assume, 60)
        if found is None:
            raise TimeoutError(f"{role_arn} could not be assumed within a minute")
        self.pace.wait(10)  # what a new role may do is known a little later than the role
        return {
            "aws_access_key_id": found["AccessKeyId"],
            "aws_secret_access_key": found["SecretAccessKey"],
            "aws_session_token": found["SessionToken"],
        }

    def take(self, queue_url: str) -> list[dict[str, Any]]:
        """Take the messages that a queue has now; their bodies. Needs sqs:ReceiveMessage and sqs:DeleteMessage."""
        sqs, found = self.client("sqs"), []
        while received := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in received:
                sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return found


def document(*statements: Mapping[str, Any]) -> str:
    """A policy of these statements, which allow if they do not say."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]})


def code_of(do: Callable[[], Any]) -> tuple[str, str]:
    """`accepted`, or the code of the error that AWS answers, and its message."""
    try:
        do()
    except ClientError as error:
        return str(error.response["Error"]["Code"]), str(error.response["Error"].get("Message", ""))
    return "accepted", ""


def listed(values: Sequence[str]) -> str:
    """Values as a report shows them."""
    return ", ".join(values) or "none"
