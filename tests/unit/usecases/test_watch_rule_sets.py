"""Resource tags that move a repository to other rules are reported (attacks M3)."""

from dataclasses import dataclass, field, replace

import pytest

from ecr_steward.adapters.memory import InMemoryNotices, InMemoryReplicationQueue, InMemoryRuleSets
from ecr_steward.domain.callers import Caller
from ecr_steward.domain.notices import RulesChanged
from ecr_steward.domain.observations import RepositoryChanged
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.rules import Match, Mode, Rules
from ecr_steward.usecases.apply_repository_policies import apply_repository_policies
from ecr_steward.usecases.reconcile_registry import reconcile_registry
from tests.given.appliers import applier_of
from tests.given.rules import API, HOME, Pattern, service_rule
from tests.given.worlds import World, hands_of, world

EVERYTHING = service_rule(name="everything", replicate=None, image_tags=None)
PRODUCTION = replace(
    EVERYTHING, name="production", match=Match((Pattern(".*"),), resource_tags={"tier": Pattern("prod")})
)
RULES = Rules((PRODUCTION, EVERYTHING), infrastructure_code={"managed-by": (Pattern("terraform"),)})


@dataclass
class House:
    """A repository in production."""

    rules: Rules = RULES
    world: World = field(default_factory=lambda: world([], {}))
    rule_sets: InMemoryRuleSets = field(default_factory=InMemoryRuleSets)
    notices: InMemoryNotices = field(default_factory=InMemoryNotices)

    def __post_init__(self) -> None:
        self.tag(tier="prod")

    def tag(self, **resource_tags: str) -> None:
        self.world.registry.change_settings(API, resource_tags=resource_tags)

    def sweep(self, *, is_dry: bool = False) -> list[Outcome]:
        hands = hands_of(self.world, self.notices, InMemoryReplicationQueue())
        hands = replace(hands, rule_sets=self.rule_sets, is_dry=is_dry)
        found = reconcile_registry([HOME], rules=self.rules, hands=hands).outcomes
        return [each for each in found if each.remark and "moved" in each.remark]

    def hear_of(self, operation: str) -> tuple[Outcome, ...]:
        registry = self.world.registry
        return apply_repository_policies(
            RepositoryChanged(API, operation, Caller("arn:aws:iam::111122223333:user/ci")),
            rules=self.rules,
            registry=registry,
            applier=applier_of(registry, notices=self.notices),
            rule_sets=self.rule_sets,
        )

    def published(self) -> list[RulesChanged]:
        return [notice for notice in self.notices.published if isinstance(notice, RulesChanged)]


def test_a_repository_that_is_seen_for_the_first_time_is_no_news() -> None:
    house = House()

    assert (house.sweep(), house.sweep(), house.published()) == ([], [], [])


@pytest.mark.parametrize(
    ("tags", "now"),
    [
        ({}, ("everything",)),
        ({"tier": "prod", "managed-by": "terraform"}, ("production", "everything", "infrastructure_code")),
    ],
)
def test_the_sweep_reports_a_repository_that_resource_tags_have_moved(
    tags: dict[str, str], now: tuple[str, ...]
) -> None:
    """attacks M3."""
    house = House()
    house.sweep()
    house.tag(**tags)

    (outcome,) = house.sweep()

    assert outcome.remark == (
        f"its resource tags have moved it from the rules [production, everything] to [{', '.join(now)}]"
    )
    assert house.published() == [RulesChanged(API, ("production", "everything"), now)]
    assert house.sweep() == []


def test_the_event_says_who_moved_it_and_the_sweep_has_nothing_to_add() -> None:
    """attacks M3."""
    house = House()
    house.sweep()
    house.tag()

    first, *_ = house.hear_of("UntagResource")

    by = "UntagResource by arn:aws:iam::111122223333:user/ci"
    assert first.changed_by == by
    assert house.published() == [RulesChanged(API, ("production", "everything"), ("everything",), by)]
    assert house.sweep() == []


def test_a_repository_that_no_rule_covers_any_more_is_reported() -> None:
    house = House(Rules((PRODUCTION,)))
    house.sweep()
    house.tag()

    (outcome,) = house.sweep()

    assert outcome.remark == "its resource tags have moved it from the rules [production] to [no rule]"


def test_another_rulebook_is_no_move_and_neither_is_another_mode() -> None:
    house = House()
    house.sweep()

    house.rules = replace(RULES, rules=(replace(EVERYTHING, mode=Mode.OBSERVE), PRODUCTION))
    assert house.sweep() == []
    house.rules = house.rules.observing()
    house.tag()
    assert len(house.sweep()) == 1


def test_nothing_is_remembered_where_no_rule_asks_for_resource_tags_and_in_a_dry_run() -> None:
    plain = House(Rules((EVERYTHING,)))
    plain.sweep()
    dry = House()
    dry.sweep()
    dry.tag()

    (outcome,) = dry.sweep(is_dry=True)

    assert plain.rule_sets.calls.entries == []
    assert "moved it" in (outcome.remark or "")
    assert dry.published() == []
    assert len(dry.sweep()) == 1
