"""The grammar of lifecycle policies and the white space of repository policies."""

import copy
import json

import pytest

from local_ecr.control.documents import check_repository_policy, pretty
from local_ecr.errors import EcrError
from local_ecr.lifecycle.grammar import check_lifecycle_policy

RULE = {
    "rulePriority": 1,
    "description": "keep ten",
    "selection": {
        "tagStatus": "tagged",
        "tagPatternList": ["v*"],
        "countType": "imageCountMoreThan",
        "countNumber": 10,
    },
    "action": {"type": "expire"},
}


def policy(*rules):
    return json.dumps({"rules": list(rules)})


def changed(path, value):
    """RULE with one member set, or removed when the value is None."""
    rule = copy.deepcopy(RULE)
    *parents, last = path.split(".")
    target = rule
    for parent in parents:
        target = target[parent]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return rule


def test_a_lifecycle_policy_is_read_back_without_white_space():
    assert check_lifecycle_policy(json.dumps({"rules": [RULE]}, indent=4)) == json.dumps(
        {"rules": [RULE]}, separators=(",", ":")
    )


@pytest.mark.parametrize(
    "selection",
    [
        {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1},
        {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
        {"tagStatus": "tagged", "tagPrefixList": ["v"], "countType": "imageCountMoreThan", "countNumber": 1},
        {
            "tagStatus": "any",
            "storageClass": "archive",
            "countType": "sinceImageTransitioned",
            "countUnit": "days",
            "countNumber": 90,
        },
    ],
)
def test_a_lifecycle_policy_is_taken_when_its_selection_is_one_of_the_documented(selection):
    assert check_lifecycle_policy(policy({**RULE, "selection": selection}))


def test_a_lifecycle_policy_may_archive_what_was_not_pulled():
    selection = {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 30}
    archive = {"type": "transition", "targetStorageClass": "archive"}
    assert check_lifecycle_policy(policy({**RULE, "selection": selection, "action": archive}))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a JSON object"),
        ("[]", "not a JSON object"),
        ('{"rules": [], "more": 1}', "'rules' alone"),
        ('{"rules": []}', "1 to 50"),
        (policy(*[{**RULE, "rulePriority": n} for n in range(1, 52)]), "1 to 50"),
        (policy(RULE, RULE), "not unique"),
        (policy({**RULE, "extra": 1}), "a rule has only"),
        (policy(changed("rulePriority", 0)), "rulePriority"),
        (policy(changed("rulePriority", True)), "rulePriority"),
        (policy(changed("description", 1)), "description"),
        (policy(changed("selection", None)), "selection"),
        (policy(changed("selection.tagPatternsList", ["v*"])), "a selection has only"),
        (policy(changed("selection.tagStatus", "Tagged")), "tagStatus"),
        (policy(changed("selection.tagPatternList", None)), "one of tagPatternList and tagPrefixList"),
        (policy(changed("selection.tagPrefixList", ["v"])), "one of tagPatternList and tagPrefixList"),
        (policy(changed("selection.tagPatternList", [])), "not a list of strings"),
        (policy(changed("selection.tagPatternList", ["*a*b*c*d*"])), "at most 4"),
        (policy(changed("selection.tagStatus", "any")), "needs tagStatus tagged"),
        (policy(changed("selection.countType", "imageCountLessThan")), "countType"),
        (policy(changed("selection.tagStatus", [])), "tagStatus"),
        (policy(changed("selection.countType", {})), "countType"),
        (policy(changed("selection.storageClass", [])), "storageClass"),
        (policy(changed("selection.countNumber", 0)), "countNumber"),
        (policy(changed("selection.countUnit", "days")), "countUnit"),
        (policy(changed("selection.countType", "sinceImagePushed")), "countUnit"),
        (policy(changed("selection.storageClass", "archive")), "sinceImageTransitioned"),
        (policy(changed("action.type", "delete")), "neither expire nor transition"),
        (policy(changed("action", None)), "neither expire nor transition"),
        (
            policy({**RULE, "selection": {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days",
                                          "countNumber": 3}}),
            "only with a transition",
        ),
        (
            policy({**RULE, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3}},
                   {**RULE, "rulePriority": 2}),
            "highest rulePriority",
        ),
    ],
)  # fmt: skip
def test_a_lifecycle_policy_is_refused_with_the_reason(text, reason):
    with pytest.raises(EcrError, match="InvalidParameterException") as failed:
        check_lifecycle_policy(text)
    assert reason in failed.value.message


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
