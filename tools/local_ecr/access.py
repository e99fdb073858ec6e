"""The one gate that every request of both faces passes before anything is read or changed."""

from __future__ import annotations

from typing import Protocol

from local_ecr.names import Registry
from local_ecr.principals import Principal


class Authorizer(Protocol):
    """Decides whether `principal` may do `action` (`ecr:PutImage`) on `resource` (a repository's ARN, or `*`)."""

    def __call__(self, principal: Principal, action: str, resource: str) -> None:
        """Return when it is allowed, raise EcrError `AccessDeniedException` when it is not."""


def allow_everything(principal: Principal, action: str, resource: str) -> None:
    """Every caller may do everything: policies are stored and not evaluated."""


# IAM names that differ from the operation's: the service authorization reference maps them so.
_ACTIONS = {"ListImageReferrers": "BatchGetImage", "MountLayer": "InitiateLayerUpload"}


def action_of(operation: str) -> str:
    """The IAM action that an operation needs."""
    return f"ecr:{_ACTIONS.get(operation, operation)}"


def resource_of(registry: Registry, repository_name: str | None) -> str:
    """What an operation acts on, as IAM names it."""
    return registry.repository_arn(repository_name) if repository_name else "*"
