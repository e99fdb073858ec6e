"""The policy for a person who deploys: what CloudFormation does in that person's name for the two templates, and SAM.

CloudFormation's part is read from AWS's own schemas of the resource types (``handlers``), which cfn-lint carries.
"""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import pytest

from local_ecr.iam import Call, Decision, decide
from tests.packaging.reading import asked_by_handlers

type Template = Mapping[str, Any]

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "docs" / "deploy" / "deploying-policy.json"
AT, IAM = "us-east-1:111122223333", "arn:aws:iam::111122223333:role"
HANDLERS = ("create", "read", "update", "delete")
LARGEST = 10_240
"""Characters of a role's inline policies, white space not counted (IAM quotas)."""

ONLY_WITH: Final[Mapping[str, Mapping[str, str]]] = {
    "AWS::DynamoDB::Table": {
        "dynamodb:*Item": "ImportSourceSpecification",
        "dynamodb:*Import*": "ImportSourceSpecification",
        "dynamodb:*TableReplica": "GlobalTableSettingsReplicationMode",
        "dynamodb:DeleteResourcePolicy": "ResourcePolicy",
        "dynamodb:PutResourcePolicy": "ResourcePolicy",
        "dynamodb:[!D]*KinesisStreamingDestination": "KinesisStreamSpecification",
        "dynamodb:DisableKinesisStreamingDestination": "KinesisStreamSpecification",
        "dynamodb:Query": "ImportSourceSpecification",
        "dynamodb:Scan": "ImportSourceSpecification",
        "dynamodb:UpdateContributorInsights": "ContributorInsightsSpecification",
        "iam:CreateServiceLinkedRole": "GlobalTableSettingsReplicationMode",
        "kinesis:*": "KinesisStreamSpecification",
        "kms:*": "SSESpecification",
        "logs:*": "ImportSourceSpecification",
        "s3:*": "ImportSourceSpecification",
    },
    "AWS::Events::EventBus": {"kms:*": "KmsKeyIdentifier"},
    "AWS::IAM::Role": {"iam:*PermissionsBoundary": "PermissionsBoundary"},
    "AWS::Lambda::EventSourceMapping": {"kms:*": "KmsKeyArn"},
    "AWS::Lambda::Function": {
        "ec2:*": "VpcConfig",
        "elasticfilesystem:*": "FileSystemConfigs",
        "kms:*": "KmsKeyArn",
        "lambda:*FunctionConcurrency": "ReservedConcurrentExecutions",
        "lambda:AssociateRuntimeAlias": "RuntimeManagementConfig",
        "lambda:DeleteFunctionCodeSigningConfig": "CodeSigningConfigArn",
        "lambda:GetCodeSigningConfig": "CodeSigningConfigArn",
        "lambda:PassCapacityProvider": "CapacityProviderConfig",
        "lambda:PublishVersion": "PublishToLatestPublished",
        "lambda:PutFunctionCodeSigningConfig": "CodeSigningConfigArn",
        "lambda:PutFunctionScalingConfig": "FunctionScalingConfig",
        "lambda:PutRuntimeManagementConfig": "RuntimeManagementConfig",
        "s3files:*": "FileSystemConfigs",
    },
    "AWS::Logs::LogGroup": {
        "firehose:*": "DataProtectionPolicy",
        "logs:*IndexPolicy": "FieldIndexPolicies",
        "logs:*KmsKey": "KmsKeyId",
        "logs:*ResourcePolicy": "ResourcePolicyDocument",
        "logs:CreateLogDelivery": "DataProtectionPolicy",
        "logs:DeleteDataProtectionPolicy": "DataProtectionPolicy",
        "logs:PutBearerTokenAuthentication": "BearerTokenAuthenticationEnabled",
        "logs:PutDataProtectionPolicy": "DataProtectionPolicy",
        "logs:PutLogGroupDeletionProtection": "DeletionProtectionEnabled",
        "s3:*": "DataProtectionPolicy",
    },
    "AWS::SNS::Subscription": {"iam:*": "SubscriptionRoleArn"},
    "AWS::SNS::Topic": {
        "iam:*": "DeliveryStatusLogging",
        "sns:PutDataProtectionPolicy": "DataProtectionPolicy",
        "sns:Subscribe": "Subscription",
        "sns:Unsubscribe": "Subscription",
    },
}
"""Actions of a type that a handler needs for a property alone, which no resource of ours has."""

ARNS: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::CloudWatch::Alarm": (f"arn:aws:cloudwatch:{AT}:alarm:ecr-steward-FailureQueueAlarm-1A2B",),
    "AWS::DynamoDB::Table": (f"arn:aws:dynamodb:{AT}:table/ecr-steward-StateTable-1A2B",),
    "AWS::ECR::PullTimeUpdateExclusion": ("*",),
    "AWS::Events::EventBus": (f"arn:aws:events:{AT}:event-bus/ecr-steward",),
    "AWS::Events::EventBusPolicy": (f"arn:aws:events:{AT}:event-bus/ecr-steward",),
    "AWS::Events::Rule": (
        f"arn:aws:events:{AT}:rule/ecr-steward-ForwardToStewardRule-1A2B",  # on the default bus
        f"arn:aws:events:{AT}:rule/ecr-steward/ecr-steward-NoticesRule-1A2B",
    ),
    "AWS::IAM::Role": (
        f"{IAM}/ecr-steward-NoticesRole-1A2B",
        f"{IAM}/ecr-steward/ecr-steward-ReplicateImageFunctionRole-1A2B",
        f"{IAM}/ecr-steward/refresh-credentials/ecr-steward-RefreshCredentialsFunctionRole-1A2B",
        f"{IAM}/ecr-steward-pull-only",
        f"{IAM}/ecr-steward-spoke",
    ),
    "AWS::Lambda::EventInvokeConfig": (f"arn:aws:lambda:{AT}:function:ecr-steward-ReplicateImageFunction-1A2B",),
    "AWS::Lambda::EventSourceMapping": (f"arn:aws:lambda:{AT}:event-source-mapping:6a2b",),
    "AWS::Lambda::Function": (f"arn:aws:lambda:{AT}:function:ecr-steward-ReplicateImageFunction-1A2B",),
    "AWS::Lambda::LayerVersion": (f"arn:aws:lambda:{AT}:layer:CoreLayer", f"arn:aws:lambda:{AT}:layer:RulebookLayer:3"),
    "AWS::Lambda::Permission": (f"arn:aws:lambda:{AT}:function:ecr-steward-ReplicateImageFunction-1A2B",),
    "AWS::Logs::LogGroup": (f"arn:aws:logs:{AT}:log-group:ecr-steward-ReplicateImageLogGroup-1A2B",),
    "AWS::SNS::Subscription": (f"arn:aws:sns:{AT}:ecr-steward-NoticesTopic-1A2B",),
    "AWS::SNS::Topic": (f"arn:aws:sns:{AT}:ecr-steward-NoticesTopic-1A2B",),
    "AWS::SNS::TopicPolicy": (f"arn:aws:sns:{AT}:ecr-steward-NoticesTopic-1A2B",),
    "AWS::SQS::Queue": (f"arn:aws:sqs:{AT}:ecr-steward-FailureQueue-1A2B",),
    "AWS::SQS::QueuePolicy": (f"arn:aws:sqs:{AT}:ecr-steward-FailureQueue-1A2B",),
    "AWS::Scheduler::Schedule": (f"arn:aws:scheduler:{AT}:schedule/default/ecr-steward-Sweep-1A2B",),
}
"""What a handler acts upon, with names such as CloudFormation generates."""

CONTEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    **{f"lambda:{verb}EventSourceMapping": {"lambda:FunctionArn": ARNS["AWS::Lambda::Function"][0]}
       for verb in ("Create", "Delete", "Get", "Update")},
    "iam:PassRole": {"iam:PassedToService": "lambda.amazonaws.com"},
}  # fmt: skip

WITHOUT_RESOURCE: Final = {
    "cloudwatch:DescribeAlarms",
    "ec2:DescribeNetworkInterfaces",  # these four where the functions live in a VPC
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:DeregisterPullTimeUpdateExclusion",
    "ecr:ListPullTimeUpdateExclusions",
    "ecr:RegisterPullTimeUpdateExclusion",
    "events:PutPermission",
    "events:RemovePermission",
    "lambda:CreateEventSourceMapping",
    "logs:DescribeIndexPolicies",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
}
"""Allowed on `*`: they know no resource (service authorization reference), or answer for all of them at once."""

ON_A_ROLE: Final = frozenset({"iam:PassRole"})
ON_SAMS_BUCKET: Final = frozenset({"s3:GetObject", "s3:GetObjectVersion"})
ON_ANOTHER: Final[Mapping[str, frozenset[str]]] = {
    "AWS::Lambda::Function": ON_A_ROLE | ON_SAMS_BUCKET | {"lambda:GetLayerVersion"},
    "AWS::Lambda::LayerVersion": ON_SAMS_BUCKET,
}
"""Actions of a type's handlers on what is another resource, and is allowed there."""
ALSO: Final[Mapping[str, frozenset[str]]] = {"AWS::IAM::Role": ON_A_ROLE}

SAM: Final[Mapping[str, str]] = {
    "cloudformation": f"arn:aws:cloudformation:{AT}:stack/ecr-steward/6a2b",
    "s3": "arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-6a2b",
}
"""What SAM itself calls, and on what: ``lib/deploy``, ``lib/delete`` and ``lib/bootstrap`` of SAM CLI."""


@pytest.fixture(scope="module")
def policy() -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(POLICY.read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def handlers() -> Mapping[str, frozenset[str]]:
    """The actions that AWS publishes for each type's handlers."""
    return asked_by_handlers(ARNS, HANDLERS)


def resources(*templates: Template) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for template in templates:
        for each in template["Resources"].values():
            yield each["Type"], each.get("Properties", {})


def needed(kind: str, handlers: Mapping[str, frozenset[str]], *templates: Template) -> set[str]:
    """What CloudFormation needs for our resources of a type."""
    properties = {name for each, given in resources(*templates) if each == kind for name in given}
    left_out = [pattern for pattern, name in ONLY_WITH.get(kind, {}).items() if name not in properties]
    actions = {each for each in handlers[kind] if not any(fnmatchcase(each, pattern) for pattern in left_out)}
    on_the_key = {each for each in actions if each.startswith("kms:")}  # docs/deploy/encryption.md
    return actions - on_the_key - ON_ANOTHER.get(kind, ON_A_ROLE) | set(ALSO.get(kind, ()))


def is_allowed(policy: Mapping[str, Any], action: str, arn: str, **context: str) -> bool:
    return decide([policy], Call(action, arn, None, {**CONTEXTS.get(action, {}), **context})) is Decision.ALLOWED


def test_each_type_of_the_templates_is_known(template: Template, spoke: Template) -> None:
    assert {kind for kind, _ in resources(template, spoke)} == ARNS.keys()


@pytest.mark.parametrize("kind", ARNS)
def test_a_person_may_do_what_cloudformation_does_for_each_resource(
    template: Template, spoke: Template, policy: Mapping[str, Any], handlers: Mapping[str, frozenset[str]], kind: str
) -> None:
    """aws minor 18."""
    actions = needed(kind, handlers, template, spoke)

    refused = [(action, arn) for action in actions for arn in ARNS[kind] if not is_allowed(policy, action, arn)]

    assert actions
    assert refused == []


def test_the_policy_allows_nothing_that_is_not_needed(
    template: Template, spoke: Template, policy: Mapping[str, Any], handlers: Mapping[str, frozenset[str]]
) -> None:
    by_cloudformation = {action for kind in ARNS for action in needed(kind, handlers, template, spoke)}

    surplus = {action for action in actions_of(policy) if action not in by_cloudformation}

    assert surplus == {action for action in actions_of(policy) if action.partition(":")[0] in SAM}


def test_the_policy_allows_what_sam_calls(policy: Mapping[str, Any]) -> None:
    """The operations of CloudFormation are those that tests/packaging/test_deploying.py sees SAM call."""
    played = (ROOT / "tools" / "lab" / "cloudformation.py").read_text(encoding="utf-8")
    operations = re.findall(r'^ {12}"(\w+)": (?:self|lambda)', played, re.MULTILINE)

    assert len(operations) == 8
    assert [
        each for each in operations if not is_allowed(policy, f"cloudformation:{each}", SAM["cloudformation"])
    ] == []
    assert [
        each for each in {"s3:PutObject", *ON_SAMS_BUCKET} if not is_allowed(policy, each, SAM["s3"] + "/6a2b")
    ] == []


def test_what_the_stack_does_not_own_is_out_of_reach(policy: Mapping[str, Any]) -> None:
    others = {
        arn.replace("ecr-steward", "payments").replace("Layer", "OtherLayer") for each in ARNS.values() for arn in each
    }
    theirs = [arn for arn in others if arn not in {"*", *ARNS["AWS::Lambda::EventSourceMapping"]}]

    of_theirs = {"lambda:FunctionArn": f"arn:aws:lambda:{AT}:function:payments-x"}
    reached = [
        (action, arn)
        for action in actions_of(policy) - WITHOUT_RESOURCE
        for arn in theirs
        if arn.split(":")[2] == action.partition(":")[0] and is_allowed(policy, action, arn, **of_theirs)
    ]

    assert len(theirs) == len({arn for each in ARNS.values() for arn in each}) - 2
    assert reached == []


def test_a_role_is_passed_to_the_services_that_the_templates_pass_it_to_alone(policy: Mapping[str, Any]) -> None:
    services = ("ec2", "ecs-tasks", "events", "lambda", "scheduler")
    passed = {
        service
        for service in services
        if is_allowed(
            policy, "iam:PassRole", ARNS["AWS::IAM::Role"][0], **{"iam:PassedToService": f"{service}.amazonaws.com"}
        )
    }

    assert passed == {"events", "lambda", "scheduler"}


def test_a_wildcard_stands_where_an_action_knows_no_resource(policy: Mapping[str, Any]) -> None:
    anywhere = {
        action
        for statement in policy["Statement"]
        if statement["Resource"] == "*" and "Condition" not in statement
        for action in statement["Action"]
    }

    assert anywhere == WITHOUT_RESOURCE - {"lambda:CreateEventSourceMapping"}


def test_the_policy_fits_into_a_role(policy: Mapping[str, Any]) -> None:
    assert len(json.dumps(policy, separators=(",", ":"))) <= LARGEST


def actions_of(policy: Mapping[str, Any]) -> set[str]:
    asked = [statement["Action"] for statement in policy["Statement"]]
    return {action for each in asked for action in ([each] if isinstance(each, str) else each)}
