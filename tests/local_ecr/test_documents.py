"""The white space of repository policies."""

import json

import pytest

from local_ecr.control.documents import check_repository_policy, pretty
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
