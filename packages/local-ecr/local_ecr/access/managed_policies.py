"""AWS's own policies for ECR, by name.

Source: AWS managed policy reference, pages of the same names (versions 1, 3, 3 and 3); a test compares them with the
copy of AWS's list that moto carries.
"""

from __future__ import annotations

from collections.abc import Mapping

from local_ecr.iam import Policy

_PULL = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_READ = [
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:GetRepositoryPolicy",
    "ecr:DescribeRepositories",
    "ecr:ListImages",
    "ecr:DescribeImages",
    "ecr:BatchGetImage",
    "ecr:GetLifecyclePolicy",
    "ecr:GetLifecyclePolicyPreview",
    "ecr:ListTagsForResource",
    "ecr:DescribeImageScanFindings",
]
_PUSH = ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"]


def _policy(name: str, *statements: Mapping[str, object]) -> Policy:
    written = [{"Effect": "Allow", "Resource": "*", **statement} for statement in statements]
    return Policy(name, {"Version": "2012-10-17", "Statement": written})


MANAGED_POLICIES: Mapping[str, Policy] = {
    policy.name: policy
    for policy in (
        _policy("AmazonEC2ContainerRegistryPullOnly", {"Action": [*_PULL, "ecr:BatchImportUpstreamImage"]}),
        _policy("AmazonEC2ContainerRegistryReadOnly", {"Action": _READ}),
        _policy("AmazonEC2ContainerRegistryPowerUser", {"Action": [*_READ, *_PUSH]}),
        _policy(
            "AmazonEC2ContainerRegistryFullAccess",
            {"Action": ["ecr:*", "cloudtrail:LookupEvents"]},
            {
                "Action": ["iam:CreateServiceLinkedRole"],
                "Condition": {"StringEquals": {"iam:AWSServiceName": ["replication.ecr.amazonaws.com"]}},
            },
        ),
    )
}
