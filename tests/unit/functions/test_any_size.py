"""Functions end in time whatever there is to do, and the work comes to its end over several invocations."""

import json
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward import bootstrap
from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.notices import ImageVerdict, ReplicationRequested
from ecr_steward.domain.scans import Finding, Severity
from ecr_steward.errors import AccessDeniedError, RetryableError, ThrottledError
from ecr_steward.events.replication_requested import encode_job
from ecr_steward.events.sweep_part import encode_part
from functions.apply_repository_policies.app import lambda_handler as apply_repository_policies
from functions.enforce_image_tags.app import lambda_handler as enforce_image_tags
from functions.evaluate_image_scan.app import lambda_handler as evaluate_image_scan
from functions.reconcile_registry.app import lambda_handler as reconcile_registry
from functions.replicate_image.app import lambda_handler as replicate_image
from tests.given.batches import batch_of
from tests.given.rules import API, AWAY, HOME, SCAN_RULES, SETTINGS
from tests.given.slow import Slow
from tests.given.worlds import World, give_tag, manifest, world

HIGH = Finding("CVE-2026-12345", Severity.HIGH, "openssl 3.0.13")
MAX_RECEIVES = 5
"""Of the queues, in the template."""


def images(count: int) -> tuple[list[Manifest], dict[str, Manifest]]:
    """Images of two platforms, and their tags."""
    children = [manifest(f"{platform} {number}") for number in range(count) for platform in ("amd64", "arm64")]
    indexes = [manifest(f"index {n}", children=children[2 * n : 2 * n + 2]) for n in range(count)]
    return [*children, *indexes], {f"1.0.{n}": index for n, index in enumerate(indexes)}


def failing(count: int) -> World:
    """A repository of images that fail: a sweep reads their scans each time."""
    manifests, tags = images(count)
    there = world(manifests, tags)
    for each in manifests:
        if not each.is_index:
            there.scans.end(ImageRef(API, each.digest), findings=(HIGH,))
    return there


def verdicts(house: Any) -> list[ImageVerdict]:
    return [notice for notice in house.notices.published if isinstance(notice, ImageVerdict)]


def test_a_repository_is_swept_over_several_invocations_when_one_has_too_little_time(
    move_in: Callable[..., None], house: Any, load_event: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "SWEEP_WORKERS", 1)
    there, slow = failing(40), Slow(20.0)
    other = RepositoryRef(HOME, "team-b/api")
    there.registry.create_missing(other)
    move_in(there, scan=SCAN_RULES)
    there.registry.calls.each = slow.answer
    slow.invoke(reconcile_registry, load_event("schedule/sweep"), 900)

    mended_in, invocations = None, 0
    while house.parts.parts:
        part = house.parts.parts.pop(0)
        assert slow.invoke(reconcile_registry, batch_of(encode_part(part)), 900) == {"batchItemFailures": []}
        invocations += 1
        if mended_in is None and there.registry.settings_of(other).scan_on_push:
            mended_in = invocations

    assert mended_in == 2
    assert invocations > 3
    assert len(verdicts(house)) == 40
    assert slow.answers["scan"] == 80
    assert len(house.queue.requested) == 40
    assert (house.failures.failed, house.under_way.parts) == ([], {})


def test_a_sweep_has_no_failure_when_every_fifth_answer_is_a_throttle(
    move_in: Callable[..., None], house: Any, load_event: Callable[[str], Any]
) -> None:
    there, slow = failing(10), Slow(1.0)
    move_in(there, scan=SCAN_RULES)
    number = iter(range(1, 10_000))

    def throttled(method: str) -> None:
        slow.answer(method)
        if next(number) % 5 == 0 and slow.now < 500:
            raise ThrottledError("Rate exceeded")

    slow.invoke(reconcile_registry, load_event("schedule/sweep"), 900)
    there.registry.calls.each = throttled
    waits = 0
    while house.parts.parts:
        slow.invoke(reconcile_registry, batch_of(encode_part(house.parts.parts.pop(0))), 900)
        waits += house.parts.delays.pop() if house.parts.parts else 0
        slow.now += 100

    assert waits > 0
    assert house.failures.failed == []
    assert len(verdicts(house)) == 10


def scan_event(repository: str, held: Manifest) -> str:
    detail = {
        "scan-status": "COMPLETE",
        "repository-name": repository,
        "finding-severity-counts": {},
        "image-digest": str(held.digest),
        "image-tags": [],
    }
    envelope = {"version": "0", "id": "1", "account": HOME.account, "time": "2026-11-16T01:54:34Z", "resources": []}
    of_ecr = {"detail-type": "ECR Image Scan", "source": "aws.ecr", "region": HOME.region, "detail": detail}
    return json.dumps(envelope | of_ecr)


@pytest.mark.parametrize("seconds", [5.0, 24.0])
def test_every_image_is_judged_and_no_message_is_set_aside_when_a_finding_is_about_all_of_them(
    move_in: Callable[..., None], house: Any, seconds: float
) -> None:
    """core 6.4, aws M14"""
    image, slow = manifest("image"), Slow(seconds)
    there = world([], {})
    repositories = [RepositoryRef(HOME, f"team-a/{number}") for number in range(50)]
    for each in repositories:
        there.registry.create_missing(each)
        there.content.hold(each, image)
        give_tag(there.registry, ImageRef(each, image.digest), ImageTag("1.0.0"))
        there.scans.end(ImageRef(each, image.digest), findings=(HIGH,))
    move_in(there, scan=SCAN_RULES)
    there.registry.calls.each = slow.answer

    waiting = deque((scan_event(each.name, image), 1) for each in repositories)
    while waiting:
        taken = [waiting.popleft() for _ in range(min(25, len(waiting)))]
        event = batch_of(*(body for body, _ in taken))
        for record, (_, received) in zip(event["Records"], taken, strict=True):
            record["attributes"]["ApproximateReceiveCount"] = str(received)
        failed = slow.invoke(evaluate_image_scan, event, 300)["batchItemFailures"]
        back = {each["itemIdentifier"] for each in failed}
        waiting += [(body, received + 1) for n, (body, received) in enumerate(taken) if f"m{n}" in back]
        waiting += [(body, 1) for body in house.source.sent_again]
        house.source.sent_again.clear()
        assert all(received <= MAX_RECEIVES for _, received in waiting)

    assert Counter(verdict.image.repository for verdict in verdicts(house)) == Counter(repositories)
    assert house.failures.failed == []


def test_the_next_sweep_begins_anew_when_a_part_ended_on_the_failure_queue(
    move_in: Callable[..., None], house: Any, context: Any, load_event: Callable[[str], Any]
) -> None:
    move_in(failing(1))
    reconcile_registry(load_event("schedule/sweep"), context)
    (part,) = house.parts.parts
    assert house.under_way.under_way(HOME, beside="another") == {"team-a/api"}
    house.switch.calls.fail_before("paused", AccessDeniedError("closed"))

    reconcile_registry(batch_of(encode_part(part)), context)

    assert [failed.error for failed in house.failures.failed] == ["AccessDeniedError"]
    assert house.under_way.under_way(HOME, beside="another") == set()


@pytest.mark.parametrize("seconds", [6.0, 24.0])
@pytest.mark.parametrize("function", ["enforce", "apply", "replicate"])
def test_a_function_ends_in_time_and_its_work_is_done_at_last_when_each_answer_is_slow(
    function: str, seconds: float, move_in: Callable[..., None], house: Any, load_event: Callable[[str], Any]
) -> None:
    """Each invocation that has no time left leaves the event to be delivered again, as Lambda and SQS do."""
    manifests, tags = images(3)
    there, slow = world(manifests, tags), Slow(seconds)
    there.registry.change_settings(API, lifecycle=None, policy=None, scan_on_push=False)
    move_in(there)
    top = ImageRef(API, tags["1.0.2"].digest)
    push = load_event("ecr_image_action/push_index")
    push["detail"] |= {"image-digest": str(top.digest), "image-tag": "1.0.2"}
    handler, event, timeout = {
        "enforce": (enforce_image_tags, push, 300),
        "apply": (apply_repository_policies, push, 300),
        "replicate": (replicate_image, batch_of(encode_job(ReplicationRequested(top, "it is missing"))), 900),
    }[function]
    there.registry.calls.each = slow.answer

    is_copy = function == "replicate"

    def is_done() -> bool:
        try:
            answer = slow.invoke(handler, event, timeout)
        except RetryableError:
            return False
        return not answer.get("batchItemFailures") and not (is_copy and house.queue.requested)

    attempts = 1
    while not is_done():
        attempts += 1
        assert attempts < 10
        if is_copy and house.queue.requested:
            event = batch_of(encode_job(house.queue.requested.pop()))

    there.registry.calls.each = None
    assert house.failures.failed == []
    if function == "apply":
        assert there.registry.settings_of(API) == SETTINGS
    if is_copy:
        assert there.registry.tags_of(ImageRef(API.in_registry(AWAY), top.digest)) == {"1.0.2"}
