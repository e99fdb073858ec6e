"""The ``RulebookSource`` port over an object of Amazon S3."""

from botocore.exceptions import ClientError

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.translation import code_of, translated
from ecr_steward.errors import RefusedByRegistryError
from ecr_steward.ports.rulebook import CompiledRulebook

_UNCHANGED = "304"


class S3Rulebook:
    """A ``RulebookSource``. The version is the object's ETag, which S3 compares itself.

    The bucket must be of ``account``: a bucket's name is global, and who owns it writes the rules.
    """

    def __init__(self, clients: AwsClients, bucket: str, key: str, account: str, largest: int) -> None:
        """``largest``: bytes of a compiled rulebook. What is larger is rather something else under the name."""
        self._clients = clients
        self._account = account
        self._largest = largest
        self._bucket = bucket
        self._key = key

    @property
    def place(self) -> str:
        return f"s3://{self._bucket}/{self._key}"

    def read(self, known_version: str | None) -> CompiledRulebook | None:
        with translated("s3:GetObject", self.place):
            try:
                if known_version is None:
                    found = self._clients.s3.get_object(
                        Bucket=self._bucket, Key=self._key, ExpectedBucketOwner=self._account
                    )
                else:
                    found = self._clients.s3.get_object(
                        Bucket=self._bucket,
                        Key=self._key,
                        ExpectedBucketOwner=self._account,
                        IfNoneMatch=known_version,
                    )
            except ClientError as cause:
                if code_of(cause) == _UNCHANGED:
                    return None
                raise
            if found["ContentLength"] > self._largest:
                found["Body"].close()
                raise RefusedByRegistryError(
                    f"{self.place} has {found['ContentLength']} bytes; a compiled rulebook has at most {self._largest}"
                )
            return CompiledRulebook(found["Body"].read(), found["ETag"])
