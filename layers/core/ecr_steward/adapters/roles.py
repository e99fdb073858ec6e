"""Roles that the steward acts as: in other accounts always, at home where somebody else must be spoken as."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials
from botocore.session import Session

from ecr_steward.adapters.connected_accounts import NO_ACCOUNTS
from ecr_steward.adapters.translation import translated
from ecr_steward.domain.names import RegistryRef, partition_of
from ecr_steward.errors import AccessDeniedError, AccountNotConnectedError, RoleNotAssumableError
from ecr_steward.ports.accounts import ConnectedAccounts

if TYPE_CHECKING:
    from mypy_boto3_sts.client import STSClient
    from mypy_boto3_sts.type_defs import AssumeRoleRequestTypeDef


@dataclass(frozen=True)
class Accounts:
    """Where the steward works, and as whom. The template's parameters say it."""

    own: str
    connected: ConnectedAccounts = NO_ACCOUNTS
    spoke_role: str = "ecr-steward-spoke"
    """Name of the role that a connected account has for us (``spoke.yaml``)."""
    external_id: str | None = None
    """What roles in connected accounts ask for."""
    session_name: str = "ecr-steward"
    """Whom CloudTrail names as the caller in a connected account, beside the role."""
    session_policy: str | None = None
    """What of the rights of ``spoke_role`` a session of ours has, as an IAM policy in JSON; ``None``: all of them.

    A role that is asked for by its name is assumed as it is: a published login may do what its role may.
    """

    def role_for(self, registry: RegistryRef, name: str | None = None) -> "Role | None":
        """The role to act as at a registry; ``None``: as ourselves. With a name, always the role of that name there.

        Raises AccountNotConnectedError, and the errors of ``ports.accounts``.
        """
        account = registry.account
        if account != self.own and not self.connected.include(account):
            raise AccountNotConnectedError(f"account {account} is not connected. {self.connected.how}")
        if account == self.own:
            return Role(_role_arn(registry, name), self.session_name) if name else None
        if name:
            return Role(_role_arn(registry, name), self.session_name, self.external_id)
        return Role(_role_arn(registry, self.spoke_role), self.session_name, self.external_id, self.session_policy)


@dataclass(frozen=True)
class Role:
    """A role to act as, and what to say when it is assumed."""

    arn: str
    session_name: str
    external_id: str | None = None
    policy: str | None = None
    """The session policy: the session may only do what this and the role's policies both allow."""

    def assume(self, sts: "STSClient", session: Session) -> Session:
        """Let a session act as this role, assumed at once and again before it ends. Needs sts:AssumeRole.

        botocore renews it a quarter of an hour before its end, when a call is made; an error of that is the call's.
        Raises RoleNotAssumableError and the retryable errors.
        """
        credentials = RefreshableCredentials.create_from_metadata(
            self._credentials(sts), lambda: self._credentials(sts), method=_Assumed.METHOD
        )
        session.register_component("credential_provider", CredentialResolver([_Assumed(credentials)]))
        session.set_config_variable("region", sts.meta.region_name)
        return session

    def _credentials(self, sts: "STSClient") -> dict[str, str]:
        """Credentials as botocore's ``RefreshableCredentials`` takes them."""
        wanted: AssumeRoleRequestTypeDef = {"RoleArn": self.arn, "RoleSessionName": self.session_name}
        if self.external_id:
            wanted["ExternalId"] = self.external_id
        if self.policy:
            wanted["Policy"] = self.policy
        try:
            with translated("sts:AssumeRole", self.arn):
                answer = sts.assume_role(**wanted)
        except AccessDeniedError as cause:
            account = self.arn.split(":")[4]
            us = "this function's role"
            if self.external_id:
                us += " with this external id; deploy spoke.yaml there as docs/accounts.md says"
            raise RoleNotAssumableError(
                f"account {account} does not let us act as {self.arn}: the role is not there, or does not trust {us}. "
                f"AWS says: {cause.__cause__}"
            ) from cause
        credentials = answer["Credentials"]
        return {
            "access_key": credentials["AccessKeyId"],
            "secret_key": credentials["SecretAccessKey"],
            "token": credentials["SessionToken"],
            "expiry_time": credentials["Expiration"].isoformat(),
        }


class _Assumed(CredentialProvider):
    """botocore's way to give a session credentials that renew themselves."""

    METHOD = "assume-role"

    def __init__(self, credentials: RefreshableCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> RefreshableCredentials:
        return self._credentials


def _role_arn(registry: RegistryRef, name: str) -> str:
    return f"arn:{partition_of(registry.region)}:iam::{registry.account}:role/{name}"
