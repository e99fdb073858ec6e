"""What functions do while everything is paused, while nobody knows whether it is, and when a brake holds."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.brake import Brake
from ecr_steward.domain.names import ImageRef
from ecr_steward.domain.notices import BrakeHeld, ImageVerdict, ViolationFound
from ecr_steward.domain.pause import Pause
from ecr_steward.errors import AccessDeniedError, RegistryUnavailableError
from functions.apply_repository_policies.app import lambda_handler as apply_repository_policies
from functions.enforce_image_tags.app import lambda_handler as enforce_image_tags
from functions.evaluate_image_scan.app import lambda_handler as evaluate_image_scan
from functions.replicate_image.app import lambda_handler as replicate_image
from tests.given.rules import API, AWAY, SCAN_RULES
from tests.given.worlds import World, manifest, world

type MoveIn = Callable[..., None]

IMAGE, OTHER = manifest("image"), manifest("other")
PAUSED = Pause("arn:aws:iam::111122223333:user/ana", "a storm of deletions", NOON - timedelta(hours=1))
SAID = "paused by arn:aws:iam::111122223333:user/ana since 2026-11-24 11:00 UTC: a storm of deletions"


def push(load_event: Callable[[str], Any]) -> dict[str, Any]:
    event: dict[str, Any] = load_event("ecr_image_action/push_tagged")
    event["detail"]["image-digest"] = str(IMAGE.digest)
    return event


def batch(event: dict[str, Any]) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": "1"}
    body = json.dumps(event)
    return {"Records": [{"messageId": "m", "receiptHandle": "r", "body": body, "attributes": attributes}]}


@pytest.mark.parametrize("function", [enforce_image_tags, apply_repository_policies])
def test_an_event_is_only_reported_on_while_everything_is_paused(
    function: Any, move_in: MoveIn, load_event: Callable[[str], Any], context: Any, house: Any
) -> None:
    there = world([IMAGE], {"latest": IMAGE})
    there.registry.change_settings(API, scan_on_push=False)
    move_in(there)
    house.switch.elsewhere = PAUSED

    answer = function(push(load_event), context)

    (line,) = answer["outcomes"]
    assert (line["mode"], line["applied"], line["remarks"]) == ("observe", False, [SAID])
    assert line["steps"]
    assert there.registry.calls.changes == []


def test_who_has_pushed_a_violation_is_told_while_everything_is_paused(
    move_in: MoveIn, load_event: Callable[[str], Any], context: Any, house: Any
) -> None:
    move_in(world([IMAGE], {"latest": IMAGE}))
    house.switch.elsewhere = PAUSED

    enforce_image_tags(push(load_event), context)

    (notice,) = house.notices.published
    assert isinstance(notice, ViolationFound)
    assert notice.answer == "observe"


def test_nothing_is_copied_while_everything_is_paused(
    move_in: MoveIn, load_event: Callable[[str], Any], context: Any, house: Any
) -> None:
    there = world([IMAGE], {"1.4.2": IMAGE})
    move_in(there)
    house.switch.elsewhere = PAUSED

    assert replicate_image(batch(push(load_event)), context) == {"batchItemFailures": []}

    assert not there.registry.holds(ImageRef(API.in_registry(AWAY), IMAGE.digest))
    assert there.registry.calls.changes == []


def test_a_sweep_changes_and_requests_nothing_while_everything_is_paused(
    move_in: MoveIn, sweep: Callable[[], None], house: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    there = world([IMAGE, OTHER], {"latest": IMAGE, "1.4.2": OTHER})
    there.registry.change_settings(API, scan_on_push=False)
    move_in(there)
    house.switch.elsewhere = PAUSED

    sweep()

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(SAID in line["remarks"] for line in lines if line.get("message") == "outcome")
    assert there.registry.calls.changes == []
    assert house.queue.requested == []


def test_an_event_comes_again_and_changes_nothing_when_the_switch_cannot_be_read(
    move_in: MoveIn, load_event: Callable[[str], Any], context: Any, house: Any
) -> None:
    there = world([IMAGE], {"latest": IMAGE})
    move_in(there)
    house.switch.calls.fail_before("paused", RegistryUnavailableError("the table is away"))

    with pytest.raises(RegistryUnavailableError):
        enforce_image_tags(push(load_event), context)
    assert there.registry.calls.changes == []

    enforce_image_tags(push(load_event), context)
    assert there.registry.calls.changes != []


def test_an_event_waits_for_a_person_when_the_role_may_not_read_the_switch(
    move_in: MoveIn, load_event: Callable[[str], Any], context: Any, house: Any
) -> None:
    there = world([IMAGE], {"latest": IMAGE})
    move_in(there)
    house.switch.calls.fail_before("paused", AccessDeniedError("not allowed: dynamodb:GetItem"))

    enforce_image_tags(push(load_event), context)

    assert [failed.error for failed in house.failures.failed] == ["AccessDeniedError"]
    assert there.registry.calls.changes == []


def test_verdicts_are_given_whatever_the_switch_says(
    move_in: MoveIn, load_event: Callable[[str], Any], context: Any, house: Any
) -> None:
    there: World = world([IMAGE], {"1.4.2": IMAGE})
    move_in(there, scan=SCAN_RULES)
    house.switch.calls.fail_before("paused", RegistryUnavailableError("the table is away"))

    answer = evaluate_image_scan(batch(push(load_event)), context)

    assert answer == {"batchItemFailures": []}
    assert all(isinstance(notice, ImageVerdict) for notice in house.notices.published)
    assert house.switch.calls.methods == []


def test_a_held_plan_is_counted_and_told_when_a_brake_holds(
    move_in: MoveIn, load_event: Callable[[str], Any], context: Any, house: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    there = world([IMAGE], {"latest": IMAGE, "1.4.2": IMAGE})
    move_in(there, brake=Brake(removals=0))

    answer = enforce_image_tags(push(load_event), context)

    why = "1 removal, more than the 0 of its brake"
    (line,) = answer["outcomes"]
    assert (line["mode"], line["applied"]) == ("enforce", False)
    assert line["remarks"] == [f"the brake of rule services holds since 2026-11-24 12:00 UTC: {API}: {why}"]
    assert BrakeHeld("services", str(API), 1, why, NOON) in house.notices.published
    assert there.registry.calls.changes == []
    metrics = [json.loads(text) for text in capsys.readouterr().out.splitlines() if "_aws" in text]
    (held,) = [line for line in metrics if "BrakesHeld" in line]
    assert held["BrakesHeld"] == 1
    assert held["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[]], "BrakeHeldAlarm has no dimensions"
