"""What neither a recorded call nor AWS's data says: what calls need beyond their own action, and each surplus's reason.

Patterns are those of fnmatch. An entry that fits nothing any more is a complaint of its own (judged.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Reason:
    """Why, and where that can be read: a page of AWS, or a place in this repository."""

    why: str
    source: str


@dataclass(frozen=True)
class Need:
    """Actions that AWS asks the caller of others for, beside their own."""

    of: tuple[str, ...]
    actions: tuple[str, ...]
    when: str
    source: str
    roles: tuple[str, ...] = ("*",)
    """Patterns of the roles, and sessions, to which that can happen."""


_REGISTRY: Final = "CloudFormation registry, handlers of AWS::ECR::"
_SERVICE_LINKED: Final = "Amazon ECR user guide, Using service-linked roles"

NEEDS: Final[tuple[Need, ...]] = (
    Need(
        ("ecr:PutReplicationConfiguration",),
        ("iam:CreateServiceLinkedRole",),
        "ECR makes AWSServiceRoleForECRReplication in the caller's name when a registry first replicates",
        f"{_SERVICE_LINKED}; {_REGISTRY}ReplicationConfiguration",
    ),
    Need(
        ("ecr:CreateRepositoryCreationTemplate", "ecr:UpdateRepositoryCreationTemplate"),
        ("iam:CreateServiceLinkedRole", "iam:PassRole"),
        "a template makes repositories by AWSServiceRoleForECRTemplate, or by the role that it names, which is passed",
        f"{_SERVICE_LINKED}; {_REGISTRY}RepositoryCreationTemplate",
    ),
    Need(
        ("ecr:CreateRepositoryCreationTemplate", "ecr:UpdateRepositoryCreationTemplate"),
        ("ecr:CreateRepository", "ecr:SetRepositoryPolicy", "ecr:PutLifecyclePolicy"),
        "a template may hold no more than its author may do",
        f"{_REGISTRY}RepositoryCreationTemplate",
    ),
    Need(
        ("ecr:PutRegistryScanningConfiguration",),
        (
            "iam:CreateServiceLinkedRole",
            "inspector2:Disable",
            "inspector2:Enable",
            "inspector2:ListAccountPermissions",
        ),
        "ECR switches Inspector's scanning of images on and off in the caller's name: enhanced scans",
        f"Amazon ECR user guide, Scan images for OS and programming language package vulnerabilities (IAM permissions "
        f"required for enhanced scanning); {_REGISTRY}RegistryScanningConfiguration",
    ),
    Need(
        ("ecr:CreateRepository",),
        ("ecr:TagResource",),
        "a repository is made with resource tags",
        f"{_REGISTRY}Repository",
    ),
    Need(
        ("ecr:CreateRepository",),
        ("kms:CreateGrant", "kms:DescribeKey"),
        "a copy's repository has a key of its own (RepositoryKeyArns): ECR makes its grants in the caller's name",
        f"Amazon ECR user guide, Encryption at rest (required IAM permissions); {_REGISTRY}Repository",
        roles=("hub/ReplicateImageFunctionRole", "spoke/SpokeRole as replicate_image"),
    ),
    Need(
        ("secretsmanager:CreateSecret",),
        ("secretsmanager:TagResource",),
        "a secret is made with resource tags",
        "AWS Secrets Manager API reference, CreateSecret (required permissions)",
    ),
    Need(
        ("dynamodb:*", "secretsmanager:*", "sns:Publish", "sqs:ReceiveMessage", "sqs:SendMessage"),
        ("kms:Decrypt", "kms:GenerateDataKey"),
        "tables, secrets, queues and the topic have KmsKeyArn: their services use it in the caller's name",
        "Amazon SQS, Amazon SNS, Amazon DynamoDB and AWS Secrets Manager guides, Encryption at rest",
        roles=("hub/*",),
    ),
)

NOT_NEEDED: Final[Mapping[tuple[str, str], Reason]] = {
    ("AWS::ECR::Repository", "kms:RetireGrant"): Reason(
        "ECR asks for it where a repository is deleted or gets another key; the steward does neither",
        "Amazon ECR user guide, Encryption at rest",
    ),
    ("AWS::ECR::Repository", "kms:*"): Reason(
        "only copies get a key (`encryption`); the other functions make repositories without one",
        "docs/rulebook/repository.md",
    ),
    ("AWS::ECR::Repository", "ecr:UntagResource"): Reason(
        "resource tags are added and changed, never taken away", "docs/rulebook/repository.md"
    ),
}
"""What the handlers of a type of CloudFormation's registry ask for, and no role has."""

_LAMBDAS_OWN: Final = Reason(
    "Lambda's runtime writes the log as the function's role; the sandbox keeps logs by itself",
    "AWS Lambda developer guide, Defining Lambda function permissions with an execution role",
)
_IN_A_VPC: Final = Reason(
    "only with VpcSubnetIds: Lambda makes and deletes the function's network interfaces as its role, which the sandbox "
    "does not do",
    "AWS Lambda developer guide, Giving Lambda functions access to resources in an Amazon VPC (required permissions)",
)

UNSEEN: Final[Mapping[tuple[str, str, str], Reason]] = {
    ("hub/*FunctionRole", "WriteLog", "logs:*"): _LAMBDAS_OWN,
    ("hub/*FunctionRole", "SeeVpc", "ec2:*"): _IN_A_VPC,
    ("hub/*FunctionRole", "LiveInVpc", "ec2:*"): _IN_A_VPC,
    ("hub/EvaluateImageScanFunctionRole", "TryAgainSoon", "sqs:SendMessage"): Reason(
        "a message is sent anew only where slow ones of its batch take the time of several invocations",
        "tests/unit/functions/test_any_size.py",
    ),
    ("hub/ReconcileRegistryFunctionRole", "CutSweeps", "sqs:ChangeMessageVisibility"): Reason(
        "a part of a sweep comes again soon only where DynamoDB throttles the switch, as the sandbox's never does",
        "tests/unit/functions/test_exits.py",
    ),
}
"""By role, statement and action: what is granted, and neither recorded nor a need of what is recorded."""

GIVEN_BY_TESTS: Final[Mapping[tuple[str, str], Reason]] = {
    ("spoke/PullOnlyRole", "ecr:InitiateLayerUpload"): Reason(
        "a test lets the role push, and its login is not published", "tests/integration/test_credentials.py"
    ),
    ("spoke/PullOnlyRole", "ecr:UploadLayerPart"): Reason(
        "likewise: the upload that was begun is cancelled", "tests/integration/test_credentials.py"
    ),
}
"""Recorded calls that only a test's policy allowed."""

REFUSED: Final[Mapping[tuple[str, str], Reason]] = {
    ("*/PullOnlyRole", "ecr:InitiateLayerUpload"): Reason(
        "a login is tried before it is published: it must not be able to push", "docs/credentials.md"
    ),
}
"""Recorded calls that are refused on purpose: they appear in CloudTrail as AccessDenied."""

NO_RESOURCE: Final[Mapping[str, Reason]] = {
    "ecs:ListTasks": Reason(
        "its one resource is a container instance, which the sweep does not name: it lists a cluster's tasks, on "
        "Fargate as well",
        "Amazon ECS developer guide, Identity-based policy examples (list or describe tasks)",
    ),
}
"""Actions that have `*` although AWS names a kind of resource for them."""

WIDE: Final[Mapping[str, Reason]] = {
    "arn:aws:ecr:*:*:repository/[*]": Reason(
        "the rulebook says which repositories and regions, and can change without the stack", "docs/rulebook"
    ),
    "arn:aws:ecs:[*]:*:[*]": Reason(
        "only with SeeWorkloads: services and tasks are the account's, and come and go; the two actions know no other "
        "kind",
        "docs/rulebook/retention.md",
    ),
    "arn:aws:lambda:[*]:*:function:[*]": Reason(
        "only with SeeWorkloads: any function may run an image", "docs/rulebook/retention.md"
    ),
    "arn:aws:ec2:*:[*]:[*]/[*]": Reason(
        "Lambda asks whether every id is allowed, and refuses a role with network-interface/* alone; subnets and "
        "security groups may be shared by another account",
        "AWS Lambda developer guide, Giving Lambda functions access to resources in an Amazon VPC (required "
        "permissions); hashicorp/terraform-provider-aws issue 20698",
    ),
    "arn:aws:logs:*:log-group:*:[*]": Reason(
        "Lambda names the log streams of the function's one group", "Service authorization reference, CloudWatch Logs"
    ),
    "arn:aws:iam::[*]:role/*": Reason(
        "a condition binds the account: aws:ResourceAccount to SpokeAccounts, aws:ResourceOrgID to the organization",
        "docs/accounts.md",
    ),
    "arn:aws:iam::*:role/PullOnlyRole-[*]": Reason(
        "further roles that may pull a part alone: the rulebook names them, and they begin with PullOnlyRoleName",
        "docs/credentials.md",
    ),
    "arn:aws:iam::*:role/ecr-steward-creation-template[*]": Reason(
        "roles of repository creation templates are the account's own; iam:PassedToService binds them to ECR",
        "docs/accounts.md",
    ),
    "arn:aws:iam::*:role/aws-service-role/[*]": Reason(
        "iam:AWSServiceName binds it to three services, each of which has one such role, and names it itself",
        "IAM user guide, Create a service-linked role",
    ),
    "arn:aws:secretsmanager:*:secret:ecr-steward/[*]": Reason(
        "the rulebook names the secrets; all begin with SecretPrefix, and Secrets Manager adds six characters",
        "docs/credentials.md",
    ),
}
"""Resources of statements with `*` in them, as fnmatch patterns whose own `*` is written `[*]`."""
