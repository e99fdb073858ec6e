"""Lifecycle previews: what a policy would do, without doing it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.control.lifecycle import no_lifecycle_policy
from local_ecr.errors import EcrError, invalid_parameter
from local_ecr.lifecycle.grammar import check_lifecycle_policy
from local_ecr.lifecycle.plan import Step, plan
from local_ecr.lifecycle.policy import ARCHIVE, EXPIRE, TRANSITION, read_policy
from local_ecr.state import lifecycle, previews, repositories
from local_ecr.state.previews import PreviewResult


def start_lifecycle_policy_preview(call: Call) -> Mapping[str, Any]:
    """Preview the policy given, else the repository's own.

    As ECR does, this answers that the preview is in progress; it is complete by then, so that a waiter's first look
    finds it, and none is ever refused because another is under way.
    """
    given = call.input.get("lifecyclePolicyText")
    text = None if given is None else check_lifecycle_policy(given)
    with call.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        facts = lifecycle.facts_of(connection, repository)
    policy = text or repository.lifecycle_policy
    if policy is None:
        raise no_lifecycle_policy(call)
    steps = plan(facts, read_policy(policy), call.now().timestamp())
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        previews.put(change.connection, repository, policy, _results(steps))
    return call.in_repository(lifecyclePolicyText=policy, status="IN_PROGRESS")


def get_lifecycle_policy_preview(call: Call) -> Mapping[str, Any]:
    call.require_unpaged("imageIds")
    if any(not (wanted.digest or wanted.image_tag) for wanted in call.image_ids):
        raise invalid_parameter("imageIds", "both tag and digest cannot be null")
    tag_status = call.input.get("filter", {}).get("tagStatus", "ANY")
    next_token = None
    with call.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        policy = previews.policy_of(connection, repository)
        if policy is None:
            raise _no_preview(call)
        totals = previews.totals(connection, repository)
        if "imageIds" in call.input:
            named = [
                one
                for wanted in call.image_ids
                for one in previews.of_image(connection, repository, wanted.digest, wanted.image_tag)
            ]
            results = list({one.digest: one for one in named if _has_status(one, tag_status)}.values())
        else:
            found = previews.page(connection, repository, tag_status, call.page_start(0), call.page_size + 1)
            shown, next_token = call.page(found, lambda row: row[0])
            results = [one for _, one in shown]
    return call.in_repository(
        lifecyclePolicyText=policy,
        status="COMPLETE",
        nextToken=next_token,
        previewResults=[_result(one) for one in results],
        summary=_summary(totals),
    )


def _results(steps: Iterable[Step]) -> Iterable[PreviewResult]:
    for step in steps:
        assert step.rule_priority is not None  # noqa: S101  only followers have none, and they are no part of a preview
        yield PreviewResult(
            digest=step.image.digest,
            image_tags=step.image.image_tags,
            pushed_at=step.image.pushed_at,
            action=step.action,
            rule_priority=step.rule_priority,
            storage_class=step.image.storage_class,
        )


def _has_status(result: PreviewResult, tag_status: str) -> bool:
    return tag_status == "ANY" or (tag_status == "TAGGED") == bool(result.image_tags)


def _result(result: PreviewResult) -> dict[str, Any]:
    return {
        "imageTags": list(result.image_tags) or None,
        "imageDigest": result.digest,
        "imagePushedAt": result.pushed_at,
        "action": {"type": result.action, "targetStorageClass": ARCHIVE if result.action == TRANSITION else None},
        "appliedRulePriority": result.rule_priority,
        "storageClass": result.storage_class,
    }


def _summary(totals: Mapping[str, int]) -> dict[str, Any]:
    """Transitions are counted "only if at least one image will be transitioned" (LifecyclePolicyPreviewSummary)."""
    archived = totals.get(TRANSITION, 0)
    return {
        "expiringImageTotalCount": totals.get(EXPIRE, 0),
        "transitioningImageTotalCounts": [{"targetStorageClass": ARCHIVE, "imageTotalCount": archived}]
        if archived
        else None,
    }


def _no_preview(call: Call) -> EcrError:
    return EcrError(
        "LifecyclePolicyPreviewNotFoundException",
        f"There is no lifecycle policy preview for the repository with name '{call.repository_name}' in the registry "
        f"with id '{call.registry.account}'",
    )


OPERATIONS: dict[str, Handler] = {
    "StartLifecyclePolicyPreview": start_lifecycle_policy_preview,
    "GetLifecyclePolicyPreview": get_lifecycle_policy_preview,
}
