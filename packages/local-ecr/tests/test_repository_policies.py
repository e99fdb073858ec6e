"""Repository and lifecycle policies through the API."""

import json

import pytest
from botocore.exceptions import ClientError

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}],
}
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        }
    ]
}


def test_a_policy_of_more_characters_than_ecr_keeps_is_refused(ecr):
    ecr.create_repository(repositoryName="team/app")
    longest = json.dumps(TRUST) + " " * (10_240 - len(json.dumps(TRUST)))
    with pytest.raises(ClientError, match="less than or equal to 10240"):
        ecr.set_repository_policy(repositoryName="team/app", policyText=longest + " ")
    ecr.set_repository_policy(repositoryName="team/app", policyText=longest)


def listed(value):
    return value if isinstance(value, list) else [value]


def test_a_repository_policy_is_read_back_with_the_same_meaning_when_it_is_set(ecr):
    ecr.create_repository(repositoryName="team/app")
    written = json.dumps(TRUST)
    ecr.set_repository_policy(repositoryName="team/app", policyText=written)

    read = ecr.get_repository_policy(repositoryName="team/app")["policyText"]

    [statement], [wanted] = json.loads(read)["Statement"], TRUST["Statement"]
    assert {**statement, "Action": listed(statement["Action"])} == {**wanted, "Action": listed(wanted["Action"])}
    assert read != written, "ECR reads policies back in its own white space; whoever compares text must notice"
    ecr.delete_repository_policy(repositoryName="team/app")
    with pytest.raises(ClientError, match="RepositoryPolicyNotFoundException"):
        ecr.get_repository_policy(repositoryName="team/app")


@pytest.mark.parametrize(
    "policy",
    [
        "",
        "[]",
        "{",
        '{"Version": "2012-10-17"}',
        '{"Statement": []}',
        '{"Statement": [{"Effect": "Maybe", "Principal": "*", "Action": "ecr:*"}]}',
        '{"Statement": [{"Effect": "Allow", "Action": "ecr:*"}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*"}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "NotAction": "ecr:*"}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Resource": 5}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": "me", "Action": "ecr:*"}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": [5]}, "Action": "ecr:*"}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Condition": {"Bool": "true"}}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["ecr:*", "ecr:GetAuthorizationToken"]}]}',
        '{"Statement": [{"Sid": 5, "Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]}',
        '{"Id": 5, "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]}',
        '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "ecr:*", "Condition": {"Bool": {"a": null}}}]}',
        '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "ecr:*", "Condition": {"Bool": {"a": []}}}]}',
        "[" * 5000,
    ],
)
def test_a_repository_policy_is_refused_when_it_is_none(ecr, policy):
    ecr.create_repository(repositoryName="team/app")
    told = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
    with pytest.raises(ClientError, match=rf"InvalidParameterException.*{told}"):
        ecr.set_repository_policy(repositoryName="team/app", policyText=policy)


def test_a_lifecycle_policy_lives_from_put_to_delete(ecr):
    ecr.create_repository(repositoryName="team/app")
    ecr.put_lifecycle_policy(repositoryName="team/app", lifecyclePolicyText=json.dumps(LIFECYCLE, indent=4))
    read = ecr.get_lifecycle_policy(repositoryName="team/app")["lifecyclePolicyText"]
    assert json.loads(read) == LIFECYCLE

    ecr.delete_lifecycle_policy(repositoryName="team/app")

    with pytest.raises(ClientError, match="LifecyclePolicyNotFoundException"):
        ecr.get_lifecycle_policy(repositoryName="team/app")


def test_a_list_of_one_is_read_back_as_its_one_text(ecr, team_app):
    """tools 6, fidelity: AWS's canonical form, which what compares a policy with its own text must know."""
    condition = {"StringEquals": {"aws:PrincipalOrgID": ["o-example"]}}
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": ["ecr:BatchGetImage"],
        "Condition": condition,
    }
    two = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["ecr:PutImage", "ecr:BatchGetImage"]}
    policy = {"Version": "2012-10-17", "Statement": [statement, two]}
    written = ecr.set_repository_policy(repositoryName="team/app", policyText=json.dumps(policy), force=True)
    read = ecr.get_repository_policy(repositoryName="team/app")["policyText"]
    assert written["policyText"] == read
    assert json.loads(read)["Statement"] == [
        {
            **statement,
            "Principal": {"AWS": "*"},
            "Action": "ecr:BatchGetImage",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-example"}},
        },
        two,
    ]
