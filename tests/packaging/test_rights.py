"""Rights that fit: what roles may do beside what they ask for, what AWS publishes of it, and reasons for the rest."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pytest

from rights import calls, judged, page
from rights.calls import Call, Seen
from tests.packaging.reading import asked_by_handlers

STANDS_FOR: Final = {
    "AWS::ECR::RegistryPolicy": "ecr:PutRegistryPolicy",
    "AWS::ECR::RegistryScanningConfiguration": "ecr:PutRegistryScanningConfiguration",
    "AWS::ECR::ReplicationConfiguration": "ecr:PutReplicationConfiguration",
    "AWS::ECR::Repository": "ecr:CreateRepository",
    "AWS::ECR::RepositoryCreationTemplate": "ecr:UpdateRepositoryCreationTemplate",
}
"""The call of ours that a type's update handler makes, too."""
GAP = Call("hub/SelfCheckRole", "ecr:DeleteRepository", "arn:aws:ecr:us-east-1:111122223333:repository/*", "api")


@pytest.fixture(scope="module")
def seen() -> Seen:
    return calls.read()


@pytest.fixture(scope="module")
def handlers() -> Mapping[str, frozenset[str]]:
    """The actions that AWS publishes for the update handlers."""
    return asked_by_handlers(STANDS_FOR, ["update"])


def test_each_recorded_call_is_allowed_and_each_refusal_is_meant(seen: Seen) -> None:
    assert list(judged.not_allowed(seen)) == []


def test_each_right_is_for_a_recorded_call_or_explained(seen: Seen) -> None:
    assert list(judged.not_used(seen)) == []


def test_what_calls_need_beside_their_own_action_is_granted(seen: Seen, handlers: Mapping[str, frozenset[str]]) -> None:
    assert list(judged.not_granted(seen)) == []
    assert list(judged.not_as_registry(handlers, STANDS_FOR)) == []


def test_no_resource_is_wider_than_aws_lets_it_be_named() -> None:
    assert list(judged.too_wide()) == []


def test_condition_keys_are_those_that_aws_knows_for_the_action(seen: Seen) -> None:
    assert list(judged.unknown_keys(seen)) == []


def test_no_reason_outlives_what_it_explains(seen: Seen) -> None:
    assert list(judged.out_of_date(seen)) == []


def test_the_page_says_what_the_table_does(seen: Seen) -> None:
    assert page.FILE.read_text(encoding="utf-8") == page.page(seen), "run `python -m rights --page`"


def test_the_file_is_what_would_be_written(seen: Seen) -> None:
    assert calls.FILE.read_text(encoding="utf-8") == calls.written(seen)


def test_a_right_that_nothing_asks_for_is_named_with_what_to_do(seen: Seen) -> None:
    fewer = replace(seen, allowed=frozenset(one for one in seen.allowed if one.action != "ecr:PutImageTagMutability"))

    told = [line for line in judged.not_used(fewer) if "ecr:PutImageTagMutability" in line]

    assert any(line.startswith("hub/ApplyRepositoryPoliciesFunctionRole, ChangeRepositories: ") for line in told)
    assert all("`make rights` records it" in line for line in told)


def test_a_call_without_a_right_is_named(seen: Seen) -> None:
    (told,) = judged.not_allowed(replace(seen, allowed=seen.allowed | {GAP}))
    (refused,) = judged.not_allowed(replace(seen, refused=seen.refused | {GAP}))

    assert told.startswith("hub/SelfCheckRole ecr:DeleteRepository arn:aws:ecr:us-east-1:111122223333:repository/*: ")
    assert "a function was refused this" in refused
