"""The settings of a repository as Amazon ECR's API tells them: in a list of repositories, or each part by a call."""

import json
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, NotRequired, TypedDict

from botocore.exceptions import ClientError

from ecr_steward.adapters.translation import code_of, translated
from ecr_steward.domain.names import RegistryRef, RepositoryRef
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

SCANNING_BATCH_SIZE = 25  # the most that one call takes (BatchGetRepositoryScanningConfiguration API reference)
_GONE = "REPOSITORY_NOT_FOUND"
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
    read = repository.read | {Part.DESCRIPTION}
    return replace(repository, settings=settings, read=read, created_at=entry.get("createdAt"))


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
        decided = read_registry_scanning(client, ref.registry, [ref.name])
        if ref.name not in decided:
            raise RepositoryNotFoundError(f"there is no repository {ref}")
        return repository.scanned_as(decided[ref.name])
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


def read_registry_scanning(
    client: "ECRClient", registry: RegistryRef, names: Sequence[str]
) -> Mapping[str, str | None]:
    """How often ECR scans, by repository, where rules of the registry decide it and not the repository's own setting.

    Such rules name the filters that apply. Continuous scanning is Inspector's, which knows no setting of a repository.
    At most ``SCANNING_BATCH_SIZE`` names; one that is not there is left out.
    """
    with translated("ecr:BatchGetRepositoryScanningConfiguration", registry):
        answer = client.batch_get_repository_scanning_configuration(repositoryNames=list(names))
    gone = {
        failure.get("repositoryName") for failure in answer.get("failures", []) if failure.get("failureCode") == _GONE
    }
    decided: dict[str, str | None] = {name: None for name in names if name not in gone}
    for found in answer.get("scanningConfigurations", []):
        frequency = found.get("scanFrequency", "MANUAL")
        if found.get("appliedScanFilters") or frequency == "CONTINUOUS_SCAN":
            decided[found["repositoryName"]] = str(frequency)
    return decided


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
    # Answers of before July 2019 do not say it; what is not said is MUTABLE (CreateRepository API reference).
    mode = entry.get("imageTagMutability", Mutability.MUTABLE)
    return TagMutability.read(mode, (exclusion["filter"] for exclusion in exclusions))
