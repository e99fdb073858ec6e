"""AWS's own policies for ECR, from the copy of AWS's list that moto carries: exactly these operations, no other."""

import json

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from local_ecr import Registry
from local_ecr.access.managed_policies import MANAGED_POLICIES
from local_ecr.access.permissions import permissions_for
from local_ecr.control.protocol import service_model
from local_ecr.iam import Call, Policy, Principal, check, judge
from local_ecr.iam.conditions import as_list
from local_ecr.iam.known_keys import is_known

ROLE = Principal("AWS", "arn:aws:iam::111122223333:role/ci")
PULL = {"GetAuthorizationToken", "BatchGetImage", "GetDownloadUrlForLayer", "ListImageReferrers"}
READ = PULL | {
    "BatchCheckLayerAvailability",
    "DescribeImageScanFindings",
    "DescribeImages",
    "DescribeRepositories",
    "GetLifecyclePolicy",
    "GetLifecyclePolicyPreview",
    "GetRepositoryPolicy",
    "ListImages",
    "ListTagsForResource",
}
PUSH = {"InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage"}
DISTRIBUTION = {"GetLayerUpload", "CancelLayerUpload"}  # of /v2/ alone; for whom may send parts


@pytest.mark.parametrize("policy_name", MANAGED_POLICIES)
def test_our_copy_of_a_managed_policy_is_awss(policy_name):
    assert MANAGED_POLICIES[policy_name].document == json.loads(aws_managed_policies_data)[policy_name]["Document"]


def operations_of(policy_name):
    """Every operation of both faces that the policy allows on a repository of the role's own account."""
    document = json.loads(aws_managed_policies_data)[policy_name]["Document"]
    check(document)
    registry = Registry("111122223333", "us-east-1")
    return {
        operation
        for operation in {*service_model().operation_names, *DISTRIBUTION}
        if all(
            judge(Call(needed.action, needed.resource, ROLE), [Policy(policy_name, document)]).is_allowed
            for needed in permissions_for(registry, operation, ["team/app"])
        )
    }


@pytest.mark.parametrize(
    ("policy_name", "operations"),
    [
        ("AmazonEC2ContainerRegistryPullOnly", PULL),
        ("AmazonEC2ContainerRegistryReadOnly", READ),
        ("AmazonEC2ContainerRegistryPowerUser", READ | PUSH | DISTRIBUTION),
        ("AmazonEC2ContainerRegistryFullAccess", {*service_model().operation_names, *DISTRIBUTION}),
    ],
)
def test_a_managed_policy_allows_exactly_its_operations(policy_name, operations):
    assert operations_of(policy_name) == operations


def test_every_condition_key_of_a_managed_policy_of_aws_is_known():
    documents = [one["Document"] for one in json.loads(aws_managed_policies_data).values()]
    keys = {
        key
        for document in documents
        for statement in as_list(document["Statement"])
        for block in statement.get("Condition", {}).values()
        for key in block
    }
    assert len(keys) > 200
    assert [key for key in sorted(keys) if not is_known(key)] == []
