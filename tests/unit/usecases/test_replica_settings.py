"""Replicas have their source's settings, or those of their own rule, whoever made them, and are repaired."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from ecr_steward.adapters.memory import (
    InMemoryNotices,
    InMemoryRegistry,
    InMemoryRegistrySettings,
    InMemoryReplicationQueue,
)
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.observations import RepositoryChanged
from ecr_steward.domain.policies.rules import PolicyRules
from ecr_steward.domain.registries import NativeReplication, WantedReplication, WantedSettings
from ecr_steward.domain.registry_rules import RegistryRule
from ecr_steward.domain.replicas import native_destinations, sources_of
from ecr_steward.domain.repositories import Mutability, Repository, RepositorySettings, TagMutability
from ecr_steward.domain.rules import Destination, Match, Mode, ReplicationRules, Rule, Rules
from ecr_steward.usecases.apply_repository_policies import apply_repository_policies, mend_settings
from ecr_steward.usecases.governing import governed, governed_settings
from ecr_steward.usecases.reconcile_registry import reconcile_registry
from ecr_steward.usecases.sweep_repository import Hands
from tests.given.appliers import applier_of
from tests.given.rules import API, AWAY, HOME, Pattern
from tests.given.worlds import world

OTHER = RegistryRef("222233334444", "us-east-1")
MIRROR = API.in_registry(AWAY)
IMMUTABLE = TagMutability(Mutability.IMMUTABLE)


def settings_of(registry: RegistryRef) -> RepositorySettings:
    statement = {"Sid": "EcrStewardPull", "Effect": "Allow", "Action": "ecr:BatchGetImage"}
    root = {"AWS": f"arn:aws:iam::{registry.account}:root"}
    return RepositorySettings(policy_rules=PolicyRules(({**statement, "Principal": root},)), mutability=IMMUTABLE)


def rule(*to: Destination, **changes: Any) -> Rule:
    """A rule for ``team-`` at home, copied to these destinations."""
    match = Match((Pattern("team-.*"),), accounts=(Pattern(HOME.account),), regions=(Pattern(HOME.region),))
    whole = Rule("services", match, Mode.ENFORCE, repository=settings_of, replicate=(ReplicationRules(to),))
    return replace(whole, **changes)


def native(*destinations: RegistryRef, prefixes: Iterable[str] = ()) -> RegistryRule:
    replication = NativeReplication(frozenset(prefixes), frozenset(destinations))
    wanted = WantedSettings(replication=WantedReplication((replication,)))
    return RegistryRule("all", lambda _: wanted, regions=(Pattern(HOME.region),), accounts=(Pattern(HOME.account),))


class TestSources:
    @pytest.mark.parametrize(
        ("destination", "replica", "source"),
        [
            (Destination(region=AWAY.region), API.in_registry(AWAY), API),
            (Destination(account=OTHER.account), API.in_registry(OTHER), API),
            (Destination(repository="copies/{name}"), RepositoryRef(HOME, "copies/team-a/api"), API),
            (Destination(region=AWAY.region, repository="{name}/copy"), RepositoryRef(AWAY, "team-a/api/copy"), API),
        ],
    )
    def test_the_source_is_found_when_a_rule_copies_it_there(
        self, destination: Destination, replica: RepositoryRef, source: RepositoryRef
    ) -> None:
        assert list(sources_of(Rules((rule(destination),)), replica, [HOME, OTHER])) == [source]

    @pytest.mark.parametrize(
        ("destination", "replica"),
        [
            (Destination(region=AWAY.region), RepositoryRef(AWAY, "payments/api")),
            (Destination(region=AWAY.region), API.in_registry(OTHER)),
            (Destination(region=AWAY.region, repository="copies/{name}"), API.in_registry(AWAY)),
            (Destination(region=AWAY.region, repository="copies/{name}"), RepositoryRef(AWAY, "copies")),
            (Destination(region=AWAY.region, repository="mirror"), RepositoryRef(AWAY, "mirror")),
            (Destination(), API),
        ],
    )
    def test_there_is_no_source_when_nothing_or_everything_is_copied_there(
        self, destination: Destination, replica: RepositoryRef
    ) -> None:
        assert list(sources_of(Rules((rule(destination),)), replica, [HOME, OTHER])) == []

    def test_the_source_is_found_when_ecr_replicates_it_there(self) -> None:
        rules = Rules((), registries=(native(AWAY, prefixes=["team-a/"]),))

        assert list(sources_of(rules, MIRROR, [HOME, AWAY])) == [API]
        assert list(sources_of(rules, RepositoryRef(AWAY, "team-b/api"), [HOME, AWAY])) == []
        assert list(sources_of(rules, API.in_registry(OTHER), [HOME, AWAY])) == []

    def test_destinations_of_ecr_itself_are_known_when_the_rulebook_has_it_replicate(self) -> None:
        rules = Rules((), registries=(native(AWAY, OTHER),))

        assert native_destinations(rules, HOME) == {AWAY, OTHER}
        assert native_destinations(rules, AWAY) == frozenset()


@pytest.fixture
def registry() -> InMemoryRegistry:
    """A repository at home and two replicas without settings."""
    registry = InMemoryRegistry()
    for ref in (API, MIRROR, API.in_registry(OTHER)):
        registry.create_missing(ref)
    return registry


def mend(registry: InMemoryRegistry, rules: Rules, replica: RepositoryRef) -> Any:
    governing, known = governed(Repository.unread(replica), rules, registry, [HOME])
    return mend_settings(governing, known, registry, applier_of(registry))


@pytest.mark.parametrize("by", ["the steward", "ecr"])
@pytest.mark.parametrize("replica", [MIRROR, API.in_registry(OTHER)], ids=str)
def test_a_replica_has_the_settings_of_its_source_when_no_rule_covers_it(
    registry: InMemoryRegistry, by: str, replica: RepositoryRef
) -> None:
    to = Destination(account=replica.registry.account, region=replica.registry.region)
    rules = Rules((rule(to),)) if by == "the steward" else Rules((rule(),), registries=(native(replica.registry),))

    (outcome,) = mend(registry, rules, replica)

    found = registry.settings_of(replica)
    assert (outcome.rule, outcome.applied) == ("services", True)
    assert found.mutability == IMMUTABLE
    assert found.policy["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{replica.registry.account}:root"}  # type: ignore[index,call-overload]
    assert registry.settings_of(API).mutability != IMMUTABLE
    assert mend(registry, rules, replica)[0].plan.is_empty


def test_a_replica_has_the_settings_of_its_own_rule_when_one_covers_it(registry: InMemoryRegistry) -> None:
    own = Rule("own", Match((Pattern(".*"),), regions=(Pattern(AWAY.region),)), Mode.ENFORCE)
    own = replace(own, repository=lambda _: RepositorySettings(scan_on_push=True))
    rules = Rules((rule(Destination(region=AWAY.region)), own))

    (outcome,) = mend(registry, rules, MIRROR)

    assert outcome.rule == "own"
    assert registry.settings_of(MIRROR).mutability != IMMUTABLE


def test_nothing_is_changed_when_the_rule_of_the_source_observes(registry: InMemoryRegistry) -> None:
    rules = Rules((rule(Destination(region=AWAY.region), mode=Mode.OBSERVE),))

    (outcome,) = mend(registry, rules, MIRROR)

    assert not outcome.plan.is_empty
    assert registry.settings_of(MIRROR).mutability != IMMUTABLE


def test_a_replica_is_only_reported_on_when_infrastructure_code_owns_it(registry: InMemoryRegistry) -> None:
    registry.change_settings(MIRROR, resource_tags={"managed-by": "terraform"})
    owned = {"managed-by": (Pattern("terraform"),)}
    rules = Rules((rule(Destination(region=AWAY.region)),), infrastructure_code=owned)

    (outcome,) = mend(registry, rules, MIRROR)

    assert (outcome.mode, outcome.applied) == (Mode.OBSERVE, False)
    assert registry.settings_of(MIRROR).mutability != IMMUTABLE


def test_a_repository_is_left_alone_when_there_is_no_source_of_its_name() -> None:
    registry = InMemoryRegistry()
    registry.create_missing(MIRROR)

    assert mend(registry, Rules((rule(Destination(region=AWAY.region)),)), MIRROR) == ()


def test_the_settings_are_those_of_the_source_when_its_resource_tags_choose_the_rule(
    registry: InMemoryRegistry,
) -> None:
    registry.change_settings(API, resource_tags={"tier": "prod"})
    prod = rule(Destination(region=AWAY.region))
    prod = replace(prod, match=replace(prod.match, resource_tags={"tier": Pattern("prod")}))

    mend(registry, Rules((prod,)), MIRROR)

    assert registry.settings_of(MIRROR).mutability == IMMUTABLE


def test_a_copier_reads_the_settings_of_the_source_when_no_rule_covers_the_destination(
    registry: InMemoryRegistry,
) -> None:
    governing, actual = governed_settings(MIRROR, Rules((rule(Destination(region=AWAY.region)),)), registry, API)

    (wanted,) = governing.settings
    assert (wanted.name, actual.ref) == ("services", MIRROR)


def test_a_replica_has_the_settings_of_its_source_when_somebody_changes_them(registry: InMemoryRegistry) -> None:
    rules = Rules((rule(Destination(region=AWAY.region)),))
    change = RepositoryChanged(MIRROR, "PutImageTagMutability")

    (outcome,) = apply_repository_policies(
        change, rules=rules, registry=registry, applier=applier_of(registry), homes=[HOME]
    )

    assert (outcome.rule, outcome.applied) == ("services", True)
    assert registry.settings_of(MIRROR).mutability == IMMUTABLE


@pytest.mark.parametrize("by", ["the steward", "ecr"])
def test_replicas_are_repaired_when_the_sweep_comes(by: str) -> None:
    swept = world([], {})
    swept.registry.create_missing(MIRROR)
    rules = Rules((rule(Destination(region=AWAY.region)),))
    if by == "ecr":
        rules = Rules((rule(),), registries=(native(AWAY),))
    applier, settings = applier_of(swept.registry), InMemoryRegistrySettings()
    queue, notices = InMemoryReplicationQueue(), InMemoryNotices()
    hands = Hands(swept.registry, swept.content, swept.scans, notices, queue, noon, applier, settings)

    outcome = reconcile_registry([HOME], rules=rules, hands=hands)

    assert outcome.failures == ()
    assert swept.registry.settings_of(MIRROR).mutability == IMMUTABLE
