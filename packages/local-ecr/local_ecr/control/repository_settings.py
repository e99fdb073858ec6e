"""The settings that a repository and a creation template have in common, read from a request and shown in an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local_ecr.access.keys import UNSENT, RequestFacts
from local_ecr.errors import EcrError, invalid_parameter
from local_ecr.images.mutability import MUTABLE, Mutability
from local_ecr.names import Registry
from local_ecr.services import Services
from local_ecr.state.repositories import DEFAULT_ENCRYPTION, Repository

_KMS_ARN = re.compile(r"arn:[a-z0-9-]+:kms:([a-z0-9-]+):[0-9]{12}:(?:key|alias)/[a-zA-Z0-9/_-]+")
_KMS_ALIAS = re.compile(r"alias/[a-zA-Z0-9/_-]+")
_KMS_KEY_ID = re.compile(r"[a-zA-Z0-9-]+")

MAX_WILDCARDS = 2
"""In one exclusion filter: github.com/hashicorp/terraform-provider-aws/pull/43642; no page of AWS's says so."""


def read_mutability(given: Mapping[str, Any]) -> Mutability:
    """The mode and its exclusion filters. Raises EcrError InvalidParameterException when they do not go together.

    In ECR's words where filters are missing: github.com/aws/aws-cdk/pull/35246.
    """
    mode = given.get("imageTagMutability", MUTABLE)
    filters = given.get("imageTagMutabilityExclusionFilters", [])
    takes_filters = mode.endswith("_WITH_EXCLUSION")
    if takes_filters and not filters:
        raise invalid_parameter(
            "imageTagMutabilityExclusionFilters",
            f"ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as {mode}",
        )
    if filters and not takes_filters:
        raise invalid_parameter(
            "imageTagMutabilityExclusionFilters", f"exclusion filters are not allowed when imageTagMutability is {mode}"
        )
    patterns = tuple(one["filter"] for one in filters)
    if any(pattern.count("*") > MAX_WILDCARDS for pattern in patterns):
        raise invalid_parameter(
            "imageTagMutabilityExclusionFilters", f"an exclusion filter has at most {MAX_WILDCARDS} wildcards"
        )
    return Mutability(mode, patterns)


def shown_mutability(mutability: Mutability) -> dict[str, Any]:
    """As the API tells it: no exclusion filters where there are none."""
    filters = [{"filterType": "WILDCARD", "filter": pattern} for pattern in mutability.exclusion_filters]
    shown: dict[str, Any] = {"imageTagMutability": mutability.mode}
    return {**shown, "imageTagMutabilityExclusionFilters": filters} if filters else shown


def read_encryption(given: Mapping[str, Any], registry: Registry) -> dict[str, str]:
    """How contents are encrypted at rest, a KMS key by its ARN. Raises EcrError InvalidParameterException.

    Without a key it is the one that AWS manages for ECR. Two layers of encryption are there in GovCloud alone (ECR user
    guide, "encryption-at-rest").
    """
    configuration = given.get("encryptionConfiguration", DEFAULT_ENCRYPTION)
    kind, key = configuration["encryptionType"], configuration.get("kmsKey", "")
    if kind == "AES256":
        if key:
            raise invalid_parameter("encryptionConfiguration", "kmsKey is not allowed when encryptionType is AES256")
        return {"encryptionType": kind}
    if kind == "KMS_DSSE" and registry.partition != "aws-us-gov":
        raise invalid_parameter("encryptionConfiguration", f"KMS_DSSE is not supported in the region {registry.region}")
    return {"encryptionType": kind, "kmsKey": _key_arn(key or "alias/aws/ecr", registry)}


def shown_repository(ecr: Services, repository: Repository, facts: RequestFacts = UNSENT) -> dict[str, Any]:
    """A repository as the API tells it to whoever asked."""
    host = ecr.registry_host(repository.registry, is_by_aws_name=facts.is_by_aws_name)
    return {
        "repositoryArn": repository.arn,
        "registryId": repository.registry.account,
        "repositoryName": repository.name,
        "repositoryUri": f"{host}/{repository.name}",
        "createdAt": repository.created_at,
        **shown_mutability(repository.mutability),
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
        "encryptionConfiguration": dict(repository.encryption),
    }


def _key_arn(key: str, registry: Registry) -> str:
    """The ARN of a key that is named by alias, key ID or ARN; it must be in the registry's region."""
    arn = _KMS_ARN.fullmatch(key)
    if arn is not None:
        if arn[1] != registry.region:
            raise _unknown_key(f"the key must be in the region {registry.region}")
        return key
    home = f"arn:{registry.partition}:kms:{registry.region}:{registry.account}:"
    if _KMS_ALIAS.fullmatch(key):
        return home + key
    if _KMS_KEY_ID.fullmatch(key):
        return f"{home}key/{key}"
    raise _unknown_key("the key must be named by its alias, key ID or ARN")


def _unknown_key(constraint: str) -> EcrError:
    return invalid_parameter("encryptionConfiguration.kmsKey", constraint)
