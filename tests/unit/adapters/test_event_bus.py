"""Notices when something is wrong: with the bus, with the table, with a giver that was killed half way."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from threading import Event, Thread
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from ecr_steward.adapters import event_bus
from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.event_bus import EventBusNotices
from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.notices import ImageVerdict, Notice, ViolationFound
from ecr_steward.domain.scans import Verdict
from ecr_steward.errors import AccessDeniedError, RefusedByRegistryError, RegistryUnavailableError, ThrottledError
from tests.given import aws
from tests.tables import make_idempotency_table

IMAGE = ImageRef(RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api"), Digest(f"sha256:{'a' * 64}"))
VERDICT = ImageVerdict("services", IMAGE, Verdict.PASS, (), ())
NOTICE = ViolationFound("services", "latest is denied", IMAGE, image_tag("latest"), "notify")


def encode(notice: Notice) -> tuple[str, str]:
    return "Violation Found", json.dumps({"rule": notice.rule})


def answer(code: str = "", message: str = "") -> dict[str, Any]:
    if not code:
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
    return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": code, "ErrorMessage": message}]}


@pytest.fixture
def clients() -> Iterator[AwsClients]:
    with mock_aws():
        yield aws.clients()


@pytest.fixture
def bus(clients: AwsClients) -> Iterator[Stubber]:
    """Answers PutEvents as it is told to, and checks that it was asked exactly so often."""
    with Stubber(clients.events) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def table(clients: AwsClients) -> str:
    return make_idempotency_table(clients.dynamodb)


@pytest.fixture
def notices(clients: AwsClients, table: str) -> EventBusNotices:
    return EventBusNotices(clients, "ecr-steward", table, encode)


def records(clients: AwsClients) -> list[dict[str, Any]]:
    return list(clients.dynamodb.scan(TableName="idempotency")["Items"])


def test_the_event_is_ours_and_is_remembered_for_a_day(
    clients: AwsClients, bus: Stubber, notices: EventBusNotices
) -> None:
    bus.add_response(
        "put_events",
        answer(),
        {
            "Entries": [
                {
                    "EventBusName": "ecr-steward",
                    "Source": "ecr.steward",
                    "DetailType": "Violation Found",
                    "Detail": '{"rule": "services"}',
                }
            ]
        },
    )

    notices.publish(NOTICE)

    (record,) = records(clients)
    assert record["id"]["S"].startswith("notice#")  # the same for every function
    assert int(record["expiration"]["N"]) - time.time() == pytest.approx(24 * 60 * 60, abs=60)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("InternalFailure", RegistryUnavailableError),
        ("ThrottlingException", ThrottledError),
        ("AccessDeniedException", AccessDeniedError),
        ("MalformedDetail", RefusedByRegistryError),
    ],
)
def test_a_notice_is_given_at_the_next_try_when_the_bus_did_not_take_it(
    clients: AwsClients, bus: Stubber, notices: EventBusNotices, code: str, error: type[Exception]
) -> None:
    bus.add_response("put_events", answer(code, "sorry"))
    bus.add_response("put_events", answer())

    with pytest.raises(error, match="events:PutEvents on ecr-steward"):
        notices.publish(NOTICE)
    assert records(clients) == []
    notices.publish(NOTICE)
    notices.publish(NOTICE)


def test_a_notice_is_given_at_the_next_try_when_the_bus_cannot_be_reached(
    bus: Stubber, notices: EventBusNotices
) -> None:
    bus.add_client_error("put_events", "InternalFailure", http_status_code=500)
    bus.add_response("put_events", answer())

    with pytest.raises(RegistryUnavailableError):
        notices.publish(NOTICE)
    notices.publish(NOTICE)


def test_a_notice_is_given_and_a_line_is_logged_when_there_is_no_table(
    clients: AwsClients, bus: Stubber, caplog: pytest.LogCaptureFixture
) -> None:
    bus.add_response("put_events", answer())

    EventBusNotices(clients, "ecr-steward", "no-such-table", encode).publish(NOTICE)

    assert "idempotency table could not be used" in caplog.text


def test_a_notice_is_given_once_when_only_its_record_cannot_be_completed(
    clients: AwsClients, bus: Stubber, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    bus.add_response("put_events", answer())
    dynamodb = clients.dynamodb

    with Stubber(dynamodb) as broken:
        broken.add_response("put_item", {})
        broken.add_client_error("update_item", "InternalServerError", http_status_code=500)
        EventBusNotices(clients, "ecr-steward", table, encode).publish(NOTICE)
        broken.assert_no_pending_responses()

    assert "idempotency table could not be used" in caplog.text


def test_the_error_of_the_bus_is_told_when_the_table_fails_too(clients: AwsClients, bus: Stubber, table: str) -> None:
    bus.add_response("put_events", answer("ThrottlingException", "slow down"))
    bus.add_response("put_events", answer("ThrottlingException", "slow down"))

    with Stubber(clients.dynamodb) as broken:
        broken.add_response("put_item", {})
        broken.add_client_error("delete_item", "InternalServerError", http_status_code=500)
        with pytest.raises(ThrottledError, match="slow down"):
            EventBusNotices(clients, "ecr-steward", table, encode).publish(NOTICE)


def test_a_verdict_is_given_and_a_line_is_logged_when_the_one_before_it_cannot_be_forgotten(
    clients: AwsClients, bus: Stubber, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    notices = EventBusNotices(clients, "ecr-steward", table, lambda notice: ("Image Verdict", repr(notice)))
    bus.add_response("put_events", answer())
    bus.add_response("put_events", answer())
    notices.publish(VERDICT)

    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    clients.dynamodb.meta.events.register("before-call.dynamodb.DeleteItem", fail)
    notices.publish(replace(VERDICT, verdict=Verdict.FAIL))

    assert "idempotency table could not be used" in caplog.text


def test_a_notice_is_left_to_its_giver_when_it_is_under_way(
    clients: AwsClients, bus: Stubber, notices: EventBusNotices, table: str
) -> None:
    is_waited_for = Event()
    clients.events.meta.events.register(
        "before-parameter-build.eventbridge.PutEvents", lambda **_: given.append(is_waited_for.wait(10))
    )
    given: list[bool] = []
    bus.add_response("put_events", answer())  # for one of them: a second call would fail

    giver = Thread(target=notices.publish, args=(NOTICE,))
    giver.start()
    while not records(clients):
        giver.join(0.001)
    other = EventBusNotices(clients, "ecr-steward", table, encode, wait=lambda _: (is_waited_for.set(), giver.join()))
    other.publish(NOTICE)

    assert given == [True]


def test_a_notice_is_given_when_its_giver_is_killed_before_it_could(
    clients: AwsClients, bus: Stubber, table: str
) -> None:
    """core 6.15"""
    waits: list[float] = []
    notices = EventBusNotices(clients, "ecr-steward", table, encode, wait=waits.append)
    bus.add_response("put_events", answer())

    def kill(**_: Any) -> None:
        raise SystemExit

    hook = "before-parameter-build.eventbridge.PutEvents"
    clients.events.meta.events.register(hook, kill)
    clients.dynamodb.meta.events.register("before-call.dynamodb.DeleteItem", kill)  # its end leaves the record behind
    with pytest.raises(SystemExit):
        notices.publish(NOTICE)
    clients.events.meta.events.unregister(hook, kill)

    notices.publish(NOTICE)

    assert waits == list(event_bus.WAITS)


def test_a_notice_is_given_again_when_its_giver_was_killed(
    clients: AwsClients, bus: Stubber, notices: EventBusNotices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_bus, "GIVING_SECONDS", 0)
    killed = True

    def kill(**_: Any) -> None:
        if killed:
            raise SystemExit

    bus.add_response("put_events", answer())
    clients.events.meta.events.register("before-parameter-build.eventbridge.PutEvents", kill)
    with pytest.raises(SystemExit):
        notices.publish(NOTICE)
    (record,) = records(clients)
    assert record["status"]["S"] == "INPROGRESS"
    killed = False
    time.sleep(0.01)

    notices.publish(NOTICE)

    (record,) = records(clients)
    assert record["status"]["S"] == "COMPLETED"
