"""The ``Secrets`` port over AWS Secrets Manager."""

from typing import TYPE_CHECKING, TypedDict
from uuid import uuid4

from botocore.exceptions import ClientError

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.translation import code_of, translated
from ecr_steward.domain.credentials import SecretText, SecretVersion, StoredSecret
from ecr_steward.errors import RefusedByRegistryError, RegistryUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef, GetSecretValueResponseTypeDef

LARGEST_TEXT = 65_536
"""Bytes in a secret (``SecretString`` in the PutSecretValue API reference)."""
RESOURCE_TAGS = {"managed-by": "ecr-steward"}


class _Encryption(TypedDict, total=False):
    KmsKeyId: str


class SecretsManager:
    """A ``Secrets``. A secret that it creates is encrypted with ``key``, the ARN of a KMS key, else with AWS's own.

    A version's id is the ``ClientRequestToken`` of the request that wrote it (PutSecretValue API reference): made anew
    for every write, and the same when botocore repeats the request, so that a repeated one writes nothing twice.
    """

    def __init__(self, clients: AwsClients, key: str | None = None) -> None:
        self._clients = clients
        self._encryption: _Encryption = {"KmsKeyId": key} if key else {}

    def read(self, name: str) -> StoredSecret | None:
        value = self._value(name)
        if value is not None:
            text = value.get("SecretString")
            return StoredSecret(
                SecretVersion(value["VersionId"], value["CreatedDate"], SecretText(text) if text is not None else None)
            )
        # "Not found" is also the answer for a secret that is there, but without a value (boto/boto3#2794).
        return StoredSecret(None) if self._is_there(name) else None

    def put(self, name: str, text: SecretText, version_stamp: str) -> None:
        _check_size(name, text)
        with translated("secretsmanager:PutSecretValue", name):
            self._clients.secretsmanager.put_secret_value(
                SecretId=name, SecretString=text.reveal, ClientRequestToken=_version_id(version_stamp)
            )

    def create(self, name: str, text: SecretText, version_stamp: str) -> None:
        _check_size(name, text)
        with translated("secretsmanager:CreateSecret", name):
            try:
                self._clients.secretsmanager.create_secret(
                    Name=name,
                    Description="Registry logins, kept fresh by ECR Steward",
                    SecretString=text.reveal,
                    ClientRequestToken=_version_id(version_stamp),
                    Tags=[{"Key": key, "Value": value} for key, value in RESOURCE_TAGS.items()],
                    **self._encryption,
                )
            except ClientError as cause:
                if code_of(cause) != "ResourceExistsException":
                    raise
                raise RegistryUnavailableError(f"somebody else has created the secret {name} meanwhile") from cause

    def _value(self, name: str) -> "GetSecretValueResponseTypeDef | None":
        with translated("secretsmanager:GetSecretValue", name):
            try:
                return self._clients.secretsmanager.get_secret_value(SecretId=name)
            except ClientError as cause:
                if code_of(cause) == "ResourceNotFoundException":
                    return None
                # The code of many refusals, with words that differ: whether it is this one says ``DeletedDate``.
                if code_of(cause) != "InvalidRequestException" or not self._is_marked_for_deletion(name):
                    raise
                raise RefusedByRegistryError(
                    f"the secret {name} is marked for deletion: restore it, or name another one in the rulebook"
                ) from cause

    def _is_there(self, name: str) -> bool:
        return self._description(name) is not None

    def _is_marked_for_deletion(self, name: str) -> bool:
        description = self._description(name)
        return description is not None and description.get("DeletedDate") is not None

    def _description(self, name: str) -> "DescribeSecretResponseTypeDef | None":
        with translated("secretsmanager:DescribeSecret", name):
            try:
                return self._clients.secretsmanager.describe_secret(SecretId=name)
            except ClientError as cause:
                if code_of(cause) != "ResourceNotFoundException":
                    raise
                return None


def _version_id(version_stamp: str) -> str:
    return f"{version_stamp}{uuid4().hex}"


def _check_size(name: str, text: SecretText) -> None:
    size = len(text.reveal.encode())
    if size > LARGEST_TEXT:
        raise RefusedByRegistryError(
            f"the secret {name} would hold {size} bytes, more than the {LARGEST_TEXT} that Secrets Manager takes: "
            "let the credential have fewer registries"
        )
