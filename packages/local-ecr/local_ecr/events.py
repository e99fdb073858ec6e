"""ECR's EventBridge events, in the envelope that a default bus delivers; CloudTrail's records of calls are in `trail`.

Whoever changes an image announces the event on its `Change`, or hands it to `Store.deliver` when nothing is committed.
Sources: ECR user guide, "Amazon ECR events and EventBridge" (the samples), and for what a push really sends
github.com/awslabs/cfn-ecr-aws-soci-index-builder/pull/137.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local_ecr.names import Digest, Registry
from local_ecr.state.images import Image

SOURCE = "aws.ecr"

IMAGE_ACTION = "ECR Image Action"
REFERRER_ACTION = "ECR Referrer Action"
REPLICATION_ACTION = "ECR Replication Action"
SCAN_RESOURCE_CHANGE = "ECR Scan Resource Change"
SERVICE_EVENT = "AWS Service Event via CloudTrail"

MAX_TRAILED_IMAGES = 9  # "10 or more images": several events (user guide, "Logging Amazon ECR actions with CloudTrail")
MAX_TRAILED_TAGS = 100  # of each image, by the same page

ARCHIVE = "ARCHIVE"
STANDARD = "STANDARD"


def image_pushed(
    registry: Registry, repository_name: str, image: Image, image_tag: str | None, now: datetime
) -> dict[str, Any]:
    """`PUSH`: one event per manifest and tag. A push by digest has an empty tag, an index no artifact media type."""
    detail = {**_action(repository_name, image.digest, "PUSH"), "image-tag": image_tag or "", **_media_types(image)}
    return envelope(registry, _action_of(image), detail, now)


def image_deleted(
    registry: Registry, repository_name: str, image: Image, image_tag: str | None, now: datetime
) -> dict[str, Any]:
    """`DELETE`: one event per tag that went; an image that had none is told without `image-tag`."""
    detail = _action(repository_name, image.digest, "DELETE")
    if image_tag:
        detail["image-tag"] = image_tag
    return envelope(registry, _action_of(image), detail, now)


def storage_class_changed(
    registry: Registry,
    repository_name: str,
    image: Image,
    target: str,
    now: datetime,
    *,
    last_activated_at: datetime | None = None,
) -> dict[str, Any]:
    """`UPDATE_STORAGE_CLASS`: an image was archived (`target` ARCHIVE) or restored (STANDARD). No sample has a tag.

    `last_activated_at` is when a restored image became ready; an archived one is told without it.
    """
    detail = {
        **_action(repository_name, image.digest, "UPDATE_STORAGE_CLASS"),
        "target-storage-class": target,
        **_media_types(image),
    }
    if last_activated_at is not None:
        detail["last-activated-at"] = _precise(last_activated_at)
    return envelope(registry, _action_of(image), detail, now)


def image_replicated(
    destination: Registry,
    repository_name: str,
    digest: Digest,
    image_tag: str | None,
    now: datetime,
    *,
    source: Registry,
    result: str = "SUCCESS",
) -> dict[str, Any]:
    """`REPLICATE`, told in the destination's account and region: a copy has arrived, or could not (`result` FAILED).

    An untagged image has an empty tag, as in a push; no sample shows one. Why it failed is in
    DescribeImageReplicationStatus alone.
    """
    detail = {
        **_action(repository_name, digest, "REPLICATE", result),
        "source-account": source.account,
        "source-region": source.region,
        "image-tag": image_tag or "",
    }
    resources = [destination.repository_arn(repository_name)]
    return envelope(destination, REPLICATION_ACTION, detail, now, resources=resources)


@dataclass(frozen=True)
class ScanFrequencyChange:
    """How a repository is scanned now, and how it was: SCAN_ON_PUSH, CONTINUOUS_SCAN or MANUAL."""

    repository_name: str
    scan_frequency: str
    previous_scan_frequency: str


def scan_resource_changed(registry: Registry, changes: Sequence[ScanFrequencyChange], now: datetime) -> dict[str, Any]:
    """`SCAN_FREQUENCY_CHANGE` under enhanced scanning: one event for all repositories that a configuration changed.

    The user guide says that new repositories and images are told, too, and shows no such event; it is not made up here.
    """
    repositories = [
        {
            "repository-name": change.repository_name,
            "repository-arn": registry.repository_arn(change.repository_name),
            "scan-frequency": change.scan_frequency,
            "previous-scan-frequency": change.previous_scan_frequency,
        }
        for change in changes
    ]
    detail = {
        "action-type": "SCAN_FREQUENCY_CHANGE",
        "repositories": repositories,
        "resource-type": "REPOSITORY",
        "scan-type": "ENHANCED",
    }
    return envelope(registry, SCAN_RESOURCE_CHANGE, detail, now)


@dataclass(frozen=True)
class LifecycleAction:
    """What a lifecycle policy did with one image, or could not do (`failure`: code and reason)."""

    digest: Digest
    image_tags: Sequence[str]
    pushed_at: datetime
    rule_priority: int
    failure: tuple[str, str] | None = None


def lifecycle_executed(
    registry: Registry,
    repository_name: str,
    rules: Sequence[Mapping[str, Any]],
    actions: Sequence[LifecycleAction],
    now: datetime,
    *,
    last_evaluated_at: float = 0,
) -> list[dict[str, Any]]:
    """`PolicyExecutionEvent` of a run, whether or not it found something to do, for `Store.deliver` after the run.

    `rules` are those of the policy's text; `last_evaluated_at` is when it ran before (seconds since the epoch, 0:
    never). Shape: user guide, "Logging Amazon ECR actions with AWS CloudTrail", example of an image lifecycle policy
    action; the members of a failure: github.com/aws/containers-roadmap/issues/1665; a run that did nothing, and the
    words of a countType in days: a record of March 2025 in the tests of github.com/ccbrown/cloud-snitch.
    """
    policy = {
        "lifecycleEventRules": [_trailed_rule(rule) for rule in rules],
        "lastEvaluatedAt": int(last_evaluated_at * 1000),
        "policyVersion": 1,
        "policyId": str(uuid.uuid4()),
    }
    parts = [actions[at : at + MAX_TRAILED_IMAGES] for at in range(0, len(actions), MAX_TRAILED_IMAGES)]
    return [
        envelope(registry, SERVICE_EVENT, _policy_execution(registry, repository_name, policy, part, now), now)
        for part in parts or [()]
    ]


def _policy_execution(
    registry: Registry,
    repository_name: str,
    policy: Mapping[str, Any],
    actions: Sequence[LifecycleAction],
    now: datetime,
) -> dict[str, Any]:
    arn = registry.repository_arn(repository_name)
    return {
        "eventVersion": "1.11",
        "userIdentity": {"accountId": registry.account, "invokedBy": "AWS Internal"},
        "eventTime": timestamp(now),
        "eventSource": "ecr.amazonaws.com",
        "eventName": "PolicyExecutionEvent",
        "awsRegion": registry.region,
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        "requestParameters": None,
        "responseElements": None,
        "eventID": str(uuid.uuid4()),
        "readOnly": True,
        "resources": [{"ARN": arn, "accountId": registry.account, "type": "AWS::ECR::Repository"}],
        "eventType": "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": registry.account,
        "serviceEventDetails": {
            "repositoryName": repository_name,
            "lifecycleEventPolicy": policy,
            "lifecycleEventImageActions": [_trailed_action(action) for action in actions],
        },
        "eventCategory": "Management",
    }


def _trailed_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    selection = rule["selection"]
    count_type = re.sub("[A-Z]", lambda letter: f" {letter[0].lower()}", selection["countType"])
    told = {
        "tagStatus": selection["tagStatus"].capitalize(),
        "tagPrefixList": list(selection.get("tagPrefixList", [])),
        **{name: selection[name] for name in ("tagPatternList", "storageClass") if name in selection},
        "countType": f"Time {count_type}" if "countUnit" in selection else count_type.capitalize(),
        **({"countUnit": selection["countUnit"].capitalize()} if "countUnit" in selection else {}),
        "countNumber": selection["countNumber"],
    }
    description = {"description": rule["description"]} if "description" in rule else {}
    return {
        "rulePriority": rule["rulePriority"],
        **description,
        "lifecycleEventSelection": told,
        "action": rule["action"]["type"],
    }


def _trailed_action(action: LifecycleAction) -> dict[str, Any]:
    told: dict[str, Any] = {
        "lifecycleEventImage": {
            "digest": action.digest,
            "tagStatus": "Tagged" if action.image_tags else "Untagged",
            "tagList": list(action.image_tags[:MAX_TRAILED_TAGS]),
            "pushedAt": int(action.pushed_at.timestamp() * 1000),
        },
        "rulePriority": action.rule_priority,
    }
    if action.failure is not None:
        told["failureCode"], told["failureReason"] = action.failure
    return told


def envelope(
    registry: Registry,
    detail_type: str,
    detail: Mapping[str, Any],
    now: datetime,
    *,
    resources: Sequence[str] = (),
    source: str = SOURCE,
) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": registry.account,
        "time": timestamp(now),
        "region": registry.region,
        "resources": list(resources),
        "detail": dict(detail),
    }


def timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _precise(moment: datetime) -> str:
    """With milliseconds and no zeros behind them, as in the samples: `2025-10-10T19:13:02.74Z`."""
    fraction = f".{moment.microsecond // 1000:03}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def _action_of(image: Image) -> str:
    """Images with a subject have a detail-type of their own.

    The user guide shows it for a restored referrer only, "to distinguish it from regular image actions". That pushes
    and deletes are told so, too, is inferred: EventBridge's schema of `ECR Referrer Action` had an action-type before
    there was a storage class to update. `Quirks.referrer_action` turns it off.
    """
    return REFERRER_ACTION if image.subject else IMAGE_ACTION


def as_image_action(event: dict[str, Any]) -> dict[str, Any]:
    """An event as it were if referrers had no detail-type of their own."""
    return {**event, "detail-type": IMAGE_ACTION} if event["detail-type"] == REFERRER_ACTION else event


def _action(repository_name: str, digest: Digest, action: str, result: str = "SUCCESS") -> dict[str, Any]:
    return {"result": result, "repository-name": repository_name, "image-digest": digest, "action-type": action}


def _media_types(image: Image) -> dict[str, str]:
    media_types = {"manifest-media-type": image.media_type}
    if image.artifact_media_type:
        media_types["artifact-media-type"] = image.artifact_media_type
    return media_types
