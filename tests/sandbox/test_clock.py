"""One clock for the sandbox: what follows when it is moved, what happens once, and real time afterwards."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3
from time_machine import escape_hatch

from ecr_steward_sandbox.clock import ClockError, SandboxClock, parse_duration
from ecr_steward_sandbox.foreground import run_schedules

HOURS_13 = timedelta(hours=13)
TELLS_THE_TIME = """
    import datetime, os, sys, time
    def lambda_handler(event, context):
        return {
            "now": datetime.datetime.now(datetime.UTC).isoformat(),
            "left": context.get_remaining_time_in_millis(),
            "pid": os.getpid(),
        }
"""
FAILS_TWICE = """
    import pathlib, tempfile
    def lambda_handler(event, context):
        seen = pathlib.Path(event["detail"]["note"])
        seen.write_text(seen.read_text() + "." if seen.exists() else ".")
        if len(seen.read_text()) < 3:
            raise ValueError("not yet")
"""


def real_now() -> datetime:
    """The time outside the sandbox."""
    return escape_hatch.datetime.datetime.now(UTC) if escape_hatch.is_travelling() else datetime.now(UTC)


def is_ahead(moment: datetime, by: timedelta) -> bool:
    """Whether a moment of the sandbox is so far ahead of real time, give or take a minute."""
    return abs(moment - real_now() - by) < timedelta(minutes=1)


@pytest.fixture
def clock() -> Iterator[SandboxClock]:
    """A clock of this process, ended with the test."""
    with SandboxClock() as clock:
        yield clock


# ---------------------------------------------------------------- the clock itself


def test_clock_functions_of_the_process_follow_and_waits_do_not_when_it_is_moved(clock: SandboxClock) -> None:
    held, monotonic = time.time, time.monotonic()

    clock.move(HOURS_13)
    clock.move(timedelta(days=30))

    expected = HOURS_13 + timedelta(days=30)
    assert clock.offset == expected
    assert is_ahead(clock.now, expected)
    assert is_ahead(datetime.fromtimestamp(held(), UTC), expected)
    assert clock.time_at(timedelta()) == pytest.approx(real_now().timestamp(), abs=5)
    assert time.monotonic() - monotonic < HOURS_13.total_seconds()


def test_nothing_is_replaced_when_the_clock_was_not_moved(clock: SandboxClock) -> None:
    clock.move(timedelta())

    assert not escape_hatch.is_travelling()
    assert clock.offset == timedelta()


@pytest.mark.parametrize(
    ("by", "says"),
    [
        (timedelta(seconds=-1), "only moves forward"),
        (timedelta(days=400_000), "beyond 2200-01-01"),
        (timedelta.max, "beyond 2200-01-01"),
    ],
)
def test_move_is_refused_when_it_leads_nowhere(clock: SandboxClock, by: timedelta, says: str) -> None:
    with pytest.raises(ClockError, match=says):
        clock.move(by)

    assert not escape_hatch.is_travelling()


def test_process_is_back_in_real_time_when_the_clock_ends_after_an_error() -> None:
    with pytest.raises(KeyError), SandboxClock() as clock:
        clock.move(HOURS_13)
        raise KeyError

    assert not escape_hatch.is_travelling()
    assert clock.offset == timedelta()
    with pytest.raises(ClockError, match="while its sandbox runs"):
        clock.move(HOURS_13)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("45s", timedelta(seconds=45)), ("90m", timedelta(minutes=90)), ("13h", HOURS_13), ("30d", timedelta(days=30))],
)
def test_duration_is_understood_when_it_is_a_number_and_a_unit(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "13", "h", "13 h", "-1h", "1.5h", "13h30m", "1w", "13H", "١h", "9" * 5000 + "d"])
def test_duration_is_refused_when_it_is_anything_else(text: str) -> None:
    with pytest.raises(ClockError, match="duration"):
        parse_duration(text)


# ---------------------------------------------------------------- the sandbox under it


@pytest.fixture(scope="module")
def box(new_template: Callable[[], Any], start: Callable[[Any], Any]) -> Any:
    """Functions with an hourly schedule, a polled queue, a rule; a queue and a table that nobody looks at."""
    stack = new_template()
    hourly = {"Type": "Schedule", "Properties": {"Schedule": "rate(1 hour)"}}
    stack.function("Sweep", TELLS_THE_TIME, Events={"Hourly": hourly})
    stack.queue("Jobs", VisibilityTimeout=3600)
    stack.function(
        "Works", TELLS_THE_TIME, Events={"Jobs": {"Type": "SQS", "Properties": {"Queue": stack.arn("Jobs")}}}
    )
    trying = {"Type": "EventBridgeRule", "Properties": {"Pattern": {"detail-type": ["Try"]}}}
    stack.function("Tries", FAILS_TWICE, Events={"Try": trying})
    stack.queue("Shelf", VisibilityTimeout=3600, MessageRetentionPeriod=1_209_600)
    stack.add(
        "Notes",
        "AWS::DynamoDB::Table",
        TableName="notes",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        TimeToLiveSpecification={"AttributeName": "expiration", "Enabled": True},
    )
    return start(stack)


def move(box: Any, by: timedelta) -> Any:
    """Move the clock, and let all that follows happen."""
    moved = box.sandbox.move_clock(by)
    box.sandbox.wait_until_idle(10)
    return moved


def read_registry(box: Any, token: str) -> tuple[int, Any]:
    """Ask a registry for anything with a token; status and answer."""
    with urllib3.PoolManager(retries=False) as pool:
        answer = pool.request(
            "GET",
            f"{box.sandbox.registry_url('us-east-1')}/v2/",
            headers={"Authorization": f"Basic {token}"},
            timeout=10,
        )
    return answer.status, json.loads(answer.data or b"{}")


def test_registry_refuses_the_token_and_takes_a_new_one_when_thirteen_hours_have_passed(box: Any) -> None:
    ecr = box.sandbox.client("ecr")
    old = ecr.get_authorization_token()["authorizationData"][0]
    assert read_registry(box, old["authorizationToken"])[0] == 200

    move(box, HOURS_13)

    status, answer = read_registry(box, old["authorizationToken"])
    new = ecr.get_authorization_token()["authorizationData"][0]
    assert status == 403
    assert answer == {
        "errors": [{"code": "DENIED", "message": "Your authorization token has expired. Reauthenticate and try again."}]
    }
    assert new["expiresAt"] - old["expiresAt"] > HOURS_13 - timedelta(minutes=1)
    assert read_registry(box, new["authorizationToken"])[0] == 200


def test_function_sees_the_new_time_in_a_new_worker_when_the_clock_was_moved(box: Any) -> None:
    def run() -> Any:
        return box.sandbox.engine.invocations.run(box.sandbox.engine.wiring.function(box.arn("Sweep")), "{}")

    before, offset = json.loads(run().payload), box.sandbox.clock.offset
    move(box, HOURS_13)
    move(box, timedelta(days=30))
    after = json.loads(run().payload)

    expected = offset + HOURS_13 + timedelta(days=30)
    assert box.sandbox.clock.offset == expected
    assert is_ahead(datetime.fromisoformat(before["now"]), offset)
    assert is_ahead(datetime.fromisoformat(after["now"]), expected)
    assert after["pid"] != before["pid"]
    assert 0 < after["left"] <= 5000  # the deadline is told in the worker's time


def test_schedule_fires_exactly_once_when_it_came_due_thirteen_times(box: Any) -> None:
    move(box, timedelta(hours=1))
    before = len(box.runs("Sweep"))

    moved = move(box, HOURS_13)

    (run,) = box.runs("Sweep")[before:]
    assert moved.fired == ["SweepHourly"]
    assert is_ahead(datetime.fromisoformat(run.event["time"]), box.sandbox.clock.offset)
    assert is_ahead(moved.now, box.sandbox.clock.offset)
    assert move(box, timedelta(seconds=1)).fired == []
    assert len(box.runs("Sweep")) == before + 1


def test_schedule_fires_each_time_it_comes_due_when_the_sandbox_runs_in_the_foreground(box: Any) -> None:
    class Ending:
        """Each time somebody waits for the end an hour passes; the fourth time it comes."""

        hours = 0

        def wait(self, _seconds: float) -> bool:
            """Whether the end has come."""
            self.hours += 1
            if self.hours < 4:
                box.sandbox.clock.move(timedelta(hours=1))
            return self.hours == 4

    before = len(box.runs("Sweep"))

    run_schedules(box.sandbox, Ending())
    box.sandbox.wait_until_idle(10)

    assert len(box.runs("Sweep")) == before + 3


def test_delayed_message_is_handled_when_its_delay_is_over(box: Any) -> None:
    before = len(box.runs("Works"))
    box.sandbox.client("sqs").send_message(QueueUrl=box.url("Jobs"), MessageBody="late", DelaySeconds=900)

    move(box, timedelta(minutes=15))

    (run,) = box.runs("Works")[before:]
    assert run.event["Records"][0]["body"] == "late"


class ClockThatTakesItsTime:
    """Moves the sandbox's clock, and before that does something and lets a fraction of a second pass."""

    def __init__(self, clock: SandboxClock, before: Callable[[], object]) -> None:
        self._clock = clock
        self._before = before

    @property
    def now(self) -> datetime:
        """The sandbox's time."""
        return self._clock.now

    def move(self, by: timedelta) -> None:
        """Move it, in the end."""
        self._before()
        time.sleep(0.1)
        self._clock.move(by)


def test_message_is_handled_once_and_in_the_new_time_when_it_is_sent_while_the_clock_moves(box: Any) -> None:
    before = len(box.runs("Works"))
    clock: Any = ClockThatTakesItsTime(box.sandbox.clock, lambda: box.send("Jobs", "sent meanwhile"))

    moved = box.sandbox.engine.move_clock(clock, HOURS_13, timeout=10)
    box.sandbox.wait_until_idle(10)

    (run,) = box.runs("Works")[before:]
    assert run.event["Records"][0]["attributes"]["ApproximateReceiveCount"] == "1"
    assert run.started > moved.now - timedelta(minutes=1)


class ClockThatIsWatched(ClockThatTakesItsTime):
    """Moves the sandbox's clock, and while it moves somebody fires what is due, as the foreground does by itself."""

    def __init__(self, clock: SandboxClock, fire_due_schedules: Callable[[], list[str]]) -> None:
        super().__init__(clock, lambda: None)
        self._fire_due_schedules = fire_due_schedules
        self.fired: list[str] = []

    def move(self, by: timedelta) -> None:
        """Move it, then let the other one have its turn."""
        super().move(by)
        other = threading.Thread(target=lambda: self.fired.extend(self._fire_due_schedules()))
        other.start()
        other.join(1)  # it may have to wait for the end of this move


def test_move_tells_what_fired_when_the_foreground_fires_schedules_too(box: Any) -> None:
    before = len(box.runs("Sweep"))
    clock: Any = ClockThatIsWatched(box.sandbox.clock, box.sandbox.engine.fire_due_schedules)

    moved = box.sandbox.engine.move_clock(clock, HOURS_13, timeout=10)
    box.sandbox.wait_until_idle(10)

    assert (moved.fired, clock.fired) == (["SweepHourly"], [])
    assert len(box.runs("Sweep")) == before + 1
    assert box.sandbox.engine.fire_due_schedules() == []


def test_second_move_says_why_it_was_not_made_when_the_first_goes_on(box: Any) -> None:
    offset = box.sandbox.clock.offset

    def move_too() -> list[str]:
        with pytest.raises(TimeoutError, match=r"somebody else has been moving the clock for 0\.05 s"):
            box.sandbox.move_clock(timedelta(days=1), timeout=0.05)
        return ["refused"]

    clock: Any = ClockThatIsWatched(box.sandbox.clock, move_too)
    box.sandbox.engine.move_clock(clock, timedelta(seconds=1), timeout=10)
    box.sandbox.wait_until_idle(10)

    assert clock.fired == ["refused"]
    assert box.sandbox.clock.offset == offset + timedelta(seconds=1)


def test_message_comes_back_and_is_forgotten_when_its_timeout_and_its_retention_are_over(box: Any) -> None:
    sqs, address = box.sandbox.client("sqs"), {"QueueUrl": box.url("Shelf")}
    sqs.send_message(**address, MessageBody="kept")
    assert sqs.receive_message(**address)["Messages"]
    assert "Messages" not in sqs.receive_message(**address)

    move(box, timedelta(hours=2))
    assert sqs.receive_message(**address)["Messages"][0]["Body"] == "kept"

    move(box, timedelta(days=14))
    counts = sqs.get_queue_attributes(**address, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_items_are_deleted_when_their_time_to_live_is_over(box: Any) -> None:
    table, now = box.sandbox.client("dynamodb"), time.time()
    expirations = {
        "soon": {"N": str(int(now) + 60)},
        "later": {"N": str(int(now) + 7200)},
        "never": None,
        "text": {"S": "1"},
        "ages ago": {"N": "1"},
    }
    for id_, expiration in expirations.items():
        item = {"id": {"S": id_}} | ({"expiration": expiration} if expiration else {})
        table.put_item(TableName="notes", Item=item)

    moved = move(box, timedelta(hours=1))

    left = {item["id"]["S"] for item in table.scan(TableName="notes")["Items"]}
    assert left == {"later", "never", "text", "ages ago"}
    assert moved.expired_items == 1


def test_retries_are_over_before_when_the_clock_is_moved_in_the_middle_of_them(box: Any, tmp_path: Any) -> None:
    detail = {"note": str(tmp_path / "note")}
    entry = {"Source": "shop", "DetailType": "Try", "Detail": json.dumps(detail)}
    box.sandbox.client("events").put_events(Entries=[entry])

    moved = box.sandbox.move_clock(HOURS_13)

    runs = box.runs("Tries")
    assert [(run.attempt, run.outcome) for run in runs] == [(1, "error"), (2, "error"), (3, "ok")]
    assert all(moved.now - run.started > timedelta(hours=12) for run in runs)


def test_clock_is_not_moved_when_something_does_not_end(box: Any) -> None:
    before = box.sandbox.clock.offset

    with box.sandbox.engine.activity.doing("a long copy"), pytest.raises(TimeoutError, match="a long copy"):
        box.sandbox.move_clock(HOURS_13, timeout=0.05)

    assert box.sandbox.clock.offset == before


def test_clock_is_told_and_moved_when_asked_over_http(box: Any) -> None:
    before = box.sandbox.clock.offset

    status, answer = box.http("POST", "/_sandbox/clock", b'{"move": "90m"}')

    assert status == 200
    assert answer["seconds_ahead"] == (before + timedelta(minutes=90)).total_seconds()
    assert answer["moved"]["fired"] == ["SweepHourly"]
    told = box.http("GET", "/_sandbox/clock")[1]
    assert told["seconds_ahead"] == answer["seconds_ahead"]
    assert is_ahead(datetime.fromisoformat(told["now"]), box.sandbox.clock.offset)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b'{"move": "soon"}', "'soon' is no duration"),
        (b'{"move": "-1h"}', "'-1h' is no duration"),
        (b'{"move": "99999d"}', "beyond 2200-01-01"),
        (b'{"move": "999999999999d"}', "too long"),
        (b'{"move": 13}', "expected"),
        (b'{"move": "1h", "to": "2030"}', "expected"),
        (b"13h", 'the body is no JSON: Extra data: line 1 column 3 (char 2); expected {"move": "13h"}'),
        (b"", 'the body is empty; expected {"move": "13h"}'),
    ],
)
def test_mistake_is_explained_when_the_clock_is_moved_wrongly(box: Any, document: bytes, says: str) -> None:
    before = box.sandbox.clock.offset

    status, answer = box.http("POST", "/_sandbox/clock", document)

    assert status == 400
    assert says in answer["error"]
    assert box.sandbox.clock.offset == before
