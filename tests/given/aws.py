"""Who calls AWS in a test: an account number, as local_ecr and moto take it for an access key, or any other key."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session

from ecr_steward.adapters.clients import AwsClients, new_session
from ecr_steward.adapters.roles import Accounts

ONE_TRY = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)


def session(access_key_id: str = "111122223333", region: str = "us-east-1") -> Session:
    """A session with these credentials, whatever the environment has."""
    made = new_session(region)
    made.set_credentials(access_key_id, "secret")
    return made


def clients(
    access_key_id: str = "111122223333", region: str = "us-east-1", accounts: Accounts | None = None
) -> AwsClients:
    """The clients that the adapters use, which try each call once."""
    return AwsClients(ONE_TRY, accounts, session(access_key_id, region))


def client(service: str, credentials: Mapping[str, str], endpoint_url: str, region: str = "us-east-1") -> Any:
    """A client with credentials as a function finds them in its environment, or as STS or IAM answer them."""
    return _any_caller().create_client(
        service,
        region,
        endpoint_url=endpoint_url,
        aws_access_key_id=credentials.get("AWS_ACCESS_KEY_ID") or credentials["AccessKeyId"],
        aws_secret_access_key=credentials.get("AWS_SECRET_ACCESS_KEY") or credentials["SecretAccessKey"],
        aws_session_token=credentials.get("AWS_SESSION_TOKEN") or credentials.get("SessionToken"),
        config=ONE_TRY,
    )


@cache
def _any_caller() -> Session:
    return new_session()
