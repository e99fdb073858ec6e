"""The contract of ``RuleSets``: every test runs on the fake and on the adapter."""

from typing import Any

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.rule_sets import RuleSet

API = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
FIRST = RuleSet(("production", "everything"), "one")


def test_nothing_is_known_of_a_repository_at_first(world: Any) -> None:
    assert world.rule_sets.last(API) is None


def test_the_last_rules_of_each_repository_are_remembered(world: Any) -> None:
    abroad = API.in_registry(RegistryRef("111122223333", "eu-west-1"))
    world.rule_sets.remember(API, RuleSet(("everything",), "one"))

    world.rule_sets.remember(API, FIRST)
    world.rule_sets.remember(abroad, RuleSet((), "two"))

    assert world.rule_sets.last(API) == FIRST
    assert world.rule_sets.last(abroad) == RuleSet((), "two")
