"""Lifecycle policies: stored, read back, previewed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.errors import EcrError
from local_ecr.lifecycle.grammar import check_lifecycle_policy
from local_ecr.state import repositories


def put_lifecycle_policy(call: Call) -> Mapping[str, Any]:
    written = check_lifecycle_policy(call.input["lifecyclePolicyText"])
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        repositories.set_lifecycle_policy(change.connection, repository, written)
    return call.in_repository(lifecyclePolicyText=written)


def get_lifecycle_policy(call: Call) -> Mapping[str, Any]:
    with call.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
    if repository.lifecycle_policy is None:
        raise _no_lifecycle_policy(call)
    return call.in_repository(lifecyclePolicyText=repository.lifecycle_policy)


def delete_lifecycle_policy(call: Call) -> Mapping[str, Any]:
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        if repository.lifecycle_policy is None:
            raise _no_lifecycle_policy(call)
        repositories.set_lifecycle_policy(change.connection, repository, None)
    return call.in_repository(lifecyclePolicyText=repository.lifecycle_policy)


def _no_lifecycle_policy(call: Call) -> EcrError:
    return EcrError(
        "LifecyclePolicyNotFoundException",
        f"Lifecycle policy does not exist for the repository with name '{call.repository_name}' in the registry with "
        f"id '{call.registry.account}'",
    )


OPERATIONS: dict[str, Handler] = {
    "PutLifecyclePolicy": put_lifecycle_policy,
    "GetLifecyclePolicy": get_lifecycle_policy,
    "DeleteLifecyclePolicy": delete_lifecycle_policy,
}
