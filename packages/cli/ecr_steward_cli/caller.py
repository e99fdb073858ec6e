"""Who is calling AWS and in which region: one answer for every command."""

import os
from functools import cached_property
from typing import Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from ecr_steward.adapters.clients import AwsClients, new_session
from ecr_steward.domain.names import RegistryRef
from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.refusal import reason_of, refuse
from ecr_steward_cli.regions import require_region

PROMPT: Final = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=3, read_timeout=20)
"""A person waits for the answer."""
_AT_ONCE: Final = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10)


def default_region() -> str | None:
    """The region of the environment: AWS_REGION, else AWS_DEFAULT_REGION, else the profile's.

    This is the order of AWS's SDKs and of the AWS CLI; botocore by itself does not read AWS_REGION.
    """
    return os.environ.get("AWS_REGION") or new_session().get_config_variable("region") or None


def region_or_none(given: str | None) -> str | None:
    """The region that is given, else the environment's. Raises SystemExit where AWS has no such region."""
    name = given or default_region()
    return require_region(name) if name else None


def region_of(given: str | None) -> str:
    """The same, where there has to be one."""
    region = region_or_none(given)
    if region is None:
        refuse("no region: give --region, or set AWS_REGION", Code.CALLER_UNKNOWN)
    return region


class Caller:
    """The AWS credentials of the environment, in one region. Raises SystemExit where one of both is missing."""

    def __init__(self, region: str | None = None, config: Config = PROMPT) -> None:
        """``region`` is what ``--region`` says."""
        self.region = region_of(region)
        self.clients = AwsClients(config=config, session=new_session(self.region))

    @property
    def account(self) -> str:
        """The account that is calling. Needs sts:GetCallerIdentity, which every identity has."""
        return self._identity[0]

    @property
    def arn(self) -> str:
        """The caller, which a journal and a pause keep."""
        return self._identity[1]

    @property
    def registry(self) -> RegistryRef:
        """The caller's own registry."""
        return RegistryRef(self.account, self.region)

    @cached_property
    def _identity(self) -> tuple[str, str]:
        """By STS; where there is only an ECR, as on a laptop, by that."""
        try:
            found = self.clients.other("sts", _AT_ONCE).get_caller_identity()
        except (BotoCoreError, ClientError, ResponseParserError):
            account = self._account_of_ecr()
            return account, f"arn:aws:iam::{account}:root"
        return found["Account"], found["Arn"]

    def _account_of_ecr(self) -> str:
        try:
            client = self.clients.ecr(RegistryRef("000000000000", self.region))
            return client.describe_registry()["registryId"]
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            refuse(
                f"AWS does not say which account is calling: {reason_of(error)}. Set credentials, or AWS_PROFILE",
                Code.CALLER_UNKNOWN,
            )
