"""`sandbox up` as a person sees it: a ready line, lines as things happen, and a clean end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from sandbox.foreground import up

COMMAND = "import pathlib, sys; from sandbox.foreground import up; up(pathlib.Path(sys.argv[1]))"


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


@pytest.mark.parametrize(
    "numbers",
    [
        [signal.SIGINT] * 20 + [signal.SIGTERM] * 20,  # an impatient person; handlers interrupt each other
        pytest.param([signal.SIGINT], marks=pytest.mark.slow),
        pytest.param([signal.SIGTERM], marks=pytest.mark.slow),
    ],
)
def test_sandbox_tells_what_happens_and_ends_cleanly_when_signalled(
    sandbox_up: tuple[subprocess.Popen[str], str], numbers: list[signal.Signals]
) -> None:
    process, address = sandbox_up
    event = {"source": "aws.ecr", "detail-type": "ECR Image Action", "detail": {"repository-name": "team/api"}}
    with urllib3.PoolManager(retries=False) as pool:
        pool.request("POST", f"{address}/_sandbox/events", body=json.dumps(event).encode(), timeout=10)
        pool.request("GET", f"{address}/_sandbox/idle", timeout=20)

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
    group = [path for path in Path("/proc").glob("[0-9]*/stat") if _group(path) == process.pid]
    assert group == []


def _group(stat: Path) -> int | None:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[2])
    except OSError:
        return None


def test_one_line_says_why_when_the_sandbox_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(
        SystemExit, match=r"^ecr-steward sandbox up: .*nothing.template\.yaml does not exist; run make build"
    ):
        up(tmp_path / "nothing")


def test_one_line_says_why_when_the_port_is_taken(template: Any) -> None:
    template.queue("Jobs")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit, match="Address already in use"):
        up(template.write(), port=taken.getsockname()[1])
