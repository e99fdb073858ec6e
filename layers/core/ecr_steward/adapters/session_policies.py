"""What a function may do in a connected account: the session policies with which it assumes SpokeRole there.

SpokeRole (spoke.yaml) has what all functions need together, and says on which resources and under which conditions. A
session may only do what both allow, so a policy names actions alone, and a pattern stands for those of SpokeRole's
actions that it matches. Source: IAM user guide, "Session policies".
"""

import json
from collections.abc import Mapping

_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "enforce_image_tags": (
        "ecr:BatchDeleteImage",
        "ecr:BatchGetImage",
        "ecr:DescribeImages",
        "ecr:GetAuthorizationToken",
        "ecr:GetDownloadUrlForLayer",
        "ecr:ListTagsForResource",
        "ecr:PutImage",
    ),
    "apply_repository_policies": (
        "ecr:*AccountSetting",
        "ecr:*Configuration",
        "ecr:*CreationTemplate*",
        "ecr:*Policy",
        "ecr:CreateRepository",
        "ecr:DescribeImages",
        "ecr:DescribeRegistry",
        "ecr:DescribeRepositories",
        "ecr:ListTagsForResource",
        "ecr:PutImageTagMutability",
        "ecr:TagResource",
        "iam:CreateServiceLinkedRole",
        "iam:PassRole",
        "inspector2:Disable",
        "inspector2:Enable",
        "inspector2:ListAccountPermissions",
    ),
    "evaluate_image_scan": (
        "ecr:BatchGetImage",
        "ecr:DescribeImageScanFindings",
        "ecr:DescribeImages",
        "ecr:ListTagsForResource",
        "inspector2:ListCoverage",
        "inspector2:ListFindings",
    ),
    "replicate_image": (
        "ecr:*Layer*",
        "ecr:*LifecyclePolicy",
        "ecr:*RepositoryPolicy",
        "ecr:Batch*",
        "ecr:CreateRepository",
        "ecr:DescribeImageScanFindings",
        "ecr:DescribeImages",
        "ecr:DescribeRepositories",
        "ecr:GetAuthorizationToken",
        "ecr:ListTagsForResource",
        "ecr:PutImage*",
        "ecr:TagResource",
        "inspector2:ListCoverage",
        "inspector2:ListFindings",
        "kms:CreateGrant",
        "kms:DescribeKey",
    ),
    "reconcile_registry": (
        "ecr:Batch*",
        "ecr:Create*",
        "ecr:Delete*",
        "ecr:Describe*",
        "ecr:Get*",
        "ecr:ListReplicationBackfills",
        "ecr:ListTagsForResource",
        "ecr:Put*",
        "ecr:SetRepositoryPolicy",
        "ecr:StartReplicationBackfill",
        "ecr:TagResource",
        "ecr:UpdateRepositoryCreationTemplate",
        "ecs:Describe*",
        "ecs:List*",
        "iam:CreateServiceLinkedRole",
        "iam:PassRole",
        "inspector2:*able",
        "inspector2:List*",
        "lambda:GetFunction",
        "lambda:ListFunctions",
    ),
    "refresh_credentials": (
        "ecr:DescribeRepositories",
        "ecr:ListImages",
    ),
}
"""By function, what of SpokeRole's actions it may use: those that it has at home.

Patterns keep the policies small: STS packs a policy into the session's token, and 31 names of actions have been refused
as too large long before the 2,048 characters (PackedPolicyTooLarge).
"""


def session_policy(function: str) -> str:
    """The policy of a function's session in a connected account, as AssumeRole takes it. Raises KeyError."""
    statement = {"Effect": "Allow", "Action": _ACTIONS[function], "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
