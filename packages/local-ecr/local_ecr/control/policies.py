"""Repository policies: checked, stored, read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local_ecr.access.permissions import permissions_for
from local_ecr.control.call import Call, Handler
from local_ecr.control.documents import check_repository_policy
from local_ecr.errors import EcrError, invalid_parameter
from local_ecr.iam import UnsupportedPolicyError, check
from local_ecr.state import repositories


def set_repository_policy(call: Call) -> Mapping[str, Any]:
    """Refuses, as AWS does, what would keep the caller from ever setting another policy, unless it is forced."""
    written = read_repository_policy(call, call.input["policyText"])
    if not call.input.get("force", False):
        _require_way_back(call, written)
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        repositories.set_policy(change.connection, repository, written)
    return call.in_repository(policyText=written)


def read_repository_policy(call: Call, text: str) -> str:
    """A repository policy as it will be read back. Raises EcrError: it is none, or it is not evaluated here."""
    written = check_repository_policy(text, reformat=call.ecr.quirks.policy_reformatted)
    require_understood(written)
    return written


def require_understood(policy: str) -> None:
    """Refuse at once what no request could be judged by. Raises EcrError UnsupportedOperationException."""
    try:
        check(json.loads(policy))
    except UnsupportedPolicyError as cause:
        raise EcrError(
            "UnsupportedOperationException",
            f"Amazon ECR may know what this policy means, local_ecr does not evaluate it: {cause}",
        ) from cause


def _require_way_back(call: Call, policy: str) -> None:
    for permission in permissions_for(call.registry, call.operation, [call.repository_name]):
        if not call.ecr.gate.would_allow(call.principal, call.registry, permission, policy, facts=call.facts):
            raise invalid_parameter(
                "PolicyText",
                "The policy would prevent you from setting another policy in the future: force the operation to set it",
            )


def get_repository_policy(call: Call) -> Mapping[str, Any]:
    with call.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
    if repository.policy is None:
        raise _no_repository_policy(call)
    return call.in_repository(policyText=repository.policy)


def delete_repository_policy(call: Call) -> Mapping[str, Any]:
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        if repository.policy is None:
            raise _no_repository_policy(call)
        repositories.set_policy(change.connection, repository, None)
    return call.in_repository(policyText=repository.policy)


def _no_repository_policy(call: Call) -> EcrError:
    return EcrError(
        "RepositoryPolicyNotFoundException",
        f"Repository policy does not exist for the repository with name '{call.repository_name}' in the registry with "
        f"id '{call.registry.account}'",
    )


OPERATIONS: dict[str, Handler] = {
    "SetRepositoryPolicy": set_repository_policy,
    "GetRepositoryPolicy": get_repository_policy,
    "DeleteRepositoryPolicy": delete_repository_policy,
}
