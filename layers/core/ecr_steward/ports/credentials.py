"""Ports to registry logins, and to the secrets that they are kept in.

Every method may raise ``AccessDeniedError``, ``ThrottledError`` and ``RegistryUnavailableError``. No error, and no
``repr``, holds a login or what a secret holds.
"""

from typing import Protocol

from ecr_steward.domain.credentials import AuthorizationToken, SecretText, StoredSecret
from ecr_steward.domain.names import RegistryRef


class Logins(Protocol):
    """Logins to registries under a role, and what a registry lets them do."""

    def fetch(self, registry: RegistryRef, role: str) -> AuthorizationToken:
        """Fetch a login that speaks as the role of this name in the registry's account.

        Needs sts:AssumeRole on the role. The role must have ecr:GetAuthorizationToken. Raises CredentialRefusedError
        where the role is that of the caller itself, RoleNotAssumableError and AccountNotConnectedError.
        """
        ...

    def may_pull(self, token: AuthorizationToken) -> bool:
        """Try to read an image, manifest and content; where there is none, to read one that does not exist.

        A login that the registry does not know any more may not pull either.

        Needs ecr:DescribeRepositories and ecr:ListImages to find an image. The role of the login must have
        ecr:BatchGetImage and ecr:GetDownloadUrlForLayer for it to be true.
        """
        ...

    def may_push(self, token: AuthorizationToken) -> bool:
        """Try to begin an upload in one repository of the registry; one that was accepted is cancelled at once.

        It is the first one that the login may pull from; where the registry has none, one that does not exist. False
        says that this one refused, and nothing more: not tried are other repositories, manifests over blobs that are
        there already (ecr:PutImage), deleting, and whatever else a login's role may do without beginning an upload.

        Needs ecr:DescribeRepositories and ecr:ListImages to find an image. The role of the login must not have
        ecr:InitiateLayerUpload for it to be false.
        """
        ...


class Secrets(Protocol):
    """Secrets of the steward's own account and region, by name."""

    def read(self, name: str) -> StoredSecret | None:
        """Read what a secret holds now; ``None`` where there is no such secret.

        Needs secretsmanager:GetSecretValue and secretsmanager:DescribeSecret. Raises RefusedByRegistryError for one
        that is marked for deletion.
        """
        ...

    def put(self, name: str, text: SecretText, version_stamp: str) -> None:
        """Give a secret a new version whose id begins with a stamp.

        Needs secretsmanager:PutSecretValue. Raises RefusedByRegistryError for text of more than 65,536 bytes.
        """
        ...

    def create(self, name: str, text: SecretText, version_stamp: str) -> None:
        """Create a secret, tagged ``managed-by=ecr-steward``, with a first version whose id begins with a stamp.

        Needs secretsmanager:CreateSecret and secretsmanager:TagResource. Raises RefusedByRegistryError for text of
        more than 65,536 bytes, and RegistryUnavailableError where somebody else has created it meanwhile.
        """
        ...
