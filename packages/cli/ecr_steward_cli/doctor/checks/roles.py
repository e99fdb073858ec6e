"""Roles: that they exist, who may act as them, and what they may."""

from collections.abc import Mapping
from typing import Any

from ecr_steward_cli.doctor.checks.check import AsTemplate, Check, Exists
from ecr_steward_cli.doctor.checks.rules import RECREATE
from ecr_steward_cli.doctor.policies import normal_policy

_ROLE = "AWS::IAM::Role"


def _inline(policies: Any) -> Any:
    """Inline policies by name."""
    if isinstance(policies, list):
        policies = {one["PolicyName"]: one["PolicyDocument"] for one in policies}
    return (
        {name: normal_policy(document) for name, document in policies.items()}
        if isinstance(policies, Mapping)
        else policies
    )


CHECKS: tuple[Check, ...] = (
    Exists("role-exists", (_ROLE,), "each role exists", RECREATE),
    AsTemplate(
        "role-trust",
        (_ROLE,),
        ("AssumeRolePolicyDocument",),
        "who may act as each role",
        "put it back with `aws iam update-assume-role-policy --role-name {name}`, as the template has it",
        normal=normal_policy,
        is_whole=True,
    ),
    AsTemplate(
        "role-policies",
        (_ROLE,),
        ("Policies",),
        "the inline policies of each role",
        "put them back with `aws iam put-role-policy --role-name {name}`, as the template has them; "
        "`aws iam delete-role-policy` takes others away",
        usual={"Policies": []},
        normal=_inline,
        is_whole=True,
    ),
    AsTemplate(
        "role-managed-policies",
        (_ROLE,),
        ("ManagedPolicyArns",),
        "the managed policies of each role",
        "put them back with `aws iam attach-role-policy --role-name {name}`; `detach-role-policy` takes others away",
        usual={"ManagedPolicyArns": []},
        normal=lambda arns: sorted(arns or []),
    ),
    AsTemplate(
        "role-boundary",
        (_ROLE,),
        ("PermissionsBoundary",),
        "the permissions boundary of each role",
        "`aws iam put-role-permissions-boundary --role-name {name}`, or delete-role-permissions-boundary",
        usual={"PermissionsBoundary": None},
    ),
)
