"""What the roles of the templates may touch: all of a kind only where IAM knows nothing narrower."""

from collections.abc import Mapping
from typing import Any

ABOUT_THE_WHOLE = frozenset(
    {
        "ecr:GetAuthorizationToken",
        "ecr:GetRegistryPolicy",
        "ecr:PutRegistryPolicy",
        "ecr:DeleteRegistryPolicy",
        "ecr:DescribeRegistry",
        "ecr:GetAccountSetting",
        "ecr:PutAccountSetting",
        "ecr:GetRegistryScanningConfiguration",
        "ecr:PutRegistryScanningConfiguration",
        "ecr:PutReplicationConfiguration",
        "ecr:DescribeRepositoryCreationTemplates",
        "ecr:CreateRepositoryCreationTemplate",
        "ecr:UpdateRepositoryCreationTemplate",
        "ecr:ListReplicationBackfills",
        "ecr:StartReplicationBackfill",
        "ecr:DescribeReplicationBackfillResults",
        "inspector2:Disable",
        "inspector2:Enable",
        "inspector2:ListAccountPermissions",
        "inspector2:ListFindings",
        "inspector2:ListCoverage",
        "ecs:ListClusters",
        "ecs:ListServices",
        "ecs:ListTasks",
        "ecs:ListTaskDefinitions",
        "ecs:DescribeServices",
        "ecs:DescribeTasks",
        "ecs:DescribeTaskDefinition",
        "lambda:ListFunctions",
        "lambda:GetFunction",
        "ec2:CreateNetworkInterface",  # these six only in a VPC, as AWSLambdaVPCAccessExecutionRole has them
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    }
)
"""Of a registry or an account; and of workloads, which are somebody else's: all of them are to be seen."""


def test_a_role_may_touch_all_there_is_only_where_the_action_is_about_the_whole(either: Mapping[str, Any]) -> None:
    roles = [each["Properties"] for each in either["Resources"].values() if each["Type"] == "AWS::IAM::Role"]
    statements = [
        statement
        for role in roles
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "*" in _listed(statement["Resource"])
    ]

    assert statements
    assert {action for statement in statements for action in _listed(statement["Action"])} <= ABOUT_THE_WHOLE


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
