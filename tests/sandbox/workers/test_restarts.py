"""Workers that are replaced: since the function is configured anew, since time was moved, since they are old."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ecr_steward_sandbox.clock import SandboxClock
from ecr_steward_sandbox.workers.pool import MAX_AGE_SECONDS

SHOWS_ITSELF = """
    import os
    def lambda_handler(event, context):
        return {"own": os.environ.get("OWN"), "pid": os.getpid()}
"""


def test_next_event_gets_a_new_worker_as_configured_then_when_the_pool_was_restarted(
    function: Callable[..., Any],
) -> None:
    shown = function(SHOWS_ITSELF, environment={"OWN": "old"})
    first = shown.invoke()[0]

    shown.pool.restart(replace(shown.config, environment={"OWN": "new"}))
    second = shown.invoke()[0]

    assert (first["own"], second["own"]) == ("old", "new")
    assert shown.pool.pids == [second["pid"]]
    assert not Path(f"/proc/{first['pid']}").exists()


def test_invocation_finishes_in_its_worker_and_is_the_last_one_there_when_the_pool_is_restarted(
    function: Callable[..., Any], tmp_path: Path, meets_another: str, wait_until: Callable[[Callable[[], object]], None]
) -> None:
    meeting = function(meets_another, timeout=20.0)
    place = tmp_path / "meeting"
    place.mkdir()
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(meeting.invoke(str(place))[0]))
    thread.start()
    wait_until(lambda: list(place.iterdir()))

    meeting.pool.restart(meeting.config)
    second = meeting.invoke(str(place))[0]  # meets the first, which is still there
    thread.join(20)

    assert answers[0]["met"] and second["met"]
    assert answers[0]["pid"] != second["pid"]
    wait_until(lambda: meeting.pool.pids == [second["pid"]])


def test_worker_is_replaced_when_it_is_older_than_its_credentials_may_become(function: Callable[..., Any]) -> None:
    shown = function(SHOWS_ITSELF)
    with SandboxClock() as clock:
        first = shown.invoke()[0]["pid"]
        clock.move(timedelta(seconds=MAX_AGE_SECONDS - 60))
        same = shown.invoke()[0]["pid"]
        clock.move(timedelta(seconds=61))
        other = shown.invoke()[0]["pid"]

    assert first == same != other
    assert shown.pool.pids == [other]
