"""Retention by the handlers: pushes are noted, the sweep lets go, and its line says why something stays."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_steward import bootstrap
from ecr_steward.adapters.memory import InMemorySightings
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.deadline import NEVER
from ecr_steward.domain.names import ImageRef, ImageTag
from ecr_steward.domain.retention_rules import ExpireRule, ProtectingKeep, RetentionRules, Use
from ecr_steward.domain.rules import Destination, Match, ReplicationRules
from ecr_steward.domain.sightings import Sighting
from ecr_steward.domain.tag_rules import TagExpiry, TagRules
from ecr_steward.errors import AccessDeniedError, ThrottledError
from functions.enforce_image_tags.app import lambda_handler as enforce_image_tags
from tests.given.rules import API, AWAY, HOME, WANTED, Pattern
from tests.given.worlds import World, give_tag, manifest, world

OLD, DRAFT = manifest("old"), manifest("draft")
EXPIRING = TagRules(expire=(TagExpiry((Pattern("pr-.*"),), 14),))
RETENTION = RetentionRules(
    keeps=(ProtectingKeep("keep in use", in_use=frozenset({Use.ECS})),),
    expires=(ExpireRule("expire all after 30d", after=30),),
)


def retained() -> World:
    """An image that is too old, and a draft."""
    made = world([OLD, DRAFT], {"v0": OLD, "pr-1": DRAFT})
    there = made.registry.images(API).images[OLD.digest]
    made.registry.restore(replace(there, pushed_at=NOON - timedelta(days=31)))
    return made


@pytest.fixture
def moved_in(move_in: Any) -> World:
    made = retained()
    move_in(made, image_tags=EXPIRING, repository=lambda _: replace(WANTED, retention=RETENTION), replicate=None)
    return made


def test_a_push_starts_the_clock_of_its_tag_at_the_time_of_its_event(
    moved_in: World, house: Any, context: Any, load_event: Callable[[str], Any]
) -> None:
    event = load_event("ecr_image_action/push_tagged")
    event["detail"] |= {"image-tag": "pr-1", "image-digest": DRAFT.digest.value}

    enforce_image_tags(event, context)

    at = datetime(2026, 11, 16, 1, 54, 34, tzinfo=UTC)
    assert house.sightings.seen(API) == {"pr-1": Sighting.at(DRAFT.digest, at)}


def test_a_push_starts_the_clock_of_its_tag_although_its_rule_could_not_be_enforced(
    moved_in: World, house: Any, context: Any, load_event: Callable[[str], Any]
) -> None:
    event = load_event("ecr_image_action/push_tagged")
    event["detail"] |= {"image-tag": "pr-1", "image-digest": DRAFT.digest.value}
    moved_in.registry.calls.fail_before("images", AccessDeniedError("nobody may look"))

    enforce_image_tags(event, context)

    assert [failed.error for failed in house.failures.failed] == ["AccessDeniedError"]
    assert set(house.sightings.seen(API)) == {"pr-1"}


def test_the_error_of_the_job_is_raised_when_its_push_cannot_be_noted_either(
    moved_in: World, house: Any, context: Any, load_event: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """core 6.14"""
    event = load_event("ecr_image_action/push_tagged")
    event["detail"] |= {"image-tag": "pr-1", "image-digest": DRAFT.digest.value}
    moved_in.registry.calls.fail_before("images", ThrottledError("slow down"))

    def deny(*_: object) -> None:
        raise AccessDeniedError("the table is closed")

    monkeypatch.setattr(house.sightings, "restart", deny)

    with pytest.raises(ThrottledError, match="slow down") as raised:
        enforce_image_tags(event, context)

    assert raised.value.__notes__ == ["beside it: the table is closed"]
    assert house.failures.failed == []


def test_the_sweep_lets_go_of_what_has_had_its_time(moved_in: World, house: Any, sweep: Callable[[], None]) -> None:
    house.sightings.keep(API, {ImageTag("pr-1"): Sighting.at(DRAFT.digest, NOON - timedelta(days=15))})

    sweep()

    assert moved_in.registry.images_in(API) == frozenset()


def test_the_sweep_says_why_an_image_stays_that_may_be_in_use(
    moved_in: World, house: Any, sweep: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    house.workloads.calls.fail_before("run_by_ecs", AccessDeniedError("ECS does not answer"))

    sweep()

    assert moved_in.registry.holds(ImageRef(API, OLD.digest))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    remarks = [remark for line in lines for remark in line.get("remarks", [])]
    assert remarks == [f"{OLD.digest} would go, but stays: it may be in use: ECS does not answer"]
    assert [failed.error for failed in house.failures.failed] == ["SweepIncompleteError"]


def test_the_sweep_remembers_what_is_missed_for_six_sweeps(
    move_in: Any, house: Any, sweep: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world([OLD], {"1.0.0": OLD})
    replica = API.in_registry(AWAY)
    made.content.hold(replica, DRAFT)
    give_tag(made.registry, ImageRef(replica, DRAFT.digest), ImageTag("0.9.0"))
    entry = ReplicationRules((Destination(region=AWAY.region),), remove_after=7)
    move_in(
        made, image_tags=None, replicate=(entry,), match=Match((Pattern("team-.*"),), regions=(Pattern(HOME.region),))
    )
    missed = InMemorySightings()
    app = replace(bootstrap.app(), missed=missed, sweeps_every=timedelta(days=1))
    monkeypatch.setattr(bootstrap, "app", lambda _deadline=NEVER: app)

    sweep()

    assert {tag: sighting.kept_until for tag, sighting in missed.seen(replica).items()} == {
        "0.9.0": NOON + timedelta(days=6)
    }
