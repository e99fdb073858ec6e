"""The one gate that every request of both faces passes before anything is read or changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from local_ecr.names import Registry
from local_ecr.principals import Principal


class Authorizer(Protocol):
    """Decides whether `principal` may do `action` (`ecr:PutImage`) on `resource` (a repository's ARN, or `*`)."""

    def __call__(self, principal: Principal, action: str, resource: str) -> None:
        """Return when it is allowed, raise EcrError `AccessDeniedException` when it is not."""


def allow_everything(principal: Principal, action: str, resource: str) -> None:
    """Every caller may do everything: policies are stored and not evaluated."""


@dataclass(frozen=True)
class Permission:
    """What IAM is asked: an action on a resource."""

    action: str
    resource: str


# IAM names that differ from the operation's. ListImageReferrers: by the service authorization reference for ECR. The
# other two are requests of OCI distribution that ECR's API does not have; who may send parts may look and give up.
_ACTIONS = {
    "ListImageReferrers": "BatchGetImage",
    "GetLayerUpload": "UploadLayerPart",
    "CancelLayerUpload": "UploadLayerPart",
}

# Operations of the resource type `repository` that may name none; all others without one know no resource.
_LISTINGS = frozenset({"DescribeRepositories", "BatchGetRepositoryScanningConfiguration"})


def permissions_for(
    registry: Registry, operation: str, repository_names: Iterable[str] = (), *, gives_resource_tags: bool = False
) -> list[Permission]:
    """All that a caller needs for an operation on these repositories, as the service authorization reference has it.

    `gives_resource_tags`: the operation puts resource tags on what it creates, which is TagResource as well.
    """
    resources = [registry.repository_arn(name) for name in repository_names]
    if not resources:
        resources = [registry.repository_arn("*") if operation in _LISTINGS else "*"]
    actions = [_ACTIONS.get(operation, operation), *(["TagResource"] if gives_resource_tags else [])]
    return [Permission(f"ecr:{action}", resource) for action in actions for resource in resources]
