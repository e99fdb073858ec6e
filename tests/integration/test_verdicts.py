"""Image Verdicts on the deployed template: one for what many events are about, and none is believed."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_steward.adapters.manifests import digest_of, parse_manifest
from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST, Manifest
from ecr_steward_sandbox.demo.layout import Release
from tests.given import aws

SPOKE = "222233334444"
HIGH = {"CVE-2026-40001": "HIGH"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def house(open_house: Any) -> Any:
    return open_house(spokes=[SPOKE])


def document(content: dict[str, Any]) -> Manifest:
    return parse_manifest(json.dumps({"schemaVersion": 2, **content}).encode())


def image_for_many(platforms: int, version: str) -> Release:
    """An index of images for so many platforms. They have no layers; a scanner would look at each."""
    configs = [json.dumps({"architecture": f"cpu{n}", "os": "linux"}).encode() for n in range(platforms)]
    config_type = "application/vnd.oci.image.config.v1+json"
    children = tuple(
        document(
            {
                "mediaType": OCI_MANIFEST,
                "config": {"mediaType": config_type, "digest": str(digest_of(config)), "size": len(config)},
                "layers": [],
            }
        )
        for config in configs
    )
    entries = [
        {
            "mediaType": OCI_MANIFEST,
            "digest": str(child.digest),
            "size": len(child.content),
            "platform": {"architecture": f"cpu{n}", "os": "linux"},
        }
        for n, child in enumerate(children)
    ]
    index = document({"mediaType": OCI_INDEX, "manifests": entries, "annotations": {"version": version}})
    return Release(version, index, children, index, {digest_of(config): config for config in configs})


def image_verdict(repository: str, digest: object) -> dict[str, Any]:
    return {
        "version": "1",
        "account": "111122223333",
        "region": "us-east-1",
        "repository-name": repository,
        "image-digest": str(digest),
        "rule": "payments",
        "verdict": "pass",
        "reasons": [],
        "waived": [],
    }


@pytest.fixture
def as_a_function(house: Any) -> Iterator[Any]:
    """EventBridge, for a caller that has the role of a function."""
    role = house.sandbox.deployment.resources["EvaluateImageScanFunctionRole"].arn
    client = aws.client("events", house.sandbox.credentials_of(role, "by-hand"), house.sandbox.endpoint_url)
    yield client
    client.close()


def put_by_hand(house: Any, detail: dict[str, Any], events: Any) -> Any:
    """A caller writes an Image Verdict onto the hub's bus; answers who ran."""
    entry = {
        "EventBusName": house.sandbox.deployment.resources["EventBus"].arn,
        "Source": "ecr.steward",
        "DetailType": "Image Verdict",
        "Detail": json.dumps(detail),
    }
    before = len(house.sandbox.invocations)
    answer = events.put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0
    house.sandbox.wait_until_idle()
    return house.sandbox.invocations[before:]


def test_image_is_judged_once_per_batch_when_the_scans_of_many_children_end_together(house: Any) -> None:
    releases = [image_for_many(12, version) for version in ("1.0.0", "1.1.0")]
    house.home.ecr.create_repository(repositoryName="payments/many")
    for release in releases:
        house.home.push(house.layout, release, "payments/many", release.version, sbom=False)
    house.sandbox.wait_until_idle()
    children = [child.digest for child in releases[0].children]
    mark = house.sandbox.local_ecr.requests.mark()

    ran = house.scan_ends("payments/many", children, HIGH)

    batches = [each for each in ran if each.function == "EvaluateImageScanFunction"]
    assert sum(len(batch.event["Records"]) for batch in batches) == 12
    assert len(batches) < 12
    asked = [each.operation for each in house.sandbox.local_ecr.requests.since(mark)]
    assert asked.count("DescribeImageScanFindings") == 12 * len(batches)
    assert asked.count("DescribeImages") == len(batches)
    told = house.verdicts("payments/many")
    assert {verdict["image-digest"] for verdict in told} == {str(release.index.digest) for release in releases}
    assert len(told) == 2
    judged = [outcome for outcome in house.outcomes(batches) if "verdict" in outcome]
    assert len(judged) == 2 * len(batches)


def test_people_hear_of_a_verdict_when_it_is_a_fail(house: Any) -> None:
    sqs, topic = house.sandbox.client("sqs"), house.sandbox.deployment.resources["NoticesTopic"].physical_id
    chat = sqs.create_queue(QueueName="chat")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=chat, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    house.sandbox.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    for repository, found in (("payments/heard-of", HIGH), ("payments/not-heard-of", {})):
        pushed = house.push(repository, "1.0.0")
        house.scan_ends(repository, [child.digest for child in pushed.children], found)

    heard = [json.loads(json.loads(message["Body"])["Message"]) for message in receive(sqs, chat)]
    (failed,), (passed,) = house.verdicts("payments/heard-of"), house.verdicts("payments/not-heard-of")
    assert (failed["verdict"], passed["verdict"]) == ("fail", "pass")
    assert [event["detail"] for event in heard if event["detail-type"] == "Image Verdict"] == [failed]
    assert house.take("DeliveryFailureQueue") == []


def receive(sqs: Any, url: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return messages


def test_verdict_of_a_hand_copies_nothing_when_the_image_has_failed(house: Any, as_a_function: Any) -> None:
    pushed = house.push("payments/forged", "1.0.0")
    house.scan_ends("payments/forged", [child.digest for child in pushed.children], HIGH)

    ran = put_by_hand(house, image_verdict("payments/forged", pushed.index.digest), as_a_function)

    (outcome,) = house.outcomes(ran)
    assert [each.function for each in ran] == ["ReplicateImageFunction"]
    assert outcome["steps"] == []
    assert f"{pushed.index.digest} did not pass its scan: CVE-2026-40001 (HIGH)" in outcome["remarks"][0]
    assert not house.away.has_repository("payments/forged")
    assert house.take("FailureQueue") == []


@pytest.mark.parametrize("account", [None, SPOKE], ids=["the hub", "a connected account"])
def test_the_bus_refuses_a_verdict_that_no_function_gives(house: Any, account: str | None) -> None:
    """attacks M13: not even the root of the account may write what people read as the steward's."""
    events = house.sandbox.client("events", account=account)
    before = len(house.sandbox.invocations)

    with pytest.raises(ClientError, match=r"perform: events:PutEvents .* explicit deny in a resource-based policy"):
        put_by_hand(house, image_verdict("payments/forged-elsewhere", f"sha256:{'0' * 64}"), events)

    assert len(house.sandbox.invocations) == before


def test_verdict_of_a_hand_waits_in_the_failure_queue_when_it_is_malformed(house: Any, as_a_function: Any) -> None:
    detail = {**image_verdict("payments/forged-badly", f"sha256:{'0' * 64}"), "image-digest": "1.0.0"}

    put_by_hand(house, detail, as_a_function)

    (kept,) = house.take("FailureQueue")
    assert (kept["error"], kept["event"]["detail"]) == ("MalformedEventError", detail)
    assert "detail.image-digest" in kept["message"]


def test_same_failing_verdict_is_told_again_after_a_day_and_not_before(house: Any) -> None:
    pushed = house.push("payments/still-failing", "1.0.0")
    house.scan_ends("payments/still-failing", [child.digest for child in pushed.children], HIGH)
    (first,) = house.verdicts("payments/still-failing")

    before = house.sandbox.move_clock(timedelta(hours=23))
    house.sandbox.wait_until_idle()
    told_before = house.verdicts("payments/still-failing")
    after = house.sandbox.move_clock(timedelta(hours=2))
    house.sandbox.wait_until_idle()

    assert "ReconcileRegistryFunctionSweep" in before.fired and "ReconcileRegistryFunctionSweep" in after.fired
    assert told_before == [first]
    assert house.verdicts("payments/still-failing") == [first, first]
