"""Idle means idle: counted exactly, told precisely, and a failure of the sandbox itself never hidden."""

import threading
import time

import pytest

from ecr_steward_sandbox.delivery.activity import Activity, SandboxCrashError, Work


def nothing() -> list[str]:
    """No queue has messages."""
    return []


def test_wait_returns_when_everything_that_was_begun_has_ended() -> None:
    activity = Activity()
    token = activity.begin("delivery")
    threading.Timer(0.05, activity.end, [token]).start()

    activity.wait_until_idle(5, nothing)


def test_wait_says_what_is_under_way_when_the_time_is_over() -> None:
    activity = Activity()
    for _ in range(3):
        activity.begin("delivery to queue")
    activity.begin("invocation of Sweep")

    with pytest.raises(TimeoutError, match="3 x delivery to queue; invocation of Sweep"):
        activity.wait_until_idle(0.01, nothing)


def test_wait_says_what_a_queue_holds_when_nothing_else_is_under_way() -> None:
    with pytest.raises(TimeoutError, match="2 message"):
        Activity().wait_until_idle(0.01, lambda: ["2 message(s) in jobs"])


def test_wait_looks_again_when_something_began_while_it_looked_into_the_queues() -> None:
    activity = Activity()
    looks: list[int] = []

    def takes_the_message_away() -> list[str]:
        # A poller that begins a task and deletes the message just before the queue is counted.
        if not looks:
            looks.append(activity.begin("batch"))
        return []

    with pytest.raises(TimeoutError, match="batch"):
        activity.wait_until_idle(0.05, takes_the_message_away)


def test_nothing_begins_when_something_is_done_in_the_idle_moment() -> None:
    activity, order = Activity(), []
    begins = threading.Thread(target=lambda: order.append(("begun", activity.begin("batch"))[0]))

    def takes_its_time() -> None:
        begins.start()
        begins.join(0.05)
        order.append("done")

    activity.wait_until_idle(5, nothing, then=takes_its_time)
    begins.join(5)

    assert order == ["done", "begun"]


def test_wait_never_sees_a_gap_when_each_task_begins_the_next() -> None:
    activity = Activity()
    work = Work("chain", activity, threads=2)
    done: list[int] = []

    def step(number: int) -> None:
        done.append(number)
        if number < 500:
            work.submit("step", lambda: step(number + 1))

    work.submit("step", lambda: step(1))
    activity.wait_until_idle(10, nothing)

    assert len(done) == 500
    work.close()


def test_task_waits_its_delay_and_counts_meanwhile_when_it_has_one() -> None:
    activity = Activity()
    work = Work("later", activity, threads=1)
    begun = time.monotonic()
    ended: dict[str, float] = {}

    work.submit("late", lambda: ended.update(late=time.monotonic()), after=0.1)
    work.submit("now", lambda: ended.update(now=time.monotonic()))
    activity.wait_until_idle(5, nothing)

    assert list(ended) == ["now", "late"]
    assert ended["late"] - begun >= 0.1
    work.close()


def test_tasks_run_side_by_side_when_threads_were_idle_before() -> None:
    activity = Activity()
    work = Work("wide", activity, threads=3)
    work.submit("first", lambda: None)
    activity.wait_until_idle(5, nothing)
    together = threading.Barrier(3)

    def meet() -> None:
        together.wait(5)

    for _ in range(3):
        work.submit("meet", meet)
    activity.wait_until_idle(6, nothing)

    assert not together.broken
    work.close()


def test_every_later_wait_raises_when_a_task_of_the_sandbox_failed(caplog: pytest.LogCaptureFixture) -> None:
    activity = Activity()
    work = Work("broken", activity, threads=1)

    empty: dict[str, None] = {}
    work.submit("bug", lambda: empty["missing"])

    for _ in range(2):
        with pytest.raises(SandboxCrashError, match="KeyError"):
            activity.wait_until_idle(5, nothing)
    assert "the sandbox failed" in caplog.text
    work.close()


def test_tasks_are_dropped_and_threads_end_when_closed() -> None:
    activity = Activity()
    work = Work("closing", activity, threads=3)
    done: list[int] = []
    work.submit("never", lambda: done.append(1), after=60)

    work.close()
    work.submit("too late", lambda: done.append(2))

    activity.wait_until_idle(1, nothing)
    assert done == []
    assert "closing" not in [thread.name for thread in threading.enumerate()]
