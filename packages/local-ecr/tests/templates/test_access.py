"""What a role must be allowed for creation templates, and for a push that makes a repository."""

import pytest
from botocore.exceptions import ClientError

from local_ecr import Policy, Principal, account_principal

ACCOUNT = "111122223333"
CREATOR = f"arn:aws:iam::{ACCOUNT}:role/creator"
LIFECYCLE = (
    '{"rules": [{"rulePriority": 1, "action": {"type": "expire"},'
    ' "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10}}]}'
)
POLICY = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}]}'
PUSH = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")


@pytest.fixture
def allowed():
    """The actions of the role `ci`, by the resource that each is allowed on."""
    return {}


@pytest.fixture
def role(make_stand, allowed):
    """A server, and a client that is a session of the role `ci`."""

    def principal_of(credential):
        if credential.access_key_id != "ci":
            return account_principal(credential)
        return Principal(ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/run-1", "ci")

    def identities(_principal):
        statements = [
            {"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in allowed.items()
        ]
        return (Policy("ci", {"Version": "2012-10-17", "Statement": statements}),) if statements else ()

    return make_stand(principal_of=principal_of, identities=identities)


def create(role, **members):
    role.client(account="ci").create_repository_creation_template(
        **{"prefix": "team", "appliedFor": ["CREATE_ON_PUSH"], **members}
    )


@pytest.mark.parametrize(
    ("members", "action", "resource"),
    [
        ({}, "ecr:CreateRepository", "arn:aws:ecr:us-east-1:111122223333:repository/team/*"),
        ({"prefix": "ROOT"}, "ecr:CreateRepository", "arn:aws:ecr:us-east-1:111122223333:repository/*"),
        (
            {"lifecyclePolicy": LIFECYCLE},
            "ecr:PutLifecyclePolicy",
            "arn:aws:ecr:us-east-1:111122223333:repository/team/*",
        ),
        (
            {"repositoryPolicy": POLICY, "prefix": "team/"},
            "ecr:SetRepositoryPolicy",
            "arn:aws:ecr:us-east-1:111122223333:repository/team/*",
        ),
        ({"customRoleArn": CREATOR}, "iam:PassRole", CREATOR),
    ],
)
def test_a_template_needs_what_a_repository_made_by_it_needs(role, allowed, members, action, resource):
    needed = {"ecr:CreateRepositoryCreationTemplate": "*", "ecr:CreateRepository": "*", action: resource}
    allowed.update({name: on for name, on in needed.items() if name != action})
    with pytest.raises(ClientError, match="AccessDeniedException") as refused:
        create(role, **members)
    assert f"is not authorized to perform: {action} on resource: {resource}" in str(refused.value)

    allowed[action] = resource
    create(role, **members)


@pytest.fixture
def face(role, allowed):
    """The /v2/ face of team/app, with a token of the role, and a template for it."""
    role.client().create_repository_creation_template(prefix="team", appliedFor=["CREATE_ON_PUSH"])
    allowed["ecr:GetAuthorizationToken"] = "*"
    found = role.distribution(repository_name="team/app")
    found.token = role.token(account="ci")
    return found


def test_a_push_that_makes_a_repository_needs_no_permission_to_create_one(role, allowed, face):
    allowed.update(dict.fromkeys(PUSH, f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/team/*"))

    face.push_image("one", "1.0")

    assert [one["repositoryName"] for one in role.client().describe_repositories()["repositories"]] == ["team/app"]


def test_a_push_makes_no_repository_when_the_role_may_not_push(role, allowed, face):
    allowed["ecr:CreateRepository"] = "*"
    assert face.send("POST", "blobs/uploads/").status == 403
    assert role.client().describe_repositories()["repositories"] == []


def test_enhanced_scans_need_the_permission_to_enable_inspector(role, allowed):
    ecr = role.client(account="ci")
    allowed["ecr:PutRegistryScanningConfiguration"] = "*"
    ecr.put_registry_scanning_configuration(scanType="BASIC")
    with pytest.raises(ClientError, match="inspector2:Enable"):
        ecr.put_registry_scanning_configuration(scanType="ENHANCED")
    allowed["inspector2:Enable"] = "*"
    ecr.put_registry_scanning_configuration(scanType="ENHANCED")
