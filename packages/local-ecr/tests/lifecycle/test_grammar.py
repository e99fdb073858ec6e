"""The grammar of lifecycle policies: what ECR takes, how it reads back, and in which words it refuses."""

import copy
import json

import pytest

from local_ecr.errors import EcrError
from local_ecr.lifecycle.grammar import check_lifecycle_policy

EXPIRE = {"type": "expire"}
ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}
COUNT = {"countType": "imageCountMoreThan", "countNumber": 10}
RULE = {
    "rulePriority": 1,
    "description": "keep ten",
    "selection": {"tagStatus": "tagged", "tagPatternList": ["v*"], **COUNT},
    "action": EXPIRE,
}


def days(count_type, number, **members):
    return {"countType": count_type, "countUnit": "days", "countNumber": number, **members}


def rule(priority, action=EXPIRE, **selection):
    return {"rulePriority": priority, "selection": selection, "action": action}


def policy(*rules):
    return json.dumps({"rules": list(rules)})


def changed(path, value):
    """RULE with one member set, or removed when the value is None."""
    copied = copy.deepcopy(RULE)
    *parents, last = path.split(".")
    target = copied
    for parent in parents:
        target = target[parent]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return copied


def refusal_of(text):
    with pytest.raises(EcrError, match="InvalidParameterException") as failed:
        check_lifecycle_policy(text)
    before = "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
    assert failed.value.message.startswith(f"{before}'Lifecycle policy validation failure: ")
    return failed.value.message


def test_a_policy_is_read_back_without_white_space():
    assert check_lifecycle_policy(json.dumps({"rules": [RULE]}, indent=4)) == json.dumps(
        {"rules": [RULE]}, separators=(",", ":")
    )


def test_a_description_is_read_back_in_its_own_letters():
    assert '"description":"für später"' in check_lifecycle_policy(policy({**RULE, "description": "für später"}))


def test_rules_are_read_back_in_the_order_of_their_priority():
    text = policy(rule(7, tagStatus="any", **COUNT), rule(2, tagStatus="untagged", **COUNT))
    assert [one["rulePriority"] for one in json.loads(check_lifecycle_policy(text))["rules"]] == [2, 7]


@pytest.mark.parametrize(
    "one",
    [
        rule(1, tagStatus="untagged", **days("sinceImagePushed", 1)),
        rule(1, tagStatus="any", **COUNT),
        rule(1, tagStatus="any", storageClass="standard", **COUNT),
        rule(1, tagStatus="tagged", tagPrefixList=["v", "release"], **COUNT),
        rule(1, tagStatus="tagged", tagPatternList=["*test*1*2*3", "test*1*2*3*"], **COUNT),
        rule(1, tagStatus="any", **days("sinceImageTransitioned", 90, storageClass="archive")),
        rule(1, ARCHIVE, tagStatus="any", **days("sinceImagePulled", 30)),
        rule(1, ARCHIVE, tagStatus="any", **days("sinceImagePushed", 30)),
        rule(1, ARCHIVE, tagStatus="any", **COUNT),
    ],
)
def test_a_rule_is_taken_when_its_selection_and_action_are_documented(one):
    assert json.loads(check_lifecycle_policy(policy(one))) == {"rules": [one]}


def test_each_storage_class_has_its_own_last_rule_for_any_image_and_its_own_untagged_one():
    archived = days("sinceImageTransitioned", 365, storageClass="archive")
    check_lifecycle_policy(
        policy(
            rule(1, tagStatus="untagged", **COUNT),
            rule(2, ARCHIVE, tagStatus="any", **days("sinceImagePushed", 30)),
            rule(3, tagStatus="untagged", **archived),
            rule(4, tagStatus="any", **archived),
        )
    )


SCHEMA = "instance failed to match exactly one schema (matched 0 out of 2): "


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Could not map policyString into LifecyclePolicy."),
        ("[]", "Could not map policyString into LifecyclePolicy."),
        ('{"rules": [], "rules": []}', "Could not map policyString into LifecyclePolicy."),
        ("{}", 'object has missing required properties (["rules"])'),
        ('{"rules": [], "more": 1}', 'properties which are not allowed by the schema: (["more"])'),
        ('{"rules": "all"}', 'instance type (string) does not match any allowed primitive type (allowed: ["array"])'),
        ('{"rules": []}', "array is too short: must have at least 1 elements but instance has 0 elements"),
        (
            policy(*[{**RULE, "rulePriority": n} for n in range(1, 52)]),
            "array is too long: must have at most 50 elements but instance has 51 elements",
        ),
        (policy(7), 'instance type (integer) does not match any allowed primitive type (allowed: ["object"])'),
        (policy({**RULE, "extra": 1}), '(["extra"])'),
        (policy(changed("rulePriority", 0)), "lower than the required minimum (minimum: 1, found: 0)"),
        (policy(changed("rulePriority", True)), "instance type (boolean)"),
        (policy(changed("rulePriority", 2**31)), "Could not map policyString"),
        (policy(changed("description", 1)), "instance type (integer)"),
        (policy(changed("selection", None)), 'object has missing required properties (["selection"])'),
        (policy(changed("selection", [])), "instance type (array)"),
        (policy(changed("selection.countType", None)), '(["countType"])'),
        (policy(changed("selection.tagPatternsList", ["v*"])), '(["tagPatternsList"])'),
        (
            policy(changed("selection.tagStatus", "Tagged")),
            'instance value ("Tagged") not found in enum (possible values: ["any","tagged","untagged"])',
        ),
        (policy(changed("selection.tagStatus", [])), "instance value ([]) not found in enum"),
        (
            policy(changed("selection.tagPatternList", None)),
            "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.",
        ),
        (
            policy(changed("selection.tagPatternList", [])),
            "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.",
        ),
        (
            policy(changed("selection.tagPrefixList", ["v"])),
            "If policy has a tagged rule, it must specify only one of tagPrefixList or tagPatternList.",
        ),
        (policy(changed("selection.tagPatternList", [1])), "tagPatternList has what is no tag"),
        (policy(changed("selection.tagPatternList", "v*")), "instance type (string)"),
        (policy(changed("selection.tagPatternList", ["test*1*2*3*4*5*6"])), "Invalid tag pattern provided"),
        (policy(changed("selection.tagStatus", "any")), "Cannot specify tagPatternList with tagStatus ANY."),
        (policy(changed("selection.countType", "imageCountLessThan")), SCHEMA + "countType"),
        (policy(changed("selection.countType", {})), SCHEMA + "countType"),
        (policy(changed("selection.storageClass", [])), "not found in enum"),
        (policy(changed("selection.countNumber", 0)), "lower than the required minimum (minimum: 1, found: 0)"),
        (policy(changed("selection.countNumber", 1.5)), "instance type (number)"),
        (policy(changed("selection.countUnit", "days")), SCHEMA + "countUnit goes with"),
        (
            policy(changed("selection.countType", "sinceImagePushed")),
            SCHEMA + "sinceImagePushed needs",
        ),
        (policy(changed("selection.storageClass", "archive")), SCHEMA + "sinceImageTransitioned goes with the storage"),
        (policy(changed("action.type", "delete")), SCHEMA + "an action is expire"),
        (policy(changed("action.targetStorageClass", "archive")), SCHEMA + "an action is expire"),
        (policy({**RULE, "action": {"type": "transition"}}), SCHEMA + "an action is expire"),
        (policy(changed("action", None)), '(["action"])'),
        (policy(rule(1, tagStatus="any", **days("sinceImagePulled", 3))), SCHEMA + "sinceImagePulled goes with"),
        (
            policy(rule(1, tagStatus="any", **days("sinceImageTransitioned", 89, storageClass="archive"))),
            "lower than the required minimum (minimum: 90, found: 89)",
        ),
        (
            policy(rule(1, ARCHIVE, tagStatus="any", **days("sinceImageTransitioned", 90, storageClass="archive"))),
            SCHEMA + "sinceImageTransitioned goes with expire only",
        ),
        (policy(RULE, changed("selection.tagPatternList", ["w*"])), "Duplicate priority in multiple rules."),
        (policy(RULE, {**RULE, "rulePriority": 2}), "Duplicate tag prefixes or patterns"),
        (
            policy(rule(1, tagStatus="any", **COUNT), {**RULE, "rulePriority": 2}),
            "Rule for tagStatus=ANY must have the lowest priority per storage class.",
        ),
        (
            policy(*[rule(n, tagStatus="untagged", **COUNT) for n in (1, 2)]),
            "Only one rule can select Untagged images per storage class.",
        ),
    ],
)
def test_a_policy_is_refused_with_the_reason(text, reason):
    assert reason in refusal_of(text)
