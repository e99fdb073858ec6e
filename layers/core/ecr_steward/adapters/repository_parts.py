"""The settings of a repository as Amazon ECR's API tells them: in a list of repositories, or each part by a call."""

import json
from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from typing import TYPE_CHECKING, NotRequired, TypedDict

from botocore.exceptions import ClientError

from ecr_steward.adapters.translation import code_of, translated
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.repositories import (
    Document,
    Encryption,
    Mutability,
    Part,
    Repository,
    TagMutability,
    UnreadableDocument,
)
from ecr_steward.errors import RepositoryNotFoundError

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_ecr.type_defs import EncryptionConfigurationTypeDef, RepositoryTypeDef

_NO_DOCUMENT = ("RepositoryPolicyNotFoundException", "LifecyclePolicyNotFoundException")


class RepositoryKey(TypedDict):
    """The two parameters that name a repository in every call."""

    registryId: str
    repositoryName: str


class EncryptionRequest(TypedDict):
    """The parameter that says how a new repository is encrypted."""

    encryptionConfiguration: "NotRequired[EncryptionConfigurationTypeDef]"


def described(repository: Repository, entry: "RepositoryTypeDef") -> Repository:
    """A repository with what DescribeRepositories says of it."""
    encryption = entry.get("encryptionConfiguration", {"encryptionType": "AES256"})
    settings = replace(
        repository.settings,
        mutability=_mutability(entry),
        scan_on_push=entry.get("imageScanningConfiguration", {}).get("scanOnPush", False),
        encryption=Encryption(encryption["encryptionType"], encryption.get("kmsKey")),
    )
    return replace(repository, settings=settings, read=repository.read | {Part.DESCRIPTION})


def read_parts(client: "ECRClient", key: RepositoryKey, repository: Repository, parts: Set[Part]) -> Repository:
    """A repository with these parts, too."""
    ref = repository.ref
    missing = parts - repository.read
    if Part.DESCRIPTION in missing:
        with translated("ecr:DescribeRepositories", ref):
            answer = client.describe_repositories(registryId=ref.registry.account, repositoryNames=[ref.name])
            (entry,) = answer["repositories"]
        repository = described(repository, entry)
    settings = repository.settings
    if Part.POLICY in missing:
        with translated("ecr:GetRepositoryPolicy", ref):
            settings = replace(settings, policy=_document(lambda: client.get_repository_policy(**key)["policyText"]))
    if Part.LIFECYCLE in missing:
        with translated("ecr:GetLifecyclePolicy", ref):
            lifecycle = _document(lambda: client.get_lifecycle_policy(**key)["lifecyclePolicyText"])
        settings = replace(settings, lifecycle=lifecycle)
    if Part.RESOURCE_TAGS in missing:
        settings = replace(settings, resource_tags=read_resource_tags(client, ref))
    repository = replace(repository, settings=settings, read=repository.read | parts)
    if Part.REGISTRY_SCANNING in missing:
        return replace(repository, scanned_by_registry=_registry_scanning(client, ref))
    return repository


def read_resource_tags(client: "ECRClient", repository: RepositoryRef) -> Mapping[str, str]:
    """The resource tags of a repository."""
    with translated("ecr:ListTagsForResource", repository):
        resource_tags = client.list_tags_for_resource(resourceArn=repository_arn(client, repository))["tags"]
    return {resource_tag["Key"]: resource_tag["Value"] for resource_tag in resource_tags}


def encryption_request(encryption: Encryption | None) -> "EncryptionRequest":
    """What CreateRepository is told about encryption."""
    if encryption is None:
        return {}
    kind: EncryptionConfigurationTypeDef = {"encryptionType": encryption.type}  # type: ignore[typeddict-item]
    return {"encryptionConfiguration": {**kind, "kmsKey": encryption.key} if encryption.key else kind}


def repository_arn(client: "ECRClient", repository: RepositoryRef) -> str:
    """The ARN of a repository, in the partition of its region."""
    registry = repository.registry
    return f"arn:{client.meta.partition}:ecr:{registry.region}:{registry.account}:repository/{repository.name}"


def _registry_scanning(client: "ECRClient", repository: RepositoryRef) -> str | None:
    """How often ECR scans, where a rule of the registry decides it and not the repository's own setting.

    Such rules name the filters that apply. Continuous scanning is Inspector's, which knows no setting of a repository.
    """
    with translated("ecr:BatchGetRepositoryScanningConfiguration", repository):
        answer = client.batch_get_repository_scanning_configuration(repositoryNames=[repository.name])
    for found in answer.get("scanningConfigurations", []):
        frequency = found.get("scanFrequency", "MANUAL")
        if found.get("appliedScanFilters") or frequency == "CONTINUOUS_SCAN":
            return str(frequency)
    if any(failure.get("failureCode") == "REPOSITORY_NOT_FOUND" for failure in answer.get("failures", [])):
        raise RepositoryNotFoundError(f"there is no repository {repository}")
    return None


def _document(read: Callable[[], str]) -> Document | UnreadableDocument | None:
    try:
        document: object = json.loads(read())
    except ClientError as cause:
        if code_of(cause) in _NO_DOCUMENT:
            return None
        raise
    except (ValueError, RecursionError) as cause:
        return UnreadableDocument(f"it is no JSON: {cause}")
    return document if isinstance(document, dict) else UnreadableDocument("it is no JSON object")


def _mutability(entry: "RepositoryTypeDef") -> TagMutability:
    exclusions = entry.get("imageTagMutabilityExclusionFilters", [])
    return TagMutability(
        Mutability(entry["imageTagMutability"]), frozenset(exclusion["filter"] for exclusion in exclusions)
    )
