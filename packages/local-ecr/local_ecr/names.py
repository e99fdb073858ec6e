"""The names that reach us from outside, parsed before any path, query or URL is built from them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType, Self

from local_ecr.partitions import partition_of

Digest = NewType("Digest", str)
"""`sha256:<64 hex>` or `sha512:<128 hex>`, lower case."""

_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]{2,12}){1,3}-[0-9]{1,2}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_REPOSITORY_NAME = re.compile(r"(?:[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*/)*[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_IMAGE_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]*")
_REPOSITORY_ARN = re.compile(r"arn:[a-z-]+:ecr:([a-z0-9-]+):([0-9]{12}):repository/(.+)")

MAX_REPOSITORY_NAME = 256
MIN_REPOSITORY_NAME = 2  # RepositoryName of ECR's API model; one is enough for the OCI distribution specification
MAX_IMAGE_TAG = 300  # ImageTag of ECR's API model
MAX_OCI_IMAGE_TAG = 128  # the OCI distribution specification's


class InvalidNameError(ValueError):
    """Something that names an account, region, repository, tag or digest is not one."""


@dataclass(frozen=True, order=True)
class Registry:
    """One private registry: an account has one in every region."""

    account: str
    region: str

    @classmethod
    def parse(cls, account: str, region: str) -> Self:
        if not _ACCOUNT.fullmatch(account):
            raise InvalidNameError(f"not a 12-digit account: {account[:40]!r}")
        if not is_region(region):
            raise InvalidNameError(f"not a region: {region[:40]!r}")
        return cls(account, region)

    @property
    def partition(self) -> str:
        return partition_of(self.region).id

    def repository_arn(self, repository_name: str) -> str:
        return f"arn:{self.partition}:ecr:{self.region}:{self.account}:repository/{repository_name}"

    @property
    def aws_host(self) -> str:
        """The name this registry has at AWS."""
        return f"{self.account}.dkr.ecr.{self.region}.{partition_of(self.region).suffix}"


DEFAULT_REGISTRY = Registry("111122223333", "us-east-1")
"""Where nothing is said of account and region."""


def is_region(text: str) -> bool:
    return _REGION.fullmatch(text) is not None


def parse_digest(text: str) -> Digest:
    """Raise InvalidNameError unless `text` is a digest we can verify."""
    if not _DIGEST.fullmatch(text):
        raise InvalidNameError(f"not a sha256 or sha512 digest: {text[:100]!r}")
    return Digest(text)


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def is_repository_name(text: str, shortest: int = MIN_REPOSITORY_NAME) -> bool:
    return shortest <= len(text) <= MAX_REPOSITORY_NAME and _REPOSITORY_NAME.fullmatch(text) is not None


def is_image_tag(text: str, longest: int = MAX_IMAGE_TAG) -> bool:
    return 1 <= len(text) <= longest and _IMAGE_TAG.fullmatch(text) is not None


def parse_repository_arn(arn: str) -> tuple[Registry, str]:
    """Split a repository's ARN into its registry and its name."""
    match = _REPOSITORY_ARN.fullmatch(arn)
    if match is None or not is_repository_name(match[3]):
        raise InvalidNameError(f"not a repository ARN: {arn[:100]!r}")
    return Registry.parse(match[2], match[1]), match[3]
