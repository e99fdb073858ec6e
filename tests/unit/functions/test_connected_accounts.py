"""What handlers do for the accounts that the template's parameter SpokeAccounts names."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ecr_steward import bootstrap
from ecr_steward.adapters.connected_accounts import NamedAccounts
from ecr_steward.adapters.memory import InMemoryAnnouncements
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.deadline import NEVER
from ecr_steward.domain.images import Image
from ecr_steward.domain.names import ImageRef, RegistryRef, image_tag
from functions.apply_repository_policies.app import lambda_handler as apply_repository_policies
from functions.enforce_image_tags.app import lambda_handler as enforce_image_tags
from lab.clock import SettableClock
from tests.given.rules import API, HOME
from tests.given.worlds import World, manifest, world

IMAGE = manifest("image")
TWO = "222233334444"
THERE = ImageRef(API.in_registry(RegistryRef(TWO, HOME.region)), IMAGE.digest)


@pytest.fixture
def there(move_in: Callable[[World], None], monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which account two is connected, and holds an image that was pushed there."""
    found = world([IMAGE], {"1.4.2": IMAGE})
    found.registry.create_missing(THERE.repository)
    found.registry.push(Image(THERE, frozenset({image_tag("2.0.0")})))
    move_in(found)
    app = replace(bootstrap.app(), connected=NamedAccounts(frozenset({TWO})))
    monkeypatch.setattr(bootstrap, "app", lambda _deadline=NEVER: app)
    return found


def test_sweep_looks_at_home_and_at_each_connected_account_in_the_region_of_its_schedule(
    there: World, sweep: Callable[[], None]
) -> None:
    sweep()

    swept = [call.arguments[0] for call in there.registry.calls.entries if call.method == "repositories"]
    assert {HOME, RegistryRef(TWO, HOME.region)} <= set(swept)
    assert there.registry.tags_of(THERE) == {"2.0.0", "2.0-latest", "2-latest"}


def test_home_is_swept_once_when_it_is_named_among_the_connected_accounts(
    there: World, sweep: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = replace(bootstrap.app(), connected=NamedAccounts(frozenset({HOME.account, TWO})))
    monkeypatch.setattr(bootstrap, "app", lambda _deadline=NEVER: app)

    sweep()

    assert there.registry.calls.entries.count(("repositories", (HOME,))) == 1


def test_push_in_a_connected_account_is_governed_there(
    there: World, context: Any, load_event: Callable[[str], Any]
) -> None:
    push = load_event("ecr_image_action/push_tagged") | {"account": TWO, "region": HOME.region}
    push["detail"] |= {
        "repository-name": THERE.repository.name,
        "image-digest": THERE.digest.value,
        "image-tag": "2.0.0",
    }

    enforce_image_tags(push, context)

    assert there.registry.tags_of(THERE) == {"2.0.0", "2.0-latest", "2-latest"}
    assert there.registry.tags_of(ImageRef(API, IMAGE.digest)) == {"1.4.2"}


SELF_CHECK = "self_check/of_a_connected_account"


@pytest.fixture
def announcements(monkeypatch: pytest.MonkeyPatch) -> InMemoryAnnouncements:
    """Those of the house, whose template names an organization; the rulebook is not there."""
    noting = InMemoryAnnouncements(noon)
    environment = {
        **dict.fromkeys(("EVENT_BUS", "IDEMPOTENCY_TABLE", "STATE_TABLE", "FAILURE_QUEUE_URL", "EXTERNAL_ID"), "any"),
        **dict.fromkeys(("SPOKE_ACCOUNTS", "OTHER_REGISTRIES", "TRUSTED_PRINCIPALS"), ""),
        "SPOKE_ROLE": "ecr-steward-spoke",
        "SPOKE_ORGANIZATION": "o-abcde12345",
        "ACCOUNT": HOME.account,
    }
    variables = {f"ECR_STEWARD_{name}": value for name, value in environment.items()}
    settings = bootstrap.Settings.from_env({**variables, "POWERTOOLS_SERVICE_NAME": "apply_repository_policies"})
    monkeypatch.setattr(bootstrap, "_settings", lambda: settings)
    monkeypatch.setattr(bootstrap, "announcements", lambda: noting)
    return noting


@pytest.mark.usefixtures("house")
def test_a_self_check_connects_its_account_and_region_whatever_the_rulebook_is(
    announcements: InMemoryAnnouncements, context: Any, load_event: Callable[[str], Any]
) -> None:
    first = apply_repository_policies(load_event(SELF_CHECK), context)
    again = apply_repository_policies(load_event(SELF_CHECK) | {"region": "eu-west-1"}, context)

    assert first["outcomes"][0]["remarks"] == ["connected from now on"]
    assert again["outcomes"][0]["subject"] == f"self-check of {TWO}/eu-west-1"
    assert [str(each.registry) for each in announcements.noted()] == [f"{TWO}/eu-west-1", f"{TWO}/us-east-1"]


@pytest.mark.usefixtures("house")
def test_a_self_check_is_no_news_of_our_own_account_and_within_the_hour(
    announcements: InMemoryAnnouncements, context: Any, load_event: Callable[[str], Any]
) -> None:
    own = apply_repository_policies(load_event(SELF_CHECK) | {"account": HOME.account}, context)
    apply_repository_policies(load_event(SELF_CHECK), context)
    again = apply_repository_policies(load_event(SELF_CHECK), context)

    assert own == again == {"outcomes": []}
    assert [str(each.registry) for each in announcements.noted()] == [f"{TWO}/us-east-1"]


@pytest.mark.usefixtures("house")
def test_a_self_check_connects_nothing_where_the_template_names_all_accounts(
    announcements: InMemoryAnnouncements,
    context: Any,
    load_event: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = replace(bootstrap._settings(), spoke_organization=None)
    monkeypatch.setattr(bootstrap, "_settings", lambda: settings)

    assert apply_repository_policies(load_event(SELF_CHECK), context) == {"outcomes": []}
    assert announcements.noted() == ()


def test_a_self_check_without_account_is_kept_as_a_failed_event(
    house: Any, context: Any, load_event: Callable[[str], Any]
) -> None:
    answer = apply_repository_policies(load_event(SELF_CHECK) | {"account": "two"}, context)

    assert answer["failed"] == "MalformedEventError"
    assert [each.error for each in house.failures.failed] == ["MalformedEventError"]


def test_the_sweep_reports_a_registry_that_announces_itself_no_longer_and_sweeps_it(
    there: World, house: Any, sweep: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SettableClock(noon() - timedelta(days=1))
    announcements = InMemoryAnnouncements(clock)
    announcements.note(THERE.repository.registry)
    clock.now += timedelta(seconds=1)
    announcements.note(RegistryRef("333344445555", HOME.region))
    app = replace(bootstrap.app(), announcements=announcements)
    monkeypatch.setattr(bootstrap, "app", lambda _deadline=NEVER: app)
    clock.now = noon()

    sweep()

    reasons = [each.message for each in house.failures.failed]
    assert any(f"{TWO}/us-east-1: its last self-check came at 2026-" in each for each in reasons)
    assert not any("333344445555" in each for each in reasons)
    assert there.registry.tags_of(THERE) == {"2.0.0", "2.0-latest", "2-latest"}
