"""`sandbox up` as a person sees it: a ready line, lines as things happen, and a clean end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_sandbox.control_client import ControlClient
from ecr_steward_sandbox.delivery.ledger import BusEvent, Invocation
from ecr_steward_sandbox.foreground import told_lines, up

COMMAND = "import pathlib, sys; from ecr_steward_sandbox.foreground import up; up(pathlib.Path(sys.argv[1]))"


@pytest.fixture
def sandbox_up(template: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and the address it says it has."""
    rule = {"Type": "EventBridgeRule", "Properties": {"Pattern": {"source": ["aws.ecr"]}}}
    clock = {"Type": "Schedule", "Properties": {"Schedule": "rate(1 hour)"}}
    fails = "def lambda_handler(event, context):\n    raise ValueError('no luck')"
    template.function("Sees", fails, Events={"Pushed": rule, "Clock": clock})
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(template.write())],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        match = re.match(r"Sandbox ready at (http://127\.0\.0\.1:\d+) \(Ctrl-C ends it\)", ready)
        assert match, ready + process.stdout.read()
        try:
            yield process, match.group(1)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def deliver_an_event(address: str) -> None:
    """Have the function run, and wait until it has."""
    event = {"source": "aws.ecr", "detail-type": "ECR Image Action", "detail": {"repository-name": "team/api"}}
    client = ControlClient(address)
    assert client.post("events", event) == {"accepted": 1}
    assert client.get("idle") == {"idle": True}


@pytest.mark.slow
@pytest.mark.parametrize(
    "numbers",
    [
        [signal.SIGINT] * 20 + [signal.SIGTERM] * 20,  # an impatient person; handlers interrupt each other
        [signal.SIGINT],
        [signal.SIGTERM],
    ],
)
def test_sandbox_tells_what_happens_and_ends_cleanly_when_signalled(
    sandbox_up: tuple[subprocess.Popen[str], str], numbers: list[signal.Signals]
) -> None:
    process, address = sandbox_up
    deliver_an_event(address)

    for number in numbers:
        os.kill(process.pid, number)
    assert process.wait(15) == 0
    assert process.stdout is not None
    told = process.stdout.read()

    assert f"export AWS_ENDPOINT_URL={address}" in told
    assert "aws ecr get-login-password" in told
    assert "/_sandbox/schedules/SeesClock   # rate(1 hour)" in told
    assert "event     us-east-1: ECR Image Action team/api" in told
    assert re.search(r"function  Sees: error in \d\.\d\d s: ValueError: no luck", told)
    assert re.search(r"function  Sees: error in \d\.\d\d s, attempt 3", told)
    assert "LOST the function has no failure destination" in told
    assert "Traceback" not in told
    assert left_of(process.pid) == []


@pytest.mark.slow
def test_no_frozen_function_is_left_when_the_sandbox_is_killed(
    sandbox_up: tuple[subprocess.Popen[str], str], wait_until: Callable[[Callable[[], object]], None]
) -> None:
    process, address = sandbox_up
    deliver_an_event(address)
    assert "T" in left_of(process.pid), "a function waits, frozen"

    process.kill()
    process.wait()

    wait_until(lambda: left_of(process.pid) == [])


def left_of(session: int) -> list[str]:
    """The state (`S`, `T` for frozen, ...) of each process that is left of a session."""
    fields = [_fields(path) for path in Path("/proc").glob("[0-9]*/stat")]
    return [state for state, of in fields if of == session and state != "Z"]


def _fields(stat: Path) -> tuple[str, int]:
    """State and session of a process; of one that has ended meanwhile, nothing."""
    try:
        state, _, _, session, *_ = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return "", 0
    return state, int(session)


def test_one_line_says_why_when_the_sandbox_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"^ecr-steward sandbox up: .*nothing.template\.yaml does not exist"):
        up(tmp_path / "nothing")


def test_one_line_says_why_when_the_template_has_no_such_parameter(template: Any) -> None:
    template.queue("Jobs")

    with pytest.raises(SystemExit, match=r"^ecr-steward sandbox up: the template has no parameter Nope"):
        up(template.write(), parameters={"Nope": "b"})


def test_one_line_says_why_when_the_port_is_taken(template: Any) -> None:
    template.queue("Jobs")
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(SystemExit, match=r"^ecr-steward sandbox up: cannot listen on .*: Address already in use"),
    ):
        up(template.write(), port=taken.getsockname()[1])


DIGEST = f"sha256:{'ab' * 32}"
IMAGE = f"111122223333/us-east-1/team/api@{DIGEST}"
SHORT_IMAGE = "team/api (us-east-1)@sha256:abababababab"


def own_event(detail_type: str, account: str, detail: Mapping[str, Any]) -> BusEvent:
    """An event of the steward on its own bus."""
    event = {"source": "ecr.steward", "detail-type": detail_type, "account": account, "region": "eu-west-1"}
    return BusEvent("arn:aws:events:us-east-1:111122223333:event-bus/ecr-steward", {**event, "detail": detail})


def run_of(answer: Any, *said: Mapping[str, Any], outcome: str = "ok") -> list[str]:
    """What is told of a run that answered, and logged, this."""
    log = "START\n" + "\n".join(json.dumps(line) for line in said)
    run = Invocation("Copies", {}, "id", datetime.now(UTC), 0.79, outcome, answer, log)
    return list(told_lines(run))


def outcome_line(**members: Any) -> dict[str, Any]:
    """What a function logs of one image."""
    return {"message": "outcome", "subject": IMAGE, "rule": "api", "steps": [], "violations": [], **members}


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_event_tells_the_verdict_when_it_is_one(verdict: str) -> None:
    event = own_event("Image Verdict", "111122223333", {"repository-name": "team/api", "verdict": verdict})

    assert list(told_lines(event)) == [f"event     eu-west-1: Image Verdict team/api {verdict}"]


def test_a_self_check_is_shown_only_where_it_fails() -> None:
    check = {"source": "ecr.steward.check", "detail-type": "Self Check", "account": "111122223333", "detail": {}}
    batch = {"Records": [{"body": json.dumps(check)}]}
    runs = [Invocation("Tags", event, "id", datetime.now(UTC), 0.01, "ok", {}, "") for event in (check, batch)]
    with_another = {"Records": [*batch["Records"], {"body": "no JSON"}]}
    of_more = Invocation("Tags", with_another, "id", datetime.now(UTC), 0.01, "ok", {}, "")
    failed = Invocation("Tags", check, "id", datetime.now(UTC), 0.01, "error", {"errorType": "ImportError"}, "")

    assert list(told_lines(BusEvent("arn:aws:events:us-east-1:111122223333:event-bus/default", check))) == []
    assert [line for run in runs for line in told_lines(run)] == []
    assert list(told_lines(of_more)) == ["function  Tags: ok in 0.01 s"]
    assert "ImportError" in next(told_lines(failed))


def test_event_names_its_account_when_it_is_not_the_hub() -> None:
    event = own_event("Image Verdict", "222233334444", {"verdict": "pass"})

    assert list(told_lines(event)) == ["event     222233334444, eu-west-1: Image Verdict pass"]


def test_run_tells_the_verdict_and_its_reasons_when_it_judged_an_image() -> None:
    waits = f"{DIGEST}: waits for its scan"  # a remark that a copy would have; here it belongs to the verdict
    judged = outcome_line(verdict="fail", reasons=["CVE-1 is CRITICAL"], waived=["CVE-2 is waived"], remarks=[waits])
    passed = outcome_line(verdict="pass", reasons=[], waived=[])

    assert run_of({}, judged, passed)[1:] == [
        f"            verdict fail on {SHORT_IMAGE}: CVE-1 is CRITICAL; CVE-2 is waived; sha256:abababababab: "
        "waits for its scan",
        f"            verdict pass on {SHORT_IMAGE}",
    ]


@pytest.mark.parametrize("why", ["waits for its scan: not scanned yet", "did not pass its scan: CVE-1 is CRITICAL"])
def test_run_tells_what_it_left_behind_when_a_scan_holds_an_image_back(why: str) -> None:
    copy = f"{IMAGE} to 111122223333/eu-west-1/team/api"
    left = outcome_line(subject=copy, remarks=["the rule has no `tags`", f"{DIGEST} {why}"])

    assert run_of({"batchItemFailures": []}, left) == [
        "function  Copies: ok in 0.79 s",
        f"            left behind: {SHORT_IMAGE} to team/api (eu-west-1): sha256:abababababab {why}",
    ]


REMOVAL = {"step": "RemoveImageTag", "what": "remove image tag latest", "why": "it is denied"}


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"applied": False}, "only planned: remove image tag latest: it is denied"),
        ({"applied": True}, "remove image tag latest: it is denied"),
        ({"applied": False, "remarks": ["left to the replication queue"]}, "remove image tag latest: it is denied"),
    ],
)
def test_a_step_is_told_as_planned_when_nothing_was_done(members: dict[str, Any], told: str) -> None:
    assert run_of({}, outcome_line(steps=[REMOVAL], **members))[1:] == [f"            {told}"]


PERMANENT = {"message": "permanent error", "error": "TagError", "reason": "no such tag"}
AGAIN = {"message": "to be tried again", "error": "ThrottledError", "reason": "too fast"}


@pytest.mark.parametrize(
    ("answer", "said", "outcome", "told"),
    [
        ({"failed": "TagError", "why": "no such tag"}, [PERMANENT], "ok", "failed in 0.79 s"),
        ({"batchItemFailures": []}, [PERMANENT], "ok", "failed in 0.79 s"),
        ({"batchItemFailures": [{"itemIdentifier": "1"}]}, [AGAIN], "ok", "failed in 0.79 s"),
        ({"errorType": "E", "errorMessage": "too fast"}, [AGAIN], "error", "error in 0.79 s: E: too fast"),
        ({"outcomes": []}, [], "ok", "ok in 0.79 s"),
        (None, [outcome_line()], "ok", "ok in 0.79 s"),
    ],
)
def test_run_tells_whether_it_failed_when_its_invocation_was_answered(
    answer: Any, said: list[dict[str, Any]], outcome: str, told: str
) -> None:
    reasons = [f"            {line['message']}: {line['reason']}" for line in said if "reason" in line]

    assert run_of(answer, *said, outcome=outcome) == [f"function  Copies: {told}", *reasons]
