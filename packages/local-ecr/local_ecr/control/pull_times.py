"""Principals whose pulls are not recorded as pull times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.errors import EcrError
from local_ecr.state import registries

MAX_EXCLUSIONS = 100  # ECR user guide, "Pull-time update exclusions": up to 100 per account


def register_exclusion(call: Call) -> Mapping[str, Any]:
    arn, now = call.input["principalArn"], call.now()
    with call.store.changing() as change:
        excluded = registries.get(change.connection, call.registry, registries.PULL_TIME_EXCLUSIONS) or {}
        if arn in excluded:
            raise EcrError(
                "ExclusionAlreadyExistsException", f"The pull time update exclusion for '{arn}' already exists"
            )
        if len(excluded) >= MAX_EXCLUSIONS:
            raise EcrError(
                "LimitExceededException", f"The registry already has {MAX_EXCLUSIONS} pull time update exclusions"
            )
        added = {**excluded, arn: now.timestamp()}
        registries.put(change.connection, call.registry, registries.PULL_TIME_EXCLUSIONS, added)
    return {"principalArn": arn, "createdAt": now}


def deregister_exclusion(call: Call) -> Mapping[str, Any]:
    arn = call.input["principalArn"]
    with call.store.changing() as change:
        excluded = registries.get(change.connection, call.registry, registries.PULL_TIME_EXCLUSIONS) or {}
        if arn not in excluded:
            raise EcrError("ExclusionNotFoundException", f"There is no pull time update exclusion for '{arn}'")
        left = {one: created for one, created in excluded.items() if one != arn}
        registries.put(change.connection, call.registry, registries.PULL_TIME_EXCLUSIONS, left)
    return {"principalArn": arn}


def list_exclusions(call: Call) -> Mapping[str, Any]:
    after = call.page_start("")
    with call.store.reading() as connection:
        excluded = registries.get(connection, call.registry, registries.PULL_TIME_EXCLUSIONS) or {}
    shown, next_token = call.page(sorted(arn for arn in excluded if arn > after), lambda arn: arn)
    return {"pullTimeUpdateExclusions": list(shown), "nextToken": next_token}


OPERATIONS: dict[str, Handler] = {
    "RegisterPullTimeUpdateExclusion": register_exclusion,
    "DeregisterPullTimeUpdateExclusion": deregister_exclusion,
    "ListPullTimeUpdateExclusions": list_exclusions,
}
