"""AWS's JSON: what is read, also of older grammars, what is written, and what is refused in which words."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given

from ecr_steward.domain.lifecycle.document import (
    lifecycle_document,
    lifecycle_text,
    parse_lifecycle_text,
    read_lifecycle_policy,
)
from ecr_steward.domain.lifecycle.policy import (
    Action,
    CountType,
    ImageSelection,
    LifecyclePolicy,
    LifecycleRule,
    StorageClass,
    TagStatus,
    refusals,
)
from ecr_steward.errors import InvalidLifecyclePolicyError
from tests.given.lifecycles import policies

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
TEN = LifecycleRule(
    1, ImageSelection(TagStatus.TAGGED, ("v*",)), CountType.IMAGES, 10, Action.EXPIRE, description="keep ten"
)


def changed(path: str, value: Any) -> dict[str, Any]:
    """RULE with one member set, or removed where the value is ``...``."""
    rule: dict[str, Any] = copy.deepcopy(RULE)
    *parents, last = path.split(".")
    target = rule
    for parent in parents:
        target = target[parent]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return {"rules": [rule]}


@given(policies())
def test_a_policy_is_read_as_it_was_written(policy: LifecyclePolicy) -> None:
    in_order = LifecyclePolicy(policy.in_order)

    assert read_lifecycle_policy(lifecycle_document(policy)) == in_order
    assert parse_lifecycle_text(lifecycle_text(policy)) == in_order


def test_what_goes_to_the_archive_and_out_of_it_is_written_with_its_storage_class() -> None:
    policy = LifecyclePolicy(
        (
            LifecycleRule(2, ImageSelection(TagStatus.ANY), CountType.PULLED, 90, Action.ARCHIVE),
            LifecycleRule(
                1, ImageSelection(TagStatus.UNTAGGED, storage_class=StorageClass.ARCHIVE), CountType.ARCHIVED, 180
            ),
        )
    )

    assert lifecycle_text(policy) == (
        '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","storageClass":"archive",'
        '"countType":"sinceImageTransitioned","countUnit":"days","countNumber":180},"action":{"type":"expire"}},'
        '{"rulePriority":2,"selection":{"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days",'
        '"countNumber":90},"action":{"type":"transition","targetStorageClass":"archive"}}]}'
    )


@pytest.mark.parametrize(
    "document",
    [
        changed("selection.storageClass", "standard"),
        changed("selection.storageClass", None),
        changed("selection.tagPrefixList", None),
        changed("selection.tagPrefixList", []),
        changed("selection.countUnit", None),
        changed("selection.countNumber", "10"),
        changed("selection.countNumber", 10.0),
        changed("rulePriority", "1"),
        changed("selection.tagStatus", "TAGGED"),
        changed("action", ...),
        changed("action", {}),
        changed("action", {"type": "EXPIRE", "targetStorageClass": None}),
    ],
)
def test_what_ecr_and_tools_have_written_over_the_years_is_read(document: dict[str, Any]) -> None:
    assert read_lifecycle_policy(document) == LifecyclePolicy((TEN,))


def test_the_grammar_of_2017_is_read() -> None:
    policy = parse_lifecycle_text(
        '{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPrefixList": ["prod", "v"],'
        ' "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}, "action": {"type": "expire"}}]}'
    )

    selection = ImageSelection(TagStatus.TAGGED, prefixes=("prod", "v"))
    assert policy == LifecyclePolicy((LifecycleRule(1, selection, CountType.PUSHED, 14),))
    assert refusals(policy) == ()


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "the lifecycle policy: `[]` is written; expected an object with rules"),
        ({"rules": []} | {"version": 2}, "the lifecycle policy: `version` is not known here; expected rules"),
        ({}, "rules: nothing is written; expected a list of rules"),
        ({"rules": "all"}, "rules: `all` is written; expected a list of rules"),
        (
            {"rules": [7]},
            "rules[0]: `7` is written; expected an object with rulePriority, description, selection, action",
        ),
        (changed("rulePriority", True), "rules[0].rulePriority: `True` is written; expected a whole number"),
        (changed("rulePriority", 1.5), "rules[0].rulePriority: `1.5` is written; expected a whole number"),
        (changed("description", 7), "rules[0].description: `7` is written; expected a text"),
        (changed("selection", ...), "rules[0].selection: nothing is written; expected an object with tagStatus, "),
        (
            changed("selection.tagStatus", "all"),
            "rules[0].selection.tagStatus: `all` is written; expected one of tagged, ",
        ),
        (changed("selection.exclude", ["v*"]), "rules[0].selection: `exclude` is not known here; expected tagStatus, "),
        (changed("selection.tagPatternList", "v*"), "tagPatternList: `v*` is written; expected a list of texts"),
        (changed("selection.tagPatternList", ["v*", 7]), "tagPatternList[1]: `7` is written; expected a text"),
        (changed("selection.countUnit", "hours"), "countUnit: `hours` is written; expected days"),
        (changed("selection.countNumber", ...), "countNumber: nothing is written; expected a whole number"),
        (
            changed("action", {"type": "retain"}),
            "rules[0].action.type: `retain` is written; expected one of expire, trans",
        ),
        (
            changed("action", {"type": "expire", "targetStorageClass": "archive"}),
            "targetStorageClass: `archive` is written; expected nothing",
        ),
        (
            changed("action", {"type": "transition", "targetStorageClass": "standard"}),
            "rules[0].action.targetStorageClass: `standard` is written; expected archive",
        ),
    ],
)
def test_place_and_expectation_are_told_when_a_policy_cannot_be_read(document: Any, told: str) -> None:
    with pytest.raises(InvalidLifecyclePolicyError) as refused:
        read_lifecycle_policy(document)

    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not JSON"),
        ('{"rules": [], "rules": []}', "`rules` is written twice"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_text_is_refused_when_it_is_no_json(text: str, told: str) -> None:
    with pytest.raises(InvalidLifecyclePolicyError, match=told):
        parse_lifecycle_text(text)


def only(rule: LifecycleRule) -> LifecyclePolicy:
    return LifecyclePolicy((rule,))


def selecting(status: TagStatus, **more: Any) -> LifecycleRule:
    return LifecycleRule(1, ImageSelection(status, **more), CountType.IMAGES, 1)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (LifecyclePolicy(), "has no rules"),
        (LifecyclePolicy((TEN,) * 51), "has 51 rules: ECR takes at most 50"),
        (LifecyclePolicy((TEN, TEN)), "rulePriority 1 is given 2 times"),
        (LifecyclePolicy((TEN, TEN)), "2 rules select by the same patterns (v*)"),
        (only(selecting(TagStatus.TAGGED)), "tagged needs a tagPatternList"),
        (only(selecting(TagStatus.ANY, patterns=("v*",))), "tagStatus any takes no list"),
        (only(selecting(TagStatus.TAGGED, patterns=("v*",), prefixes=("v",))), "keep one of them"),
        (only(selecting(TagStatus.TAGGED, patterns=("*.*.*.*.*",))), "more than 4 wildcards"),
        (only(selecting(TagStatus.ANY, storage_class=StorageClass.ARCHIVE)), "goes with the storageClass archive"),
        (only(LifecycleRule(0, ImageSelection(TagStatus.ANY), CountType.IMAGES, 0)), "a priority is 1 or more"),
        (only(LifecycleRule(1, ImageSelection(TagStatus.ANY), CountType.IMAGES, 0)), "countNumber 0 is too small"),
        (only(LifecycleRule(1, ImageSelection(TagStatus.ANY), CountType.PULLED, 9)), "let the action be transition"),
        (
            only(
                LifecycleRule(
                    1, ImageSelection(TagStatus.ANY, storage_class=StorageClass.ARCHIVE), CountType.ARCHIVED, 89
                )
            ),
            "sinceImageTransitioned takes 90 or more",
        ),
        (
            only(
                LifecycleRule(
                    1,
                    ImageSelection(TagStatus.ANY, storage_class=StorageClass.ARCHIVE),
                    CountType.ARCHIVED,
                    90,
                    Action.ARCHIVE,
                )
            ),
            "what is archived cannot be archived",
        ),
        (
            LifecyclePolicy((selecting(TagStatus.ANY), LifecycleRule(2, TEN.selection, CountType.IMAGES, 1))),
            "selects any image: give it the highest number",
        ),
        (
            LifecyclePolicy(
                (
                    selecting(TagStatus.UNTAGGED),
                    LifecycleRule(2, ImageSelection(TagStatus.UNTAGGED), CountType.PUSHED, 1),
                )
            ),
            "more than one rule selects untagged images",
        ),
    ],
)
def test_what_ecr_would_refuse_is_told_with_what_to_do(policy: LifecyclePolicy, told: str) -> None:
    assert any(told in refusal for refusal in refusals(policy)), refusals(policy)


def test_a_rule_says_in_words_what_it_does() -> None:
    assert str(TEN) == "expire v* but the newest 10"
    assert json.loads(lifecycle_text(LifecyclePolicy((TEN,)))) == {"rules": [RULE]}
