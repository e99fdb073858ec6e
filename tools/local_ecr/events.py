"""ECR's EventBridge events and CloudTrail's records of API calls, in the envelope that a default bus delivers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from local_ecr.names import Digest, Registry
from local_ecr.state.images import Image

SOURCE = "aws.ecr"


def image_pushed(
    registry: Registry, repository_name: str, image: Image, image_tag: str | None, now: datetime
) -> dict[str, Any]:
    """One event per manifest and tag. A push by digest has an empty tag; an index has no artifact media type."""
    detail = {
        "result": "SUCCESS",
        "repository-name": repository_name,
        "image-digest": image.digest,
        "action-type": "PUSH",
        "image-tag": image_tag or "",
        "manifest-media-type": image.media_type,
    }
    if image.artifact_media_type:
        detail["artifact-media-type"] = image.artifact_media_type
    return envelope(registry, "ECR Image Action", detail, now)


def image_deleted(
    registry: Registry, repository_name: str, digest: Digest, image_tag: str | None, now: datetime
) -> dict[str, Any]:
    """One event per tag that went; an image that had none is told without `image-tag`."""
    detail = {
        "result": "SUCCESS",
        "repository-name": repository_name,
        "image-digest": digest,
        "action-type": "DELETE",
    }
    if image_tag:
        detail["image-tag"] = image_tag
    return envelope(registry, "ECR Image Action", detail, now)


def api_call(
    registry: Registry,
    *,
    operation: str,
    identity: Mapping[str, Any],
    request_id: str,
    parameters: Mapping[str, Any] | None,
    response: Mapping[str, Any] | None,
    resources: Sequence[str],
    error: tuple[str, str] | None,
    source_ip: str,
    user_agent: str,
    now: datetime,
) -> dict[str, Any]:
    """`AWS API Call via CloudTrail` for a call that changes something, made or refused (`error`: code, message)."""
    detail: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": dict(identity),
        "eventTime": timestamp(now),
        "eventSource": "ecr.amazonaws.com",
        "eventName": operation,
        "awsRegion": registry.region,
        "sourceIPAddress": source_ip,
        "userAgent": user_agent,
        "requestParameters": parameters,
        "responseElements": response,
        "requestID": request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "resources": [{"accountId": arn.split(":")[4], "ARN": arn} for arn in resources],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": registry.account,
        "eventCategory": "Management",
    }
    if error is not None:
        detail["errorCode"], detail["errorMessage"] = error
    return envelope(registry, "AWS API Call via CloudTrail", detail, now)


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
