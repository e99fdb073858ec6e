"""The sandbox's own HTTP API: what people and scripts ask it."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
import urllib3

from ecr_steward_sandbox.scan_reports import EXAMPLE

SLOW_WHEN_TOLD = """
    import time
    def lambda_handler(event, context):
        print("seen")
        if event["detail-type"] == "Slow":
            time.sleep(1)
"""


@pytest.fixture(scope="module")
def box(new_template: Callable[[], Any], start: Callable[[Any], Any]) -> Any:
    """A function with a schedule and a rule on the default bus."""
    stack = new_template()
    rule = {"Type": "EventBridgeRule", "Properties": {"Pattern": {"source": ["aws.ecr"]}}}
    clock = {"Type": "Schedule", "Properties": {"Schedule": "rate(1 hour)"}}
    off = {"Type": "Schedule", "Properties": {"Schedule": "rate(1 hour)", "Enabled": False}}
    stack.function("Sees", SLOW_WHEN_TOLD, Events={"Pushed": rule, "Clock": clock, "Off": off})
    return start(stack)


def ask(box: Any, path: str, document: Any = None) -> tuple[int, Any]:
    """GET, or POST what is given; status and answer."""
    body = None if document is None else json.dumps(document).encode()
    status, answer = box.http("GET" if body is None else "POST", f"/_sandbox/{path}", body)
    return int(status), answer


def test_event_starts_its_function_when_posted(box: Any) -> None:
    event = {"source": "aws.ecr", "detail-type": "ECR Image Action", "detail": {"n": 1}}

    assert ask(box, "events", event) == (202, {"accepted": 1})
    assert ask(box, "events", [event, event])[1] == {"accepted": 2}
    assert ask(box, "idle?timeout=10") == (200, {"idle": True})

    runs = ask(box, "invocations")[1]
    assert [run["event"]["detail"] for run in runs] == [{"n": 1}] * 3
    assert [(run["function"], run["outcome"], run["log"]) for run in runs] == [("Sees", "ok", "seen\n")] * 3
    seen = ask(box, "events")[1][0]["event"]
    assert seen == {**seen, **event, "account": "111122223333", "region": "us-east-1", "version": "0"}
    assert seen["id"] and seen["time"]
    assert {one["fate"] for one in ask(box, "deliveries")[1]} == {"delivered"}
    assert ask(box, "deliveries?fate=lost") == (200, [])


def test_idle_says_what_is_under_way_when_the_time_is_over(box: Any) -> None:
    ask(box, "events", {"source": "aws.ecr", "detail-type": "Slow", "detail": {}})

    status, answer = ask(box, "idle?timeout=0.1")

    assert (status, answer["idle"]) == (408, False)
    assert "Sees" in answer["error"]
    assert ask(box, "idle")[0] == 200


def test_schedule_fires_when_posted(box: Any) -> None:
    assert ask(box, "schedules/SeesClock", {}) == (202, {"fired": "SeesClock"})
    ask(box, "idle")

    assert ask(box, "invocations")[1][-1]["event"]["detail-type"] == "Scheduled Event"


@pytest.mark.parametrize(
    ("path", "document", "status", "error"),
    [
        ("schedules/Nobody", {}, 404, "there is no schedule Nobody"),
        ("schedules/SeesOff", {}, 409, "DISABLED"),
        ("events", {"source": "aws.ecr"}, 400, "source, detail-type and detail"),
        ("events", ["x"], 400, "source, detail-type and detail"),
        ("idle?timeout=soon", None, 400, "number of seconds"),
        ("trail", {"enabled": "no"}, 400, "expected"),
        ("trail", {"enabled": True, "reads": 1}, 400, "expected"),
        ("faults", {"kind": "lose"}, 400, "kind is one of drop, double, delay, reorder, not 'lose'"),
        ("faults", [], 400, "a fault is an object with a kind"),
    ],
)
def test_mistake_is_explained_when_asked_wrongly(box: Any, path: str, document: Any, status: int, error: str) -> None:
    got, answer = ask(box, path, document)

    assert got == status
    assert error in answer["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/_sandbox/nope", 404),
        ("POST", "/_sandbox/scan", 404),
        ("GET", "/_sandbox/schedules/SeesClock", 405),
        ("DELETE", "/_sandbox/events", 405),
    ],
)
def test_answer_points_to_the_index_when_there_is_nothing_at_a_path(
    box: Any, method: str, path: str, status: int
) -> None:
    got, answer = box.http(method, path)

    assert got == status
    assert answer["error"].endswith(f": {method} {path}; GET /_sandbox/ lists what there is")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("events", "an event is an object with source, detail-type and detail"),
        ("clock", 'expected {"move": "13h"}'),
        ("trail", 'expected {"enabled": true} or {"enabled": false}, and besides "reads": true or false'),
    ],
)
def test_body_is_explained_when_it_is_empty_or_no_json(box: Any, path: str, expected: str) -> None:
    assert box.http("POST", f"/_sandbox/{path}", b"") == (400, {"error": f"the body is empty; {expected}"})
    status, answer = box.http("POST", f"/_sandbox/{path}", b"move=13h")
    assert (status, answer["error"].startswith("the body is no JSON: ")) == (400, True)
    assert answer["error"].endswith(f"; {expected}")


@pytest.mark.parametrize("path", ["clock", "nope"])
def test_answer_ends_its_line_when_a_terminal_shows_it(box: Any, path: str) -> None:
    with urllib3.PoolManager(retries=False) as pool:
        data = pool.request("GET", f"{box.sandbox.endpoint_url}/_sandbox/{path}", timeout=20).data

    assert data.endswith(b"}\n")


def test_trail_is_switched_when_posted(box: Any) -> None:
    ecr = box.sandbox.local_ecr
    assert ask(box, "trail") == (200, {"enabled": True, "reads": False})

    assert ask(box, "trail", {"enabled": False, "reads": True}) == (200, {"enabled": False, "reads": True})

    assert (ecr.trail, ecr.trail_reads) == (False, True)
    assert ask(box, "trail", {"enabled": True}) == (200, {"enabled": True, "reads": True})
    ask(box, "trail", {"enabled": True, "reads": False})


def test_event_of_ecr_is_held_until_its_release_when_a_fault_was_posted(box: Any) -> None:
    fault = {"kind": "delay", "next": 1, "detail_type": "AWS API Call via CloudTrail", "repository": "held"}
    status, added = ask(box, "faults", fault)
    assert (status, added) == (201, {**fault, "share": 1.0, "seconds": None, "window": None})
    before = len(ask(box, "events")[1])

    box.sandbox.client("ecr").create_repository(repositoryName="held")

    told = ask(box, "faults")[1]
    assert [event["detail"]["eventName"] for event in told["held"]] == ["CreateRepository"]
    assert [(one["kind"], one["event"]) for one in told["done"]] == [("delay", told["held"][0])]
    assert len(ask(box, "events")[1]) == before
    assert ask(box, "faults/release", {}) == (202, {"delivered": 1})
    assert ask(box, "events")[1][-1]["event"] == told["held"][0]


def test_faults_are_over_when_they_are_deleted(box: Any) -> None:
    ask(box, "faults", {"kind": "drop", "repository": "cleared"})

    assert box.http("DELETE", "/_sandbox/faults") == (202, {"delivered": 0})

    assert ask(box, "faults")[1]["faults"] == []
    box.sandbox.client("ecr").create_repository(repositoryName="cleared")
    assert ask(box, "events")[1][-1]["event"]["detail"]["requestParameters"] == {"repositoryName": "cleared"}


@pytest.mark.parametrize("body", [b"", b"{", b'{"kind": "drop", "nxt": 1}'])
def test_a_fault_is_shown_when_what_was_posted_is_none(box: Any, body: bytes) -> None:
    status, answer = box.http("POST", "/_sandbox/faults", body)

    assert status == 400
    assert answer["example"]["kind"] == "drop"


def test_requests_of_both_logs_are_listed_in_order_when_asked(box: Any) -> None:
    box.sandbox.client("ecr").describe_repositories()
    box.sandbox.client("sqs").list_queues()

    last = ask(box, "requests")[1][-2:]

    assert [(one["service"], one["operation"], one["mutating"]) for one in last] == [
        ("ecr", "DescribeRepositories", False),
        ("sqs", "ListQueues", False),
    ]
    assert all(one["principal"] == "arn:aws:iam::111122223333:root" for one in last)


def test_deployment_and_index_are_told_when_asked(box: Any) -> None:
    function = ask(box, "deployment")[1]["Sees"]

    assert function["type"] == "AWS::Lambda::Function"
    assert function["arn"] == box.arn("Sees")
    index = ask(box, "")[1]
    assert "GET invocations" in index["routes"]
    assert index["example of a scan"] == EXAMPLE
    told = ask(box, "not-simulated")[1]
    assert "the merged Lambda layers" in told["running"]["/opt"]
    assert "StartMessageMoveTask of SQS is not there" in told["running"]["message move tasks"]
    assert "AWS::Lambda::Function Code" in told["properties"]


def test_registry_answers_when_many_wait_for_the_sandbox_to_be_idle(
    box: Any, wait_until: Callable[[Callable[[], object]], None]
) -> None:
    token = box.sandbox.engine.activity.begin("a long wait")
    waiting = [threading.Thread(target=ask, args=(box, "idle?timeout=20")) for _ in range(45)]  # anyio has 40 threads
    for thread in waiting:
        thread.start()
    wait_until(lambda: sum("AnyIO worker" in thread.name for thread in threading.enumerate()) >= len(waiting))

    box.sandbox.client("ecr").describe_repositories()
    waited = [thread.is_alive() for thread in waiting]

    box.sandbox.engine.activity.end(token)
    for thread in waiting:
        thread.join(20)
    assert all(waited), "the registry answered while all of them waited"
