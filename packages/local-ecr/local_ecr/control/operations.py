"""Every operation of ECR's API: who answers it, or why it is refused."""

from __future__ import annotations

from local_ecr.control import (
    account,
    account_settings,
    backfills,
    creation_templates,
    image_deletion,
    images,
    layers,
    lifecycle,
    lifecycle_previews,
    policies,
    pull_times,
    registry_policy,
    replication,
    repositories,
    resource_tags,
    scanning,
    scans,
    storage_class,
)
from local_ecr.control.call import Handler
from local_ecr.errors import EcrError

HANDLERS: dict[str, Handler] = {
    **account.OPERATIONS,
    **account_settings.OPERATIONS,
    **backfills.OPERATIONS,
    **creation_templates.OPERATIONS,
    **image_deletion.OPERATIONS,
    **images.OPERATIONS,
    **layers.OPERATIONS,
    **lifecycle.OPERATIONS,
    **lifecycle_previews.OPERATIONS,
    **policies.OPERATIONS,
    **pull_times.OPERATIONS,
    **registry_policy.OPERATIONS,
    **replication.OPERATIONS,
    **repositories.OPERATIONS,
    **resource_tags.OPERATIONS,
    **scanning.OPERATIONS,
    **scans.OPERATIONS,
    **storage_class.OPERATIONS,
}
"""Every operation that is simulated."""

QUICK = frozenset(
    {
        "DescribeImages",
        "DescribeRepositories",
        "GetAuthorizationToken",
        "GetDownloadUrlForLayer",
        "GetLifecyclePolicy",
        "GetRepositoryPolicy",
        "InitiateLayerUpload",
        "ListImages",
        "ListTagsForResource",
        "PutImage",
    }
)
"""Those that are called most and take few milliseconds; 30 when a filter finds nothing among 100,000 images."""

_PULL_THROUGH = "an upstream registry would have to be reached, and local_ecr speaks to nobody outside this machine"
_SIGNING = "it needs AWS Signer, which has no local stand-in"

REFUSED: dict[str, str] = {
    "CreatePullThroughCacheRule": _PULL_THROUGH,
    "DeletePullThroughCacheRule": _PULL_THROUGH,
    "DescribePullThroughCacheRules": _PULL_THROUGH,
    "UpdatePullThroughCacheRule": _PULL_THROUGH,
    "ValidatePullThroughCacheRule": _PULL_THROUGH,
    "DeleteSigningConfiguration": _SIGNING,
    "DescribeImageSigningStatus": _SIGNING,
    "GetSigningConfiguration": _SIGNING,
    "PutSigningConfiguration": _SIGNING,
}
"""Every other operation of the model, and why it is refused."""


def handler_of(operation: str) -> Handler:
    """Who answers an operation of the model. Raises EcrError UnsupportedOperationException, with the reason."""
    handler = HANDLERS.get(operation)
    if handler is None:
        reason = REFUSED.get(operation, "it is newer than local_ecr")
        raise EcrError(
            "UnsupportedOperationException",
            f"{operation} exists in Amazon ECR and is not simulated by local_ecr: {reason}.",
        )
    return handler
