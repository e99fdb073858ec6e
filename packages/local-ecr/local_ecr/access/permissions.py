"""What IAM is asked for each operation, as the service authorization reference has it."""

from __future__ import annotations

from collections.abc import Iterable

from local_ecr.iam import Permission
from local_ecr.names import Registry

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


def permissions_for_template(
    registry: Registry, prefix: str, *, has_lifecycle_policy: bool, has_repository_policy: bool, role_arn: str | None
) -> list[Permission]:
    """What a creation template needs besides, since a repository made by it gets what the caller would have to put.

    Source: ECR user guide, "IAM permissions for creating repository creation templates".
    """
    repositories = registry.repository_arn("*" if prefix == "ROOT" else f"{prefix.removesuffix('/')}/*")
    actions = ["CreateRepository"]
    actions += ["PutLifecyclePolicy"] if has_lifecycle_policy else []
    actions += ["SetRepositoryPolicy"] if has_repository_policy else []
    permissions = [Permission(f"ecr:{action}", repositories) for action in actions]
    return [*permissions, Permission("iam:PassRole", role_arn)] if role_arn else permissions


def permissions_for_enhanced_scan(registry: Registry) -> list[Permission]:
    """What reading an enhanced scan needs besides: ECR asks Inspector for it in the caller's name.

    ECR user guide, "IAM permissions required for enhanced scanning"; the resource as told in
    github.com/alexjurkiewicz/ecr-scan-image/issues/19.
    """
    inspector = f"arn:{registry.partition}:inspector2:{registry.region}:{registry.account}:"
    return [
        Permission("inspector2:ListCoverage", f"{inspector}/coverage/list"),
        Permission("inspector2:ListFindings", f"{inspector}/findings/list"),
    ]
