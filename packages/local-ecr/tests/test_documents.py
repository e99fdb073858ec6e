"""The white space of repository policies."""

import json

import pytest

from local_ecr.control.documents import check_registry_policy, check_repository_policy, pretty
from local_ecr.errors import EcrError


def test_a_policy_is_laid_out_as_in_the_aws_examples():
    document = {"Version": "2008-10-17", "Statement": [{"Sid": "a", "Action": ["x", "y"], "Condition": {}}]}
    assert pretty(document) == (
        '{\n  "Version" : "2008-10-17",\n  "Statement" : [ {\n    "Sid" : "a",\n    "Action" : [ "x", "y" ],\n'
        '    "Condition" : { }\n  } ]\n}'
    )
    assert json.loads(pretty(document)) == document


@pytest.mark.parametrize("changes", [{"Version": []}, {"Version": {}}, {"Statement": [{"Effect": []}]}])
def test_a_repository_policy_is_invalid_when_a_value_is_of_another_type(changes):
    with pytest.raises(EcrError, match="Invalid repository policy"):
        check_repository_policy(json.dumps({"Statement": [], **changes}), reformat=True)


def statement(**members):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*", **members}]}
    )


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "*"},
        {"AWS": ["111122223333", "arn:aws:iam::111122223333:root"]},
        {"AWS": "arn:aws:iam::111122223333:role/build/ci"},
        {"AWS": "arn:aws:sts::111122223333:assumed-role/ci/run-1"},
        {"AWS": "arn:aws-cn:iam::111122223333:user/ada@example.com"},
        {"Service": ["lambda.amazonaws.com", "replication.ecr.amazonaws.com", "ec2.amazonaws.com.cn"]},
    ],
)
def test_a_policy_is_taken_when_its_principals_can_be_somebody(principal):
    assert check_repository_policy(statement(Principal=principal), reformat=False)


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "1111"},
        {"AWS": ["111122223333", "AROAEXAMPLEID"]},
        {"AWS": "arn:aws:iam::111122223333:role/"},
        {"AWS": "arn:aws:iam::*:role/ci"},
        {"AWS": "arn:aws:s3:::bucket"},
        {"Service": "lambda"},
        {"Service": "lambda.example.com"},
    ],
)
def test_a_policy_is_refused_when_a_principal_can_be_nobody(principal):
    for element in ("Principal", "NotPrincipal"):
        document = json.loads(statement())
        document["Statement"][0].pop("Principal")
        document["Statement"][0][element] = principal
        with pytest.raises(EcrError, match="Principal not found"):
            check_repository_policy(json.dumps(document), reformat=True)


FIRST = frozenset({"ecr:ReplicateImage", "ecr:BatchImportUpstreamImage", "ecr:CreateRepository"})


@pytest.mark.parametrize(
    ("text", "is_taken", "is_taken_in_v1"),
    [
        (statement(Resource="*", Action=["ecr:ReplicateImage", "ecr:CreateRepository"]), True, True),
        (statement(Resource="*", Action="ecr:*"), True, True),
        (statement(Resource="*", Action="ecr:BatchGetImage"), True, False),
        (statement(NotResource="*", Action=None).replace('"Action": null', '"NotAction": "ecr:PutImage"'), True, False),
        (statement(Action="ecr:ReplicateImage"), False, False),
        (statement(Resource="*", NotResource="*"), False, False),
        (statement(Resource="*", Action="s3:*"), False, False),
        ("{}", False, False),
    ],
)
def test_a_registry_policy_names_resources_and_in_its_first_scope_three_actions(text, is_taken, is_taken_in_v1):
    for actions, expected in ((None, is_taken), (FIRST, is_taken_in_v1)):
        try:
            check_registry_policy(text, actions=actions, reformat=True)
        except EcrError as refusal:
            assert not expected, f"{text} with {actions}"
            assert "Invalid registry policy provided" in refusal.message
        else:
            assert expected, f"{text} with {actions}"
