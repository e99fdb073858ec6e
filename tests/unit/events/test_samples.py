"""The sample payloads: complete envelopes, foldered by their detail-type, and messages whose digests are right."""

import hashlib
import json
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[3] / "events"
ENVELOPE = {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
BATCHES = {"sqs_copy_batch", "sqs_scan_batch"}
NO_EVENTS = BATCHES | {"replication_requested"}


def all_samples():
    return sorted(path.relative_to(SAMPLES) for path in SAMPLES.rglob("*.json"))


@pytest.mark.parametrize("sample", [path for path in all_samples() if path.parts[0] not in NO_EVENTS], ids=str)
def test_a_sample_is_a_whole_event_when_it_is_one_of_the_bus(sample):
    event = json.loads((SAMPLES / sample).read_text(encoding="utf-8"))

    assert set(event) == ENVELOPE
    if sample.parts[0] != "schedule":
        assert sample.parts[0] == event["detail-type"].lower().replace(" ", "_")


@pytest.mark.parametrize("sample", [path for path in all_samples() if path.parts[0] in BATCHES], ids=str)
def test_a_message_has_the_digest_of_its_body_when_it_is_a_sample(sample):
    for record in json.loads((SAMPLES / sample).read_text(encoding="utf-8"))["Records"]:
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()


def test_no_two_samples_share_an_event_id_when_they_are_different_events():
    events = [json.loads((SAMPLES / path).read_text(encoding="utf-8")) for path in all_samples()]
    ids = [event["id"] for event in events if "id" in event]

    assert len(ids) == len(set(ids)) > 10
