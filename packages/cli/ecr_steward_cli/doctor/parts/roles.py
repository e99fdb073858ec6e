"""AWS IAM: roles with their policies."""

from collections.abc import Mapping
from typing import Any

from ecr_steward_cli.doctor.asking import Asker
from ecr_steward_cli.doctor.parts.part import Properties, Reader, tried


def _role(asker: Asker, name: str, _: Properties) -> Properties:
    role = asker.ask("iam.get_role", RoleName=name)["Role"]
    return {
        "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
        "PermissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "Policies": tried(lambda: _inline(asker, name)),
        "ManagedPolicyArns": tried(
            lambda: sorted(
                one["PolicyArn"]
                for one in asker.ask("iam.list_attached_role_policies", RoleName=name)["AttachedPolicies"]
            )
        ),
    }


def _inline(asker: Asker, role: str) -> Mapping[str, Any]:
    names = asker.ask("iam.list_role_policies", RoleName=role)["PolicyNames"]
    return {name: asker.ask("iam.get_role_policy", RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}


READERS: Mapping[str, Reader] = {"AWS::IAM::Role": _role}
