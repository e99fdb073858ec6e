"""What IAM is asked for each operation, beside the service authorization reference for Amazon ECR."""

import pytest

from local_ecr import Registry
from local_ecr.access.permissions import permissions_for
from local_ecr.control.protocol import service_model

REGISTRY = Registry("111122223333", "us-east-1")
APP = "arn:aws:ecr:us-east-1:111122223333:repository/team/app"
OPERATIONS = set(service_model().operation_names)
WITHOUT_RESOURCE = {
    "CreatePullThroughCacheRule",
    "CreateRepositoryCreationTemplate",
    "DeletePullThroughCacheRule",
    "DeleteRegistryPolicy",
    "DeleteRepositoryCreationTemplate",
    "DeleteSigningConfiguration",
    "DeregisterPullTimeUpdateExclusion",
    "DescribePullThroughCacheRules",
    "DescribeRegistry",
    "DescribeReplicationBackfillResults",
    "DescribeRepositoryCreationTemplates",
    "GetAccountSetting",
    "GetAuthorizationToken",
    "GetRegistryPolicy",
    "GetRegistryScanningConfiguration",
    "GetSigningConfiguration",
    "ListPullTimeUpdateExclusions",
    "ListReplicationBackfills",
    "PutAccountSetting",
    "PutRegistryPolicy",
    "PutRegistryScanningConfiguration",
    "PutReplicationConfiguration",
    "PutSigningConfiguration",
    "RegisterPullTimeUpdateExclusion",
    "StartReplicationBackfill",
    "StopReplicationBackfill",
    "UpdatePullThroughCacheRule",
    "UpdateRepositoryCreationTemplate",
    "ValidatePullThroughCacheRule",
}
"""Actions that the reference lists without the resource type `repository`; it lists all others with it."""

OTHER_ACTIONS = {"ListImageReferrers": "BatchGetImage"}
"""Operations that are no actions of their own."""


def names_a_repository(operation):
    members = service_model().operation_model(operation).input_shape.members
    return bool({"repositoryName", "repositoryNames", "resourceArn"} & members.keys())


@pytest.mark.parametrize("operation", sorted(OPERATIONS - WITHOUT_RESOURCE))
def test_an_operation_on_a_repository_asks_for_its_action_on_it(operation):
    assert names_a_repository(operation)
    action = OTHER_ACTIONS.get(operation, operation)
    asked = permissions_for(REGISTRY, operation, ["team/app"])
    assert [(one.action, one.resource) for one in asked] == [(f"ecr:{action}", APP)]


@pytest.mark.parametrize("operation", sorted(WITHOUT_RESOURCE))
def test_an_operation_on_the_registry_asks_for_its_action_on_everything(operation):
    assert operation in OPERATIONS
    assert not names_a_repository(operation)
    assert [(one.action, one.resource) for one in permissions_for(REGISTRY, operation)] == [(f"ecr:{operation}", "*")]
