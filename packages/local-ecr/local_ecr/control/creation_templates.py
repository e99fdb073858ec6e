"""Repository creation templates: what ECR gives to the repositories that it makes on its own."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local_ecr.access.permissions import permissions_for_template
from local_ecr.control.call import Call, Handler
from local_ecr.control.policies import read_repository_policy
from local_ecr.control.repository_settings import read_encryption, read_mutability, shown_mutability
from local_ecr.control.resource_tags import read_resource_tags, shown_resource_tags
from local_ecr.errors import EcrError, invalid_parameter
from local_ecr.images.mutability import Mutability
from local_ecr.lifecycle.grammar import check_lifecycle_policy
from local_ecr.names import Registry
from local_ecr.state import creation_templates
from local_ecr.state.creation_templates import CreationTemplate

_ROLE_ARN = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):role/[\w+=,.@/-]+", re.ASCII)
_MUTABILITY = ("imageTagMutability", "imageTagMutabilityExclusionFilters")


def create_template(call: Call) -> Mapping[str, Any]:
    """Resource tags or a KMS key without a role are taken: it is the creation of a repository that fails then."""
    given, now = _given(call), call.now().timestamp()
    blank = CreationTemplate(call.input["prefix"], applied_for=(), created_at=now, updated_at=now)
    template = replace(blank, mutability=read_mutability(call.input), **given)
    with call.store.changing() as change:
        if creation_templates.get(change.connection, call.registry, template.prefix) is not None:
            raise EcrError(
                "TemplateAlreadyExistsException",
                f"The repository creation template with prefix '{template.prefix}' already exists in the registry with "
                f"id '{call.registry.account}'",
            )
        creation_templates.put(change.connection, call.registry, template)
    return _answer(call, template)


def update_template(call: Call) -> Mapping[str, Any]:
    """Change the members that are given; an empty text or list takes what was there away."""
    given, now = _given(call), call.now().timestamp()
    with call.store.changing() as change:
        before = _get(call, change.connection)
        template = replace(before, mutability=_new_mutability(call.input, before), updated_at=now, **given)
        creation_templates.put(change.connection, call.registry, template)
    return _answer(call, template)


def delete_template(call: Call) -> Mapping[str, Any]:
    with call.store.changing() as change:
        template = _get(call, change.connection)
        creation_templates.delete(change.connection, call.registry, template.prefix)
    return _answer(call, template)


def describe_templates(call: Call) -> Mapping[str, Any]:
    """All of the registry, or those of the prefixes that are asked for; a prefix without a template is left out."""
    prefixes, start = call.input.get("prefixes"), call.page_start("")
    with call.store.reading() as connection:
        if prefixes:
            known = creation_templates.get_all(connection, call.registry, prefixes)
            found = [template for template in known if template.key > start]
        else:
            found = creation_templates.page(connection, call.registry, start, call.page_size + 1)
    shown, next_token = call.page(found, lambda template: template.key)
    return {
        "registryId": call.registry.account,
        "repositoryCreationTemplates": [_shown(template) for template in shown],
        "nextToken": next_token,
    }


def _get(call: Call, connection: sqlite3.Connection) -> CreationTemplate:
    template = creation_templates.get(connection, call.registry, call.input["prefix"])
    if template is None:
        raise EcrError(
            "TemplateNotFoundException",
            f"The repository creation template with prefix '{call.input['prefix']}' does not exist in the registry "
            f"with id '{call.registry.account}'",
        )
    return template


def _given(call: Call) -> dict[str, Any]:
    """The members of a request as fields of a template, all but its mutability, for which the caller must be let in.

    Raises EcrError: InvalidParameterException, or AccessDeniedException for what the template would do besides.
    """
    members = call.input
    fields: dict[str, Any] = {}
    if "appliedFor" in members:
        fields["applied_for"] = tuple(dict.fromkeys(members["appliedFor"]))
        if not fields["applied_for"]:
            raise invalid_parameter("appliedFor", "Member must have length greater than or equal to 1")
    if "description" in members:
        fields["description"] = members["description"] or None
    if "encryptionConfiguration" in members:
        fields["encryption"] = read_encryption(members, call.registry)
    if "resourceTags" in members:
        fields["resource_tags"] = read_resource_tags(members["resourceTags"])
    if "repositoryPolicy" in members:
        text = members["repositoryPolicy"]
        fields["repository_policy"] = read_repository_policy(call, text) if text else None
    if "lifecyclePolicy" in members:
        text = members["lifecyclePolicy"]
        fields["lifecycle_policy"] = check_lifecycle_policy(text) if text else None
    if "customRoleArn" in members:
        fields["custom_role_arn"] = _role_arn(members["customRoleArn"], call.registry)
    _require_more(call, fields)
    return fields


def _role_arn(arn: str, registry: Registry) -> str | None:
    if not arn:
        return None
    match = _ROLE_ARN.fullmatch(arn)
    if match is None:
        raise invalid_parameter("customRoleArn", "Invalid ARN")
    if match[1] != registry.account:
        raise invalid_parameter("customRoleArn", "the role must be in the same account as the registry")
    return arn


def _require_more(call: Call, fields: Mapping[str, Any]) -> None:
    permissions = permissions_for_template(
        call.registry,
        call.input["prefix"],
        has_lifecycle_policy=fields.get("lifecycle_policy") is not None,
        has_repository_policy=fields.get("repository_policy") is not None,
        role_arn=fields.get("custom_role_arn"),
    )
    for permission in permissions:
        is_passing = permission.action == "iam:PassRole"
        call.require([permission], {"iam:PassedToService": "ecr.amazonaws.com"} if is_passing else None)


def _new_mutability(members: Mapping[str, Any], before: CreationTemplate) -> Mutability:
    """A new mode without filters keeps those that there are, if it takes any; new filters alone keep the mode."""
    current = shown_mutability(before.mutability)
    given = {name: members[name] for name in _MUTABILITY if name in members}
    if not given.get("imageTagMutability", current[_MUTABILITY[0]]).endswith("_WITH_EXCLUSION"):
        current.pop(_MUTABILITY[1], None)
    return read_mutability({**current, **given})


def _answer(call: Call, template: CreationTemplate) -> dict[str, Any]:
    return {"registryId": call.registry.account, "repositoryCreationTemplate": _shown(template)}


def _shown(template: CreationTemplate) -> dict[str, Any]:
    """Defaults are told as well (AWS CLI reference, examples of create-repository-creation-template)."""
    return {
        "prefix": template.prefix,
        "description": template.description,
        "encryptionConfiguration": dict(template.encryption),
        "resourceTags": shown_resource_tags(template.resource_tags),
        **shown_mutability(template.mutability),
        "repositoryPolicy": template.repository_policy,
        "lifecyclePolicy": template.lifecycle_policy,
        "appliedFor": list(template.applied_for),
        "customRoleArn": template.custom_role_arn,
        "createdAt": template.created_at,
        "updatedAt": template.updated_at,
    }


OPERATIONS: dict[str, Handler] = {
    "CreateRepositoryCreationTemplate": create_template,
    "UpdateRepositoryCreationTemplate": update_template,
    "DeleteRepositoryCreationTemplate": delete_template,
    "DescribeRepositoryCreationTemplates": describe_templates,
}
