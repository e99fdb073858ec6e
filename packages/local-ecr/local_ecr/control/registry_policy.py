"""The registry policy: checked, stored, read back. The gate evaluates it at every request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_ecr.access.gate import FIRST_SCOPE, SCOPE
from local_ecr.control.call import Call, Handler
from local_ecr.control.documents import check_registry_policy
from local_ecr.control.policies import require_understood
from local_ecr.errors import EcrError
from local_ecr.state import registries


def put_registry_policy(call: Call) -> Mapping[str, Any]:
    """Of scope V1 a policy knows three actions, or `ecr:*` (ECR user guide, "registry-permissions")."""
    text, reformat = call.input["policyText"], call.ecr.quirks.policy_reformatted
    with call.store.changing() as change:
        settings = registries.get(change.connection, call.registry, registries.ACCOUNT_SETTINGS) or {}
        actions = FIRST_SCOPE if settings.get(SCOPE) == "V1" else None
        written = check_registry_policy(text, actions=actions, reformat=reformat)
        require_understood(written)
        registries.put(change.connection, call.registry, registries.POLICY, written)
    return _answer(call, written)


def get_registry_policy(call: Call) -> Mapping[str, Any]:
    with call.store.reading() as connection:
        policy = registries.get(connection, call.registry, registries.POLICY)
    if policy is None:
        raise _no_registry_policy(call)
    return _answer(call, policy)


def delete_registry_policy(call: Call) -> Mapping[str, Any]:
    with call.store.changing() as change:
        policy = registries.get(change.connection, call.registry, registries.POLICY)
        if policy is None:
            raise _no_registry_policy(call)
        registries.delete(change.connection, call.registry, registries.POLICY)
    return _answer(call, policy)


def _answer(call: Call, policy: str) -> dict[str, Any]:
    return {"registryId": call.registry.account, "policyText": policy}


def _no_registry_policy(call: Call) -> EcrError:
    return EcrError(
        "RegistryPolicyNotFoundException",
        f"Registry policy does not exist in the registry with id '{call.registry.account}'",
    )


OPERATIONS: dict[str, Handler] = {
    "PutRegistryPolicy": put_registry_policy,
    "GetRegistryPolicy": get_registry_policy,
    "DeleteRegistryPolicy": delete_registry_policy,
}
