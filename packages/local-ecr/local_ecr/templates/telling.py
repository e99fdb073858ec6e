"""CloudTrail's record of a repository that ECR made on its own: CreateRepository by a role of ECR's."""

from __future__ import annotations

import uuid
from typing import Any

from local_ecr.control.protocol import operation_model, write_output
from local_ecr.control.repository_settings import shown_mutability, shown_repository
from local_ecr.control.resource_tags import shown_resource_tags
from local_ecr.names import Registry
from local_ecr.principals import Principal
from local_ecr.services import Services
from local_ecr.state import repositories
from local_ecr.state.creation_templates import CreationTemplate
from local_ecr.state.repositories import Repository
from local_ecr.templates.creation import CREATE_ON_PUSH, PULL_THROUGH_CACHE, REPLICATION, find_template
from local_ecr.trail import ApiCall, Sender, tell_trail

_OPERATION = "CreateRepository"
_TEMPLATES = ("ecr.amazonaws.com", "AWSServiceRoleForECRTemplate")
_OWN_ROLES = {
    REPLICATION: ("replication.ecr.amazonaws.com", "AWSServiceRoleForECRReplication"),
    PULL_THROUGH_CACHE: ("pullthroughcache.ecr.amazonaws.com", "AWSServiceRoleForECRPullThroughCache"),
}
"""Service and service-linked role of what makes repositories without a template, too."""

# Of these only the second was seen in somebody's trail; the others are named after it.
_SESSIONS = {
    CREATE_ON_PUSH: "ECRCreateOnPushWithTemplate",
    PULL_THROUGH_CACHE: "ECRPullThroughCacheWithTemplate",
    REPLICATION: "ECRReplicationWithTemplate",
}


def tell_creation(ecr: Services, registry: Registry, name: str, cause: str) -> None:
    """Tell the trail that ECR made this repository, with the settings that it has. Call it after the commit."""
    with ecr.store.reading() as connection:
        repository = repositories.find(connection, registry, name)
        if repository is None:  # gone again; whoever deleted it is told of
            return
        tags = repositories.resource_tags(connection, repository)
        template = find_template(connection, registry, name, cause)
    creator, service = _creator(registry, template, cause)
    output = write_output(operation_model(_OPERATION), {"repository": shown_repository(ecr, repository)})
    call = _call(creator, service, registry, _parameters(repository, tags), response=output)
    tell_trail(ecr, call)


def tell_failed_creation(ecr: Services, registry: Registry, name: str, cause: str, template: CreationTemplate) -> None:
    """Tell the trail that the service-linked role may not do what the template asks for, which nobody else is told."""
    creator, service = _creator(registry, template, cause)
    action = "ecr:TagResource" if template.resource_tags else "kms:CreateGrant"
    resource = registry.repository_arn(name) if template.resource_tags else template.encryption["kmsKey"]
    message = (
        f"User: {creator.arn} is not authorized to perform: {action} on resource: {resource} because no identity-based "
        f"policy allows the {action} action"
    )
    parameters = {"repositoryName": name, "tags": shown_resource_tags(template.resource_tags)}
    tell_trail(ecr, _call(creator, service, registry, parameters, error=("AccessDeniedException", message)))


def _creator(registry: Registry, template: CreationTemplate | None, cause: str) -> tuple[Principal, str]:
    """The session of a role that ECR assumes, and the service that assumes it."""
    if template is not None and template.custom_role_arn is not None:
        service, path_and_name = _TEMPLATES[0], template.custom_role_arn.split(":role/", 1)[1]
    else:
        service, role = _OWN_ROLES.get(cause, _TEMPLATES) if template is None else _TEMPLATES
        path_and_name = f"aws-service-role/{service}/{role}"
    path, _, role = f"/{path_and_name}".rpartition("/")
    arn = f"arn:{registry.partition}:sts::{registry.account}:assumed-role/{role}/{_SESSIONS[cause]}"
    return Principal(registry.account, arn, path=f"{path}/"), service


def _parameters(repository: Repository, tags: dict[str, str]) -> dict[str, Any]:
    parameters = {
        "repositoryName": repository.name,
        "encryptionConfiguration": dict(repository.encryption),
        **shown_mutability(repository.mutability),
    }
    return {**parameters, "tags": shown_resource_tags(tags)} if tags else parameters


def _call(
    creator: Principal,
    service: str,
    registry: Registry,
    parameters: dict[str, Any],
    *,
    response: dict[str, Any] | None = None,
    error: tuple[str, str] | None = None,
) -> ApiCall:
    return ApiCall(
        operation=_OPERATION,
        principal=creator,
        registry=registry,
        parameters=parameters,
        response=response,
        error=error,
        request_id=str(uuid.uuid4()),
        sender=Sender(service, service, is_internal=True),
    )
