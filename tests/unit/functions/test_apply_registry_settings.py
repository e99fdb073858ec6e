"""Events of a whole registry, from what arrives to what is set, and the sweep that needs none."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ecr_steward import bootstrap
from ecr_steward.adapters.connected_accounts import NamedAccounts
from ecr_steward.adapters.memory import InMemoryRegistrySettings
from ecr_steward.domain.deadline import NEVER
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.registries import WantedSettings
from ecr_steward.domain.registry_rules import RegistryRule
from ecr_steward.domain.rules import Mode, Rules
from functions.apply_repository_policies.app import lambda_handler as apply_repository_policies
from tests.given.rules import HOME
from tests.given.worlds import World, world

TWO = RegistryRef("222233334444", HOME.region)
MOUNTING = RegistryRule("all", lambda _: WantedSettings(account_settings={"BLOB_MOUNTING": "ENABLED"}), Mode.ENFORCE)


@pytest.fixture
def settings(move_in: Callable[[World], None], monkeypatch: pytest.MonkeyPatch) -> InMemoryRegistrySettings:
    """The settings of registries that a rulebook speaks of; account two is connected."""
    move_in(world([], {}))
    settings = InMemoryRegistrySettings()
    rules = Rules((), registries=(MOUNTING,))
    accounts = NamedAccounts(frozenset({TWO.account}))
    app = replace(bootstrap.app(), rules=rules, registry_settings=settings, connected=accounts)
    monkeypatch.setattr(bootstrap, "app", lambda _deadline=NEVER: app)
    return settings


def test_the_registry_is_put_right_when_somebody_has_changed_it(
    settings: InMemoryRegistrySettings, context: Any, load_event: Callable[[str], Any]
) -> None:
    event = load_event("aws_api_call_via_cloudtrail/put_registry_policy")

    answer = apply_repository_policies(event, context)

    assert settings.settings_of(HOME).account_settings == {"BLOB_MOUNTING": "ENABLED"}
    (line,) = answer["outcomes"]
    assert (line["subject"], line["rule"], line["applied"]) == (f"registry {HOME}", "all", True)
    assert line["steps"][0]["step"] == "PutAccountSetting"


def test_every_home_registry_is_put_right_when_the_sweep_comes(
    settings: InMemoryRegistrySettings, sweep: Callable[[], None]
) -> None:
    sweep()

    for registry in (HOME, TWO):
        assert settings.settings_of(registry).account_settings == {"BLOB_MOUNTING": "ENABLED"}


def test_the_event_is_kept_when_the_call_had_failed(
    settings: InMemoryRegistrySettings, house: Any, context: Any, load_event: Callable[[str], Any]
) -> None:
    event = load_event("aws_api_call_via_cloudtrail/put_registry_policy")
    event["detail"]["errorCode"] = "AccessDeniedException"

    answer = apply_repository_policies(event, context)

    assert answer["failed"] == "MalformedEventError"
    assert settings.calls.entries == []
