"""Lifecycle policies: stored, read back, removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.errors import EcrError
from local_ecr.lifecycle.grammar import check_lifecycle_policy
from local_ecr.state import lifecycle, repositories


def put_lifecycle_policy(call: Call) -> Mapping[str, Any]:
    written = check_lifecycle_policy(call.input["lifecyclePolicyText"])
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        lifecycle.set_policy(change.connection, repository, written, call.now())
    return call.in_repository(lifecyclePolicyText=written)


def get_lifecycle_policy(call: Call) -> Mapping[str, Any]:
    with call.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        ran_at = lifecycle.ran_at(connection, repository)
    if repository.lifecycle_policy is None:
        raise no_lifecycle_policy(call)
    return call.in_repository(lifecyclePolicyText=repository.lifecycle_policy, lastEvaluatedAt=ran_at)


def delete_lifecycle_policy(call: Call) -> Mapping[str, Any]:
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        if repository.lifecycle_policy is None:
            raise no_lifecycle_policy(call)
        ran_at = lifecycle.ran_at(change.connection, repository)
        lifecycle.set_policy(change.connection, repository, None, call.now())
    return call.in_repository(lifecyclePolicyText=repository.lifecycle_policy, lastEvaluatedAt=ran_at)


def no_lifecycle_policy(call: Call) -> EcrError:
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
