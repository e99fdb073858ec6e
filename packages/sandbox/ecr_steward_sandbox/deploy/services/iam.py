"""AWS IAM: roles with their inline and managed policies."""

import json
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.utilities.utils import get_partition

from ecr_steward_sandbox.deploy.in_process import Aws
from ecr_steward_sandbox.deploy.model import Created, Properties, ResourceModel, picked

_SCALARS = frozenset({"Path", "Description", "MaxSessionDuration", "PermissionsBoundary"})
_INLINE_POLICY = frozenset({"PolicyName", "PolicyDocument"})
_AWS_POLICY = "arn:aws:iam::aws:policy/"


class Role(ResourceModel):
    TYPE = "AWS::IAM::Role"
    NAME_PROPERTY = "RoleName"
    NAME_LENGTH = 64
    PROPERTIES = _SCALARS | {"RoleName", "AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns", "Tags"}
    ATTRIBUTES = frozenset({"Arn", "RoleId"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        iam = aws.client("iam")
        if "PermissionsBoundary" in properties:
            supply_aws_policy(aws, properties["PermissionsBoundary"])
        role = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
            Tags=properties.get("Tags", []),
            **picked(properties, _SCALARS),
        )["Role"]
        for policy in properties.get("Policies", []):
            _put_inline_policy(aws, name, policy["PolicyName"], policy["PolicyDocument"])
        for arn in properties.get("ManagedPolicyArns", []):
            supply_aws_policy(aws, arn)
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        return Created(name, role["Arn"], {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        iam = aws.client("iam")
        role = iam.get_role(RoleName=physical_id)["Role"]
        inline = iam.get_paginator("list_role_policies").paginate(RoleName=physical_id)
        managed = iam.get_paginator("list_attached_role_policies").paginate(RoleName=physical_id)
        boundary = role.pop("PermissionsBoundary", None)
        return (
            picked(role, cls.PROPERTIES)
            | ({"PermissionsBoundary": boundary["PermissionsBoundaryArn"]} if boundary else {})
            | {
                "Policies": [
                    picked(iam.get_role_policy(RoleName=physical_id, PolicyName=name), _INLINE_POLICY)
                    for page in inline
                    for name in page["PolicyNames"]
                ],
                "ManagedPolicyArns": {policy["PolicyArn"] for page in managed for policy in page["AttachedPolicies"]},
            }
        )


def _put_inline_policy(aws: Aws, role: str, name: str, document: dict[str, Any]) -> None:
    if "Version" in document:
        aws.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
    else:
        # SAM writes such a document for a failure destination. IAM takes it as version 2008-10-17, moto's API does not.
        _backend(aws).get_role(role).put_policy(name, json.dumps(document))


def _backend(aws: Aws) -> Any:
    return iam_backends[aws.account][get_partition(aws.region)]


def supply_aws_policy(aws: Aws, arn: str) -> None:
    """Put one of AWS's own policies into moto, from the copy that it carries but does not load by itself."""
    backend = _backend(aws)
    name = arn.rpartition("/")[2]
    if arn.startswith(_AWS_POLICY) and arn not in backend.managed_policies:
        document = json.loads(aws_managed_policies_data).get(name)
        if document is not None:
            policy = AWSManagedPolicy.from_data(name, aws.account, aws.region, document)
            backend.managed_policies[policy.arn] = policy


MODELS = (Role,)
