"""Settings of whole registries, from the rulebook to the calls that change them."""

from typing import Any

import pytest

from ecr_steward.adapters.memory import (
    InMemoryBrakes,
    InMemoryJournal,
    InMemoryNotices,
    InMemoryRegistry,
    InMemoryRegistrySettings,
    InMemorySwitch,
)
from ecr_steward.adapters.memory.clock import NOON, noon
from ecr_steward.domain.brake import USUAL, Brake
from ecr_steward.domain.callers import Caller, OwnRoles
from ecr_steward.domain.observations import RegistryChanged
from ecr_steward.domain.pause import Pause
from ecr_steward.domain.registries import (
    NativeReplication,
    PutAccountSetting,
    RegistrySettings,
    WantedPolicy,
    WantedReplication,
    WantedScanning,
    WantedSettings,
)
from ecr_steward.domain.registry_rules import RegistryRule
from ecr_steward.domain.rules import Mode, Rules
from ecr_steward.errors import AccessDeniedError, ThrottledError
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.govern_registry import apply_registry_settings, govern_registry
from tests.given.rules import AWAY, HOME, Pattern

MOUNTING = WantedSettings(account_settings={"BLOB_MOUNTING": "ENABLED"})
SCANNING = WantedSettings(scanning=WantedScanning("BASIC", {"SCAN_ON_PUSH": frozenset({"*"})}))
REPLICATION = WantedSettings(
    replication=WantedReplication((NativeReplication(frozenset({"prod/"}), frozenset({AWAY})),))
)
NO_POLICY = WantedSettings(policy=WantedPolicy(keeps_foreign=False))
FOREIGN = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Theirs", "Effect": "Allow", "Principal": "*", "Action": "*"}],
}


def rule(name: str = "all", wanted: WantedSettings = MOUNTING, **changes: Any) -> RegistryRule:
    return RegistryRule(name, lambda _: wanted, **{"mode": Mode.ENFORCE, **changes})


@pytest.fixture
def settings() -> InMemoryRegistrySettings:
    return InMemoryRegistrySettings()


@pytest.fixture
def switch() -> InMemorySwitch:
    return InMemorySwitch()


@pytest.fixture
def journal() -> InMemoryJournal:
    return InMemoryJournal()


def applier_of(
    settings: InMemoryRegistrySettings, switch: InMemorySwitch, journal: InMemoryJournal, brake: Brake = USUAL
) -> Applier:
    brakes, notices = InMemoryBrakes(), InMemoryNotices()
    who = "reconcile_registry"
    return Applier(InMemoryRegistry(), switch, brakes, journal, notices, noon, who, lambda _: brake, settings=settings)


@pytest.fixture
def govern(settings: InMemoryRegistrySettings, switch: InMemorySwitch, journal: InMemoryJournal) -> Any:
    def govern(*rules: RegistryRule, brake: Brake = USUAL, is_dry: bool = False) -> Any:
        applier = applier_of(settings, switch, journal, brake)
        book = Rules((), registries=rules)
        return govern_registry(HOME, rules=book, settings=settings, applier=applier, is_dry=is_dry)

    return govern


def test_the_registry_is_as_its_rule_says_when_the_rule_enforces(
    govern: Any, settings: InMemoryRegistrySettings
) -> None:
    (outcome,) = govern(rule())

    assert (outcome.subject, outcome.rule, outcome.applied) == (f"registry {HOME}", "all", True)
    assert settings.settings_of(HOME).account_settings == {"BLOB_MOUNTING": "ENABLED"}


def test_nothing_is_planned_when_the_registry_is_as_its_rule_says(
    govern: Any, settings: InMemoryRegistrySettings
) -> None:
    govern(rule())
    settings.calls.clear()

    (outcome,) = govern(rule())

    assert outcome.plan.is_empty
    assert settings.calls.changes == []


@pytest.mark.parametrize("circumstance", ["observe", "dry"])
def test_nothing_is_changed_when_the_rule_observes_or_the_run_is_dry(
    govern: Any, settings: InMemoryRegistrySettings, circumstance: str
) -> None:
    mode = Mode.OBSERVE if circumstance == "observe" else Mode.ENFORCE

    (outcome,) = govern(rule(mode=mode), is_dry=circumstance == "dry")

    assert [type(step) for step in outcome.plan.steps] == [PutAccountSetting]
    assert not outcome.applied
    assert settings.calls.changes == []


def test_only_what_rules_speak_of_is_read_when_a_registry_is_governed(
    govern: Any, settings: InMemoryRegistrySettings
) -> None:
    govern(rule(wanted=SCANNING))

    assert settings.calls.methods == ["scanning", "put_scanning"]


def test_the_first_rule_decides_when_two_say_a_key(govern: Any, settings: InMemoryRegistrySettings) -> None:
    second = WantedSettings(scanning=SCANNING.scanning, account_settings={"BLOB_MOUNTING": "DISABLED"})

    outcomes = govern(rule("first"), rule("second", second))

    assert [(outcome.rule, len(outcome.plan.steps)) for outcome in outcomes] == [("first", 1), ("second", 1)]
    assert settings.settings_of(HOME).account_settings == {"BLOB_MOUNTING": "ENABLED"}


def test_a_registry_is_left_alone_when_no_rule_covers_it(govern: Any, settings: InMemoryRegistrySettings) -> None:
    (outcome,) = govern(rule(regions=(Pattern("eu-.*"),)), rule(accounts=(Pattern("9{12}"),)))

    assert outcome.remark == "no rule covers this registry"
    assert settings.calls.entries == []


def test_the_other_parts_are_done_when_one_cannot_be_read(govern: Any, settings: InMemoryRegistrySettings) -> None:
    wanted = WantedSettings(scanning=SCANNING.scanning, replication=REPLICATION.replication)
    settings.calls.fail_before("scanning", AccessDeniedError("not allowed"))

    (outcome,) = govern(rule(wanted=wanted))

    assert str(outcome.error) == "not allowed"
    assert outcome.error.rule == "all"
    assert len(settings.settings_of(HOME).replication["rules"]) == 1


def test_the_other_parts_are_done_when_one_cannot_be_written(govern: Any, settings: InMemoryRegistrySettings) -> None:
    wanted = WantedSettings(scanning=SCANNING.scanning, replication=REPLICATION.replication)
    settings.calls.fail_before("put_scanning", AccessDeniedError("not allowed"))

    (outcome,) = govern(rule(wanted=wanted))

    assert str(outcome.error) == "not allowed"
    assert len(settings.settings_of(HOME).replication["rules"]) == 1


def test_the_passing_error_is_told_when_another_is_lasting(govern: Any, settings: InMemoryRegistrySettings) -> None:
    wanted = WantedSettings(scanning=SCANNING.scanning, replication=REPLICATION.replication)
    settings.calls.fail_before("scanning", AccessDeniedError("not allowed"))
    settings.calls.fail_before("put_replication", ThrottledError("slower"))

    (outcome,) = govern(rule(wanted=wanted))

    assert isinstance(outcome.error, ThrottledError)
    assert outcome.error.__notes__ == ["beside it: not allowed"]


def test_a_policy_stays_when_the_brake_holds(govern: Any, settings: InMemoryRegistrySettings) -> None:
    settings.change(HOME, policy=FOREIGN)

    (outcome,) = govern(rule(wanted=NO_POLICY), brake=Brake(removals=0))

    assert settings.settings_of(HOME).policy == FOREIGN
    assert not outcome.applied
    assert "more than the 0 of its brake" in str(outcome.halt)


def test_nothing_is_changed_when_everything_is_paused(
    govern: Any, settings: InMemoryRegistrySettings, switch: InMemorySwitch
) -> None:
    switch.pause(Pause("alice", "an incident", NOON))

    (outcome,) = govern(rule())

    assert settings.settings_of(HOME) == RegistrySettings()
    assert "alice" in str(outcome.halt)


def test_the_journal_names_the_step_when_a_policy_is_deleted(
    govern: Any, settings: InMemoryRegistrySettings, journal: InMemoryJournal
) -> None:
    settings.change(HOME, policy=FOREIGN)

    govern(rule(wanted=NO_POLICY))

    (entry,) = journal.entries(NOON.date(), NOON.date())
    assert (entry.step, entry.registry, entry.rule) == ("DeleteRegistryPolicy", HOME, "all")
    assert settings.settings_of(HOME).policy is None


OWN_ROLES = OwnRoles(HOME.account, "/ecr-steward/")


@pytest.fixture
def changed_by(settings: InMemoryRegistrySettings, switch: InMemorySwitch, journal: InMemoryJournal) -> Any:
    def changed_by(caller: Caller | None) -> Any:
        return apply_registry_settings(
            RegistryChanged(HOME, "PutAccountSetting", caller),
            rules=Rules((), registries=(rule(),)),
            settings=settings,
            applier=applier_of(settings, switch, journal),
            own_roles=OWN_ROLES,
        )

    return changed_by


def test_the_registry_is_put_right_and_the_caller_named_when_somebody_changed_it(
    changed_by: Any, settings: InMemoryRegistrySettings
) -> None:
    alice = f"arn:aws:sts::{HOME.account}:assumed-role/developer/alice"

    (outcome,) = changed_by(Caller(alice, f"arn:aws:iam::{HOME.account}:role/developer"))

    assert outcome.changed_by == f"PutAccountSetting by {alice}"
    assert settings.settings_of(HOME).account_settings == {"BLOB_MOUNTING": "ENABLED"}


def test_nothing_is_read_when_the_steward_itself_made_the_change(
    changed_by: Any, settings: InMemoryRegistrySettings
) -> None:
    (outcome,) = changed_by(Caller("the steward", f"arn:aws:iam::{HOME.account}:role/ecr-steward/reconcile"))

    assert outcome.remark == "the steward itself made this change: there is nothing to look at again"
    assert settings.calls.entries == []


def test_the_registry_is_put_right_when_nobody_is_named(changed_by: Any, settings: InMemoryRegistrySettings) -> None:
    (outcome,) = changed_by(None)

    assert (outcome.changed_by, outcome.applied) == (None, True)


def test_registry_rules_observe_when_the_whole_rulebook_does() -> None:
    (observing,) = Rules((), registries=(rule(),)).observing().registries

    assert observing.mode is Mode.OBSERVE
