"""The step for a lifecycle policy: none where both do the same, and no exception for what somebody has written."""

from typing import Any

import pytest
from hypothesis import given

from ecr_steward.domain.governance import plan_repository
from ecr_steward.domain.lifecycle.document import lifecycle_document
from ecr_steward.domain.lifecycle.planning import plan_lifecycle
from ecr_steward.domain.lifecycle.policy import LifecyclePolicy
from ecr_steward.domain.plan import DeleteLifecyclePolicy, PutLifecyclePolicy
from ecr_steward.domain.repositories import Repository, RepositorySettings, UnreadableDocument
from tests.given.lifecycles import accepted_policies
from tests.given.rules import API, service_rule


def rule(number: int, count: int, *patterns: str, **more: Any) -> dict[str, Any]:
    tags = {"tagStatus": "tagged", "tagPatternList": list(patterns)} if patterns else {"tagStatus": "any"}
    selection = tags | {"countType": "imageCountMoreThan", "countNumber": count}
    return {"rulePriority": number, "selection": selection, "action": {"type": "expire"}} | more


OURS = {"rules": [rule(1, 30, "v*", description="ecr-steward: keep the newest 30 of v*"), rule(2, 100)]}
NONE: dict[str, Any] = {"rules": []}


def planned(actual: Any, wanted: Any = OURS) -> list[PutLifecyclePolicy | DeleteLifecyclePolicy]:
    return list(plan_lifecycle("services", API, wanted, actual))


@pytest.mark.parametrize(
    "actual",
    [
        OURS,
        {"rules": [rule(20, 100), rule(10, 30, "v*", description="thirty releases")]},
        {"rules": [rule(1, 30, "v**", "v*"), rule(2, 100)]},
    ],
)
def test_nothing_is_planned_when_the_policy_does_the_same(actual: Any) -> None:
    assert planned(actual) == []


@pytest.mark.parametrize(
    ("actual", "why"),
    [
        (None, "the lifecycle policy is missing"),
        (
            {"rules": [rule(1, 10, "v*"), rule(2, 100)]},
            "the lifecycle policy is not the rulebook's: it says `expire v* but the newest 10` and it does not say "
            "`expire v* but the newest 30`",
        ),
        (
            {"rules": [rule(number, 9, f"{number}*") for number in range(1, 4)] + [rule(4, 100)]},
            "the lifecycle policy is not the rulebook's: it says `expire 1* but the newest 9`; `expire 2* but the "
            "newest 9` and 1 more and it does not say `expire v* but the newest 30`",
        ),
        (
            {"rules": [rule(1, 30, "v*")]},
            "the lifecycle policy is not the rulebook's: it does not say `expire all images",
        ),
        (
            {"rules": [rule(1, 100), rule(2, 30, "v*")]},
            "the lifecycle policy is not the rulebook's: its rules are in an",
        ),
        ({"rules": [{"retain": 3}]}, "the lifecycle policy cannot be read: rules[0]: `retain` is not known here"),
        (UnreadableDocument("it is no JSON"), "the lifecycle policy cannot be read: it is no JSON"),
    ],
)
def test_the_policy_is_put_with_the_reason_when_it_does_something_else_or_cannot_be_read(actual: Any, why: str) -> None:
    (step,) = planned(actual)

    assert isinstance(step, PutLifecyclePolicy)
    assert step.document == OURS
    assert step.why.startswith(why)


@pytest.mark.parametrize("actual", [OURS, {"rules": "nonsense"}, UnreadableDocument("no JSON")])
def test_a_policy_is_deleted_when_ecr_has_nothing_to_do(actual: Any) -> None:
    (step,) = planned(actual, wanted=NONE)

    assert isinstance(step, DeleteLifecyclePolicy)


def test_nothing_is_deleted_when_there_is_no_policy() -> None:
    assert planned(None, wanted=NONE) == []


def test_a_rule_that_says_nothing_of_lifecycles_leaves_any_policy_alone() -> None:
    silent = service_rule(repository=lambda _: RepositorySettings(scan_on_push=True))

    plan = plan_repository(silent, Repository(API, RepositorySettings(lifecycle=OURS, scan_on_push=True)))

    assert plan.steps == ()


@given(accepted_policies(), accepted_policies())
def test_after_the_step_there_is_none(ours: LifecyclePolicy, theirs: LifecyclePolicy) -> None:
    wanted = lifecycle_document(ours)

    for step in planned(lifecycle_document(theirs), wanted):
        assert isinstance(step, PutLifecyclePolicy)
        assert planned(step.document, wanted) == []
