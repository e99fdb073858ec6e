"""A batch of the scan queue: judged once, failed message by message, and counted."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward import bootstrap
from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import ImageRef
from ecr_steward.domain.notices import ImageVerdict
from ecr_steward.domain.scans import Finding, Severity
from ecr_steward.errors import InvalidRulebookError, ThrottledError
from functions.evaluate_image_scan.app import lambda_handler as evaluate_image_scan
from functions.replicate_image.app import lambda_handler as replicate_image
from tests.given.rules import API, AWAY, SCAN_RULES, WHEN_PASSED
from tests.given.worlds import World, manifest, world

AMD64, ARM64 = manifest("amd64"), manifest("arm64")
INDEX = manifest("index", children=[AMD64, ARM64])
HIGH = Finding("CVE-2026-12345", Severity.HIGH, "openssl 3.0.13")


def scan_event(held: Manifest) -> str:
    return json.dumps(
        {
            "version": "0",
            "id": "13cde686-0000-0000-0000-000000000001",
            "detail-type": "ECR Image Scan",
            "source": "aws.ecr",
            "account": "111122223333",
            "time": "2026-11-16T01:54:34Z",
            "region": "us-east-1",
            "resources": [],
            "detail": {
                "scan-status": "COMPLETE",
                "repository-name": "team-a/api",
                "finding-severity-counts": {},
                "image-digest": str(held.digest),
                "image-tags": [],
            },
        }
    )


def push_event(load_event: Callable[[str], Any], held: Manifest) -> str:
    event = load_event("ecr_image_action/push_index")
    event["detail"]["image-digest"] = str(held.digest)
    return json.dumps(event)


def batch(*bodies: str) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": "1"}
    return {
        "Records": [
            {"messageId": f"m{number}", "receiptHandle": f"r{number}", "body": body, "attributes": attributes}
            for number, body in enumerate(bodies)
        ]
    }


def scanned(*findings: Finding) -> World:
    there = world([AMD64, ARM64, INDEX], {"1.4.2": INDEX})
    there.scans.end(ImageRef(API, AMD64.digest))
    there.scans.end(ImageRef(API, ARM64.digest), findings=findings)
    return there


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """What was logged, metrics included."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_verdict_and_reasons_are_logged_and_counted_once_when_a_batch_is_about_one_image(
    move_in: Callable[..., None], context: Any, house: Any, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    move_in(scanned(HIGH), scan=SCAN_RULES)

    answer = evaluate_image_scan(batch(scan_event(AMD64), scan_event(ARM64)), context)

    assert answer == {"batchItemFailures": []}
    assert len(house.notices.published) == 1
    logged = lines()
    assert [line["VerdictsFailed"] for line in logged if "_aws" in line] == [[1.0]]
    (judged,) = [line for line in logged if "verdict" in line]
    assert judged["verdict"] == "fail"
    assert judged["reasons"] == [f"CVE-2026-12345 (HIGH) in openssl 3.0.13 of {ARM64.digest}"]


def test_image_fails_when_it_is_pushed_after_all_its_scans_have_ended(
    load_event: Callable[[str], Any], move_in: Callable[..., None], context: Any, house: Any
) -> None:
    move_in(scanned(HIGH), scan=SCAN_RULES)

    answer = evaluate_image_scan(batch(push_event(load_event, INDEX)), context)

    assert answer == {"batchItemFailures": []}
    assert house.failures.failed == []
    assert [(notice.image.digest, str(notice.verdict)) for notice in house.notices.published] == [
        (INDEX.digest, "fail")
    ]


def test_nothing_is_told_when_an_image_is_pushed_before_any_scan(
    load_event: Callable[[str], Any],
    move_in: Callable[..., None],
    context: Any,
    house: Any,
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    move_in(world([AMD64, ARM64, INDEX], {"1.4.2": INDEX}), scan=SCAN_RULES)

    answer = evaluate_image_scan(batch(push_event(load_event, INDEX)), context)

    assert answer == {"batchItemFailures": []}
    assert [line["verdict"] for line in lines() if "verdict" in line] == ["wait"]
    assert (house.notices.published, house.failures.failed) == ([], [])


def test_nothing_is_read_when_an_image_is_pushed_whose_rule_does_not_speak_of_scans(
    load_event: Callable[[str], Any],
    move_in: Callable[..., None],
    context: Any,
    house: Any,
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    there = scanned(HIGH)
    there.registry.calls.clear()
    move_in(there)

    answer = evaluate_image_scan(batch(push_event(load_event, INDEX)), context)

    assert answer == {"batchItemFailures": []}
    assert there.registry.calls.entries == []
    assert [line["remarks"] for line in lines() if "remarks" in line] == [["its rules do not speak of scans"]]
    assert house.failures.failed == []


def test_only_the_poisonous_message_ends_in_the_failure_queue(
    load_event: Callable[[str], Any], move_in: Callable[..., None], context: Any, house: Any
) -> None:
    move_in(scanned(), scan=SCAN_RULES)
    poison = load_event("sqs_scan_batch/poison_and_good")["Records"][0]["body"]

    answer = evaluate_image_scan(batch(poison, scan_event(AMD64)), context)

    assert answer == {"batchItemFailures": []}
    assert [failed.event for failed in house.failures.failed] == [poison]
    assert [type(notice) for notice in house.notices.published] == [ImageVerdict]


def test_all_messages_about_an_image_come_back_soon_when_it_could_not_be_judged_and_no_other_does(
    load_event: Callable[[str], Any], move_in: Callable[..., None], context: Any, house: Any
) -> None:
    there = scanned()
    there.registry.calls.fail_before("scan", ThrottledError("slow down"))
    move_in(there, scan=SCAN_RULES)
    of_no_image = json.dumps(load_event("inspector2_finding/of_an_instance"))

    answer = evaluate_image_scan(batch(scan_event(AMD64), of_no_image, scan_event(ARM64)), context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m2"}]}
    assert house.source.postponed == [("r0", 120), ("r2", 120)]
    assert house.failures.failed == []


def test_the_next_batch_reads_the_facts_anew(move_in: Callable[..., None], context: Any, house: Any) -> None:
    there = scanned(HIGH)
    move_in(there, scan=SCAN_RULES)
    evaluate_image_scan(batch(scan_event(AMD64)), context)
    there.scans.end(ImageRef(API, ARM64.digest))

    evaluate_image_scan(batch(scan_event(AMD64)), context)

    assert [str(notice.verdict) for notice in house.notices.published] == ["fail", "pass"]


def test_every_message_waits_in_the_failure_queue_when_the_rulebook_is_invalid(
    monkeypatch: pytest.MonkeyPatch, context: Any, house: Any
) -> None:
    def refuse(_deadline: object) -> None:
        raise InvalidRulebookError("/opt/rulebook.json does not validate: rules.0.scan")

    monkeypatch.setattr(bootstrap, "app", refuse)

    answer = evaluate_image_scan(batch(scan_event(AMD64), scan_event(ARM64)), context)

    assert answer == {"batchItemFailures": []}
    assert [failed.error for failed in house.failures.failed] == ["InvalidRulebookError"] * 2


@pytest.mark.parametrize(("findings", "copied"), [((), 3), ((HIGH,), 0)])
def test_hand_written_verdict_copies_nothing_unless_the_facts_agree(
    load_event: Callable[[str], Any],
    move_in: Callable[..., None],
    context: Any,
    house: Any,
    *,
    findings: tuple[Finding, ...],
    copied: int,
) -> None:
    there = scanned(*findings)
    move_in(there, scan=SCAN_RULES, replicate=(WHEN_PASSED,))
    forged = load_event("image_verdict/pass")
    forged["detail"]["image-digest"] = str(INDEX.digest)

    answer = replicate_image(batch(json.dumps(forged)), context)

    assert answer == {"batchItemFailures": []}
    assert house.failures.failed == []
    assert len(there.registry.images_in(API.in_registry(AWAY))) == copied


def test_hand_written_verdict_waits_in_the_failure_queue_when_it_is_malformed(
    load_event: Callable[[str], Any], move_in: Callable[..., None], context: Any, house: Any
) -> None:
    move_in(scanned(), scan=SCAN_RULES, replicate=(WHEN_PASSED,))
    forged = load_event("image_verdict/pass")
    forged["detail"]["image-digest"] = "1.0.0"

    answer = replicate_image(batch(json.dumps(forged)), context)

    assert answer == {"batchItemFailures": []}
    (failed,) = house.failures.failed
    assert (failed.error, failed.event["detail"]) == ("MalformedEventError", forged["detail"])
    assert "detail.image-digest" in failed.message
