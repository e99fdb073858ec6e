"""Repositories: create, describe, delete, and their settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.control.repository_settings import (
    read_encryption,
    read_mutability,
    shown_mutability,
    shown_repository,
)
from local_ecr.control.resource_tags import read_resource_tags
from local_ecr.errors import EcrError
from local_ecr.quotas.room import require_room
from local_ecr.state import images, layers, repositories


def create_repository(call: Call) -> Mapping[str, Any]:
    tags = read_resource_tags(call.input.get("tags", ()))
    mutability = read_mutability(call.input)
    scanning = call.input.get("imageScanningConfiguration", {})
    encryption = read_encryption(call.input, call.registry)
    with call.store.changing() as change:
        repository = repositories.create(
            change.connection,
            call.registry,
            call.repository_name,
            created_at=call.now().timestamp(),
            mutability=mutability,
            scan_on_push=scanning.get("scanOnPush", False),
            encryption=encryption,
        )
        if repository is None:
            raise EcrError(
                "RepositoryAlreadyExistsException",
                f"The repository with name '{call.repository_name}' already exists in the registry with id "
                f"'{call.registry.account}'",
            )
        require_room(change.connection, call.registry, call.ecr.quotas)
        repositories.add_resource_tags(change.connection, repository, tags)
    return {"repository": shown_repository(call.ecr, repository, call.facts)}


def describe_repositories(call: Call) -> Mapping[str, Any]:
    names = call.input.get("repositoryNames")
    call.require_unpaged("repositoryNames")
    with call.store.reading() as connection:
        if names is not None:
            found = [repositories.get(connection, call.registry, name) for name in names]
            return {"repositories": [shown_repository(call.ecr, repository, call.facts) for repository in found]}
        found = repositories.page(connection, call.registry, call.page_start(""), call.page_size + 1)
    shown, next_token = call.page(found, lambda repository: repository.name)
    return {
        "repositories": [shown_repository(call.ecr, repository, call.facts) for repository in shown],
        "nextToken": next_token,
    }


def delete_repository(call: Call) -> Mapping[str, Any]:
    with call.store.changing() as change:
        connection = change.connection
        repository = repositories.get(connection, call.registry, call.repository_name)
        if images.count(connection, repository.id) and not call.input.get("force", False):
            raise EcrError(
                "RepositoryNotEmptyException",
                f"The repository with name '{repository.name}' in registry with id '{call.registry.account}' cannot be "
                "deleted because it still contains images",
            )
        digests = layers.digests_of(connection, repository.id)
        upload_ids = layers.uploads_of(connection, repository.id)
        repositories.delete(connection, repository)
        change.drop_layers(call.registry, digests)
    for upload_id in upload_ids:
        call.store.content.remove_upload(call.registry, upload_id)
        call.store.upload_files.forget(upload_id)
    return {"repository": shown_repository(call.ecr, repository, call.facts)}


def put_image_tag_mutability(call: Call) -> Mapping[str, Any]:
    mutability = read_mutability(call.input)
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        repositories.set_mutability(change.connection, repository, mutability)
    return call.in_repository(**shown_mutability(mutability))


OPERATIONS: dict[str, Handler] = {
    "CreateRepository": create_repository,
    "DescribeRepositories": describe_repositories,
    "DeleteRepository": delete_repository,
    "PutImageTagMutability": put_image_tag_mutability,
}
