"""The ``RegistrySettingsStore`` port over Amazon ECR's API."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.paging import all_pages
from ecr_steward.adapters.translation import code_of, translated
from ecr_steward.adapters.whole_documents import WHOLE
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.registries import CreationTemplate
from ecr_steward.domain.repositories import Document, Encryption, Mutability, TagMutability

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

PAGE_SIZE = 1000  # the largest that ECR takes (DescribeRepositoryCreationTemplates API reference)


class EcrRegistrySettings:
    """A ``RegistrySettingsStore`` over every account that is connected; each is spoken to as ``AwsClients.ecr`` says.

    ECR knows the registry by the caller: these operations take no ``registryId``.
    """

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients

    def policy(self, registry: RegistryRef) -> Document | None:
        with translated("ecr:GetRegistryPolicy", registry):
            try:
                document: Document = json.loads(self._ecr(registry).get_registry_policy()["policyText"])
            except ClientError as cause:
                if code_of(cause) == "RegistryPolicyNotFoundException":
                    return None
                raise
        return document

    def scanning(self, registry: RegistryRef) -> Document:
        with translated("ecr:GetRegistryScanningConfiguration", registry):
            answer: Mapping[str, Any] = self._ecr(registry).get_registry_scanning_configuration()
        document: Document = answer[WHOLE]["scanningConfiguration"]
        return document

    def replication(self, registry: RegistryRef) -> Document:
        with translated("ecr:DescribeRegistry", registry):
            answer: Mapping[str, Any] = self._ecr(registry).describe_registry()
        document: Document = answer[WHOLE]["replicationConfiguration"]
        return document

    def creation_templates(self, registry: RegistryRef) -> Iterator[CreationTemplate]:
        with translated("ecr:DescribeRepositoryCreationTemplates", registry):
            pages = all_pages(
                self._ecr(registry),
                "describe_repository_creation_templates",
                "repositoryCreationTemplates",
                page_size=PAGE_SIZE,
            )
            for entry in pages:
                yield _template(entry)

    def account_setting(self, registry: RegistryRef, name: str) -> str:
        with translated("ecr:GetAccountSetting", f"{registry}, {name}"):
            return self._ecr(registry).get_account_setting(name=name)["value"]

    def put_policy(self, registry: RegistryRef, document: Document) -> None:
        with translated("ecr:PutRegistryPolicy", registry):
            self._ecr(registry).put_registry_policy(policyText=json.dumps(document, separators=(",", ":")))

    def delete_policy(self, registry: RegistryRef) -> None:
        with translated("ecr:DeleteRegistryPolicy", registry):
            try:
                self._ecr(registry).delete_registry_policy()
            except ClientError as cause:
                if code_of(cause) != "RegistryPolicyNotFoundException":
                    raise

    def put_scanning(self, registry: RegistryRef, document: Document) -> None:
        with translated("ecr:PutRegistryScanningConfiguration", registry):
            self._ecr(registry).put_registry_scanning_configuration(**document)

    def put_replication(self, registry: RegistryRef, document: Document) -> None:
        whole: Any = document
        with translated("ecr:PutReplicationConfiguration", registry):
            self._ecr(registry).put_replication_configuration(replicationConfiguration=whole)

    def create_template(self, registry: RegistryRef, template: CreationTemplate) -> None:
        with translated("ecr:CreateRepositoryCreationTemplate", f"{registry}, {template.prefix}"):
            self._ecr(registry).create_repository_creation_template(**_request(template))

    def update_template(self, registry: RegistryRef, template: CreationTemplate) -> None:
        with translated("ecr:UpdateRepositoryCreationTemplate", f"{registry}, {template.prefix}"):
            self._ecr(registry).update_repository_creation_template(**_request(template))

    def put_account_setting(self, registry: RegistryRef, name: str, value: str) -> None:
        with translated("ecr:PutAccountSetting", f"{registry}, {name}"):
            self._ecr(registry).put_account_setting(name=name, value=value)

    def _ecr(self, registry: RegistryRef) -> "ECRClient":
        return self._clients.ecr(registry)


def _template(entry: Mapping[str, Any]) -> CreationTemplate:
    encryption = entry.get("encryptionConfiguration")
    mutability = entry.get("imageTagMutability", Mutability.MUTABLE)
    exclusions = entry.get("imageTagMutabilityExclusionFilters", [])
    return CreationTemplate(
        prefix=entry["prefix"],
        applied_for=frozenset(entry.get("appliedFor", [])),
        description=entry.get("description") or None,
        mutability=TagMutability.read(mutability, (one["filter"] for one in exclusions)),
        policy=json.loads(entry["repositoryPolicy"]) if entry.get("repositoryPolicy") else None,
        lifecycle=json.loads(entry["lifecyclePolicy"]) if entry.get("lifecyclePolicy") else None,
        encryption=Encryption(encryption["encryptionType"], encryption.get("kmsKey")) if encryption else None,
        resource_tags={one["Key"]: one["Value"] for one in entry.get("resourceTags", [])},
        role=entry.get("customRoleArn") or None,
    )


def _request(template: CreationTemplate) -> dict[str, Any]:
    request: dict[str, Any] = {
        "prefix": template.prefix,
        "appliedFor": sorted(template.applied_for),
        "description": template.description,
        "repositoryPolicy": _text(template.policy),
        "lifecyclePolicy": _text(template.lifecycle) if _says_something(template.lifecycle) else "",
        "customRoleArn": template.role,
    }
    if template.mutability:
        request["imageTagMutability"] = template.mutability.mode
        if template.mutability.exclusions:
            filters = [{"filterType": "WILDCARD", "filter": one} for one in sorted(template.mutability.exclusions)]
            request["imageTagMutabilityExclusionFilters"] = filters
    if template.encryption:
        key = {"kmsKey": template.encryption.key} if template.encryption.key else {}
        request["encryptionConfiguration"] = {"encryptionType": template.encryption.type, **key}
    if template.resource_tags:
        request["resourceTags"] = [{"Key": key, "Value": value} for key, value in template.resource_tags.items()]
    return {key: value for key, value in request.items() if value is not None}


def _says_something(lifecycle: Document | None) -> bool:
    """Whether there is a policy, or nothing is said of it. An empty text takes one away."""
    return lifecycle is None or bool(lifecycle.get("rules"))


def _text(document: Document | None) -> str | None:
    return json.dumps(document, separators=(",", ":")) if document is not None else None
