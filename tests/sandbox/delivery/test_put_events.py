"""What PutEvents takes and refuses."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_steward_sandbox.delivery.put_events import MAX_ENTRY_BYTES, PutEventsRefusedError, accept_entries

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
GOOD = {"Source": "ecr.steward", "DetailType": "Violation Found", "Detail": '{"version": 1}', "EventBusName": "own"}


def put(*entries: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Put entries as one account in one region."""
    return accept_entries({"Entries": list(entries)}, account="111122223333", region="us-east-1", now=NOW)


def test_event_has_the_whole_envelope_when_accepted() -> None:
    accepted, answer = put({**GOOD, "Resources": ["arn:x"]})

    (one,) = accepted
    assert one.bus == "own"
    assert one.event == {
        "version": "0",
        "id": answer["Entries"][0]["EventId"],
        "detail-type": "Violation Found",
        "source": "ecr.steward",
        "account": "111122223333",
        "time": "2026-03-01T12:30:00Z",
        "region": "us-east-1",
        "resources": ["arn:x"],
        "detail": {"version": 1},
    }


def test_event_time_is_that_of_the_entry_when_given() -> None:
    accepted, _ = put({**GOOD, "Time": 1767225600})

    assert accepted[0].event["time"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Source": "aws.ecr"}, "NotAuthorizedForSourceException"),
        ({"Source": ""}, "InvalidArgument"),
        ({"DetailType": ""}, "InvalidArgument"),
        ({"Detail": ""}, "InvalidArgument"),
        ({"Detail": "{"}, "MalformedDetail"),
        ({"Detail": "[1]"}, "MalformedDetail"),
    ],
)
def test_entry_alone_fails_when_it_is_wrong(change: dict[str, str], code: str) -> None:
    accepted, answer = put({**GOOD, **change}, GOOD)

    assert len(accepted) == 1
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == code
    assert "EventId" in answer["Entries"][1]


@pytest.mark.parametrize("count", [0, 11])
def test_call_is_refused_when_it_has_no_or_too_many_entries(count: int) -> None:
    with pytest.raises(PutEventsRefusedError, match="between 1 and 10"):
        put(*[GOOD] * count)


def test_call_is_refused_when_one_byte_over_the_limit() -> None:
    fixed = sum(len(GOOD[name]) for name in ("Source", "DetailType"))
    room = MAX_ENTRY_BYTES - fixed - len(json.dumps({"t": ""}))

    put({**GOOD, "Detail": json.dumps({"t": "x" * room})})
    with pytest.raises(PutEventsRefusedError, match="over the limit"):
        put({**GOOD, "Detail": json.dumps({"t": "x" * (room + 1)})})
