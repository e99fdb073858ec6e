"""A repository that ECR makes on its own: by the creation template that is for it, or with the default settings."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from local_ecr.errors import repository_not_found
from local_ecr.images.mutability import Mutability
from local_ecr.names import Registry
from local_ecr.state import creation_templates, lifecycle, repositories
from local_ecr.state.creation_templates import CreationTemplate
from local_ecr.state.repositories import Repository
from local_ecr.state.store import Change
from local_ecr.templates.matching import choose_template, prefixes_above

CREATE_ON_PUSH = "CREATE_ON_PUSH"
REPLICATION = "REPLICATION"
PULL_THROUGH_CACHE = "PULL_THROUGH_CACHE"


def ensure_repository(change: Change, registry: Registry, name: str, cause: str, now: datetime) -> Repository:
    """The repository of this name; made for `cause` when it is not there yet.

    Raises EcrError RepositoryNotFoundException: a push makes a repository only by a template, and a template with
    resource tags or a KMS key makes none unless it names a role of its own ("otherwise the repository creation will
    fail", ECR user guide, "repository-creation-templates").
    """
    found = repositories.find(change.connection, registry, name)
    if found is not None:
        return found
    template = find_template(change.connection, registry, name, cause)
    if template is None and cause == CREATE_ON_PUSH:
        raise repository_not_found(name, registry.account)
    if template is not None and lacks_role(template):
        raise repository_not_found(name, registry.account)
    return _create(change, registry, name, template, now)


def find_template(connection: sqlite3.Connection, registry: Registry, name: str, cause: str) -> CreationTemplate | None:
    """The template by which a repository of this name would be made for this cause."""
    return choose_template(creation_templates.get_all(connection, registry, prefixes_above(name)), name, cause)


def lacks_role(template: CreationTemplate) -> bool:
    """Whether what this template asks for is more than ECR's service-linked role may do: CreateRepository alone."""
    needs_role = bool(template.resource_tags) or dict(template.encryption) != repositories.DEFAULT_ENCRYPTION
    return needs_role and template.custom_role_arn is None


def _create(
    change: Change, registry: Registry, name: str, template: CreationTemplate | None, now: datetime
) -> Repository:
    connection = change.connection
    created = repositories.create(
        connection,
        registry,
        name,
        created_at=now.timestamp(),
        mutability=template.mutability if template else Mutability(),
        scan_on_push=False,
        encryption=template.encryption if template else repositories.DEFAULT_ENCRYPTION,
    )
    assert created is not None  # noqa: S101  it was looked for in this transaction
    if template is not None:
        repositories.add_resource_tags(connection, created, template.resource_tags)
        repositories.set_policy(connection, created, template.repository_policy)
        lifecycle.set_policy(connection, created, template.lifecycle_policy, now)
    return repositories.get(connection, registry, name)
