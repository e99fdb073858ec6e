"""How an event ends: done, raised, or on the failure queue with its reason. Nothing else ends it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecr_steward import bootstrap
from ecr_steward.domain.missed_events import MissedEvent
from ecr_steward.domain.notices import FailedEvent
from ecr_steward.domain.outcome import Outcome, SweepFailure, SweepOutcome
from ecr_steward.entry import answer
from ecr_steward.errors import AccessDeniedError, InvalidRulebookError, ThrottledError
from functions.apply_repository_policies.app import lambda_handler as apply_repository_policies
from functions.enforce_image_tags.app import lambda_handler as enforce_image_tags
from functions.evaluate_image_scan.app import lambda_handler as evaluate_image_scan
from functions.replicate_image.app import lambda_handler as replicate_image
from tests.given.batches import batch_of
from tests.given.rules import API, AWAY
from tests.given.worlds import World, manifest, world

IMAGE = manifest("image")
REPLICA = API.in_registry(AWAY)


def push_event(held: Any = IMAGE, **detail: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "13cde686-0000-0000-0000-000000000001",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": "111122223333",
        "time": "2026-11-16T01:54:34Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "result": "SUCCESS",
            "repository-name": "team-a/api",
            "image-digest": str(held.digest),
            "action-type": "PUSH",
            "image-tag": "1.4.2",
            **detail,
        },
    }


def test_outcome_names_step_reason_and_rule_when_a_push_is_answered(
    move_in: Callable[[World], None], context: Any
) -> None:
    move_in(world([IMAGE], {"1.4.2": IMAGE}))

    answer = enforce_image_tags(push_event(), context)

    (line,) = answer["outcomes"]
    assert (line["rule"], line["applied"]) == ("services", True)
    assert [step["step"] for step in line["steps"]] == ["AddImageTag", "AddImageTag"]


def self_check() -> dict[str, Any]:
    check: dict[str, Any] = json.loads(Path("events/self_check/check.json").read_text(encoding="utf-8"))
    return check


def test_a_self_check_is_answered_without_a_look_at_anything(context: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """No world has moved in: a function that looked for its rulebook would raise."""
    assert enforce_image_tags(self_check(), context) == {"outcomes": []}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("handler", [evaluate_image_scan, replicate_image])
def test_a_self_check_is_taken_from_its_queue_without_a_look_at_anything(
    handler: Callable[[Any, Any], Any], context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert handler(batch_of(json.dumps(self_check())), context) == {"batchItemFailures": []}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["source", "detail-type"])
def test_an_event_that_is_a_self_check_in_part_is_malformed(
    name: str, move_in: Callable[[World], None], context: Any, house: Any
) -> None:
    move_in(world([IMAGE], {"1.4.2": IMAGE}))

    assert enforce_image_tags({**self_check(), name: "another"}, context)["failed"] == "MalformedEventError"


def test_metrics_count_the_steps_by_kind(
    move_in: Callable[[World], None], context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    move_in(world([IMAGE], {"1.4.2": IMAGE}))

    enforce_image_tags(push_event(), context)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["ImageTagsAdded"] for line in lines if "_aws" in line] == [[1.0, 1.0]]


def test_log_says_why_there_was_nothing_to_do_when_a_push_had_an_empty_tag(
    move_in: Callable[[World], None], context: Any, house: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    move_in(world([IMAGE], {}))

    enforce_image_tags(push_event(**{"image-tag": ""}), context)

    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert line["remarks"] == ["the image holds no image tag"]
    assert line["correlation_id"] == "13cde686-0000-0000-0000-000000000001"
    assert house.failures.failed == []


@pytest.mark.parametrize(
    ("event", "word"),
    [
        ({}, "detail-type"),
        (push_event(**{"image-digest": "sha256:beef"}), "detail.image-digest"),
        (push_event(**{"action-type": "REPAINT"}), "detail.action-type"),
        ("no event at all", "event"),
        (None, "event"),
    ],
)
def test_malformed_event_waits_in_the_failure_queue_with_its_reason(
    event: Any, word: str, move_in: Callable[[World], None], context: Any, house: Any
) -> None:
    move_in(world([IMAGE], {}))

    answer = enforce_image_tags(event, context)

    assert answer["failed"] == "MalformedEventError"
    (failed,) = house.failures.failed
    assert (failed.function, failed.event, failed.error) == ("a-function", event, "MalformedEventError")
    assert word in failed.message


def test_failure_names_the_rule_when_its_step_was_denied(
    move_in: Callable[[World], None], context: Any, house: Any
) -> None:
    there = world([IMAGE], {"1.4.2": IMAGE})
    there.registry.calls.fail_before("add_image_tag", AccessDeniedError("ecr:PutImage is not allowed"))
    move_in(there)

    enforce_image_tags(push_event(), context)

    assert house.failures.failed == [
        FailedEvent("a-function", push_event(), "AccessDeniedError", "ecr:PutImage is not allowed", "services")
    ]


def test_failure_says_how_many_reasons_it_leaves_to_the_log_when_there_are_many(context: Any, house: Any) -> None:
    outcomes = [Outcome("a part", error=AccessDeniedError(f"reason {number}")) for number in range(13)]

    answer({}, context, lambda: outcomes)

    (failed,) = house.failures.failed
    assert failed.message.startswith("reason 0; beside it: reason 1; ")
    assert failed.message.endswith("beside it: reason 9; and 3 more, in the log")


def test_failure_of_a_sweep_tells_each_reason_once_when_many_images_met_it(context: Any, house: Any) -> None:
    closed = [SweepFailure(f"image {number}", "account two is closed") for number in range(30)]
    outcome = SweepOutcome((), 1, 0, (*closed, SweepFailure("image 7", "slow down")))

    answer({}, context, lambda: outcome)

    (failed,) = house.failures.failed
    assert failed.message == (
        "the sweep went on, but failed 31 times: image 0 and 29 more: account two is closed; image 7: slow down"
    )


def test_what_a_sweep_did_in_the_place_of_events_is_counted_and_named(
    context: Any, house: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    moment = datetime(2026, 12, 3, 9, tzinfo=UTC)
    missed = tuple(MissedEvent(f"image {number}", moment, "pushed") for number in range(60))

    told = answer({}, context, lambda: SweepOutcome((), 60, 0, missed=missed))

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (named,) = [line["missed"] for line in lines if "missed" in line]
    assert told["outcomes"][0]["events_missed"] == 60
    assert [line["EventsMissed"] for line in lines if "_aws" in line] == [[60.0]]
    assert named[0] == "image 0, pushed 2026-12-03T09:00:00+00:00"
    assert named[-1].startswith("and ")


def test_retryable_error_is_raised_so_that_lambda_delivers_the_event_again(
    move_in: Callable[[World], None], context: Any, house: Any
) -> None:
    there = world([IMAGE], {"1.4.2": IMAGE})
    there.registry.calls.fail_before("add_image_tag", ThrottledError("slow down"))
    move_in(there)

    with pytest.raises(ThrottledError):
        enforce_image_tags(push_event(), context)

    assert house.failures.failed == []


def test_bug_is_raised_so_that_the_event_is_kept_by_the_functions_failure_destination(
    move_in: Callable[[World], None], context: Any
) -> None:
    there = world([IMAGE], {"1.4.2": IMAGE})
    there.registry.calls.fail_before("add_image_tag", KeyError("a bug"))
    move_in(there)

    with pytest.raises(KeyError):
        enforce_image_tags(push_event(), context)


def test_nothing_is_enforced_and_the_event_waits_when_the_rulebook_is_invalid(
    monkeypatch: pytest.MonkeyPatch, context: Any, house: Any
) -> None:
    def refuse(_deadline: object) -> None:
        raise InvalidRulebookError("/opt/rulebook.json does not validate: rules.0.mode")

    monkeypatch.setattr(bootstrap, "app", refuse)

    enforce_image_tags(push_event(), context)

    (failed,) = house.failures.failed
    assert failed.error == "InvalidRulebookError"
    assert "rules.0.mode" in failed.message


def test_repository_gets_its_settings_from_its_first_push_when_no_trail_announced_it(
    move_in: Callable[[World], None], context: Any
) -> None:
    move_in(world([IMAGE], {}))

    assert apply_repository_policies(push_event(), context)["outcomes"][0]["subject"].endswith("team-a/api")


def test_only_the_poisonous_message_ends_in_the_failure_queue_when_a_batch_holds_one(
    move_in: Callable[[World], None], context: Any, house: Any
) -> None:
    there = world([IMAGE], {"1.4.2": IMAGE})
    move_in(there)

    answer = replicate_image(batch_of("{not json", json.dumps(push_event())), context)

    assert answer == {"batchItemFailures": []}
    assert [failed.event for failed in house.failures.failed] == ["{not json"]
    assert len(there.registry.images_in(REPLICA)) == 1


def test_message_comes_back_and_the_log_says_why_when_the_failure_queue_refuses_it(
    move_in: Callable[[World], None], context: Any, house: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    house.failures.calls.fail_before("put", AccessDeniedError("sqs:SendMessage is not allowed"))
    move_in(world([IMAGE], {}))

    answer = replicate_image(batch_of("{not json", json.dumps(push_event())), context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert '"reason":"sqs:SendMessage is not allowed"' in capsys.readouterr().out


def test_only_the_message_that_met_a_retryable_error_comes_back(
    move_in: Callable[[World], None], context: Any, house: Any
) -> None:
    there = world([IMAGE], {"1.4.2": IMAGE})
    there.registry.calls.fail_before("put_manifest", ThrottledError("slow down"))
    move_in(there)

    answer = replicate_image(batch_of(json.dumps(push_event()), json.dumps(push_event())), context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert house.source.postponed == [("r", 120)]
    assert house.failures.failed == []
    assert len(there.registry.images_in(REPLICA)) == 1


def test_whole_batch_comes_back_without_an_exception_when_every_message_met_one(
    move_in: Callable[[World], None], context: Any
) -> None:
    there = world([IMAGE], {"1.4.2": IMAGE})
    there.registry.calls.fail_before("put_manifest", ThrottledError("slow down"))
    move_in(there)

    assert replicate_image(batch_of(json.dumps(push_event())), context) == {
        "batchItemFailures": [{"itemIdentifier": "m0"}]
    }


def test_sweep_that_could_not_mend_everything_waits_in_the_failure_queue_after_mending_the_rest(
    sweep: Callable[[], None], move_in: Callable[[World], None], house: Any
) -> None:
    there = world([IMAGE], {"1.4.2": IMAGE})
    there.registry.calls.fail_before("repository", AccessDeniedError("ecr:DescribeRepositories is not allowed"))
    move_in(there)

    sweep()

    (failed,) = house.failures.failed
    assert failed.error == "SweepIncompleteError"
    assert "ecr:DescribeRepositories is not allowed" in failed.message
    assert len(house.queue.requested) == 1
