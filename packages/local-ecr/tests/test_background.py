"""What a LocalEcr does by itself: work that changes leave, and jobs on a clock that jumps."""

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest

from lab.clock import SettableClock
from local_ecr.background import Background

DAY = timedelta(days=1)


@pytest.fixture
def clock():
    return SettableClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def background(clock):
    made = Background(clock)
    yield made
    made.close()


def test_work_is_done_until_there_is_none_left_when_somebody_wakes_it(background):
    left, done = [1, 2, 3], []

    def step():
        if left:
            done.append(left.pop(0))
        return bool(left)

    background.work(step)
    background.start()
    background.wait_until_idle(10)
    assert done == [1, 2, 3]

    left += [4, 5]
    background.wake()
    background.wait_until_idle(10)
    assert done == [1, 2, 3, 4, 5]


def test_waiting_says_so_when_work_does_not_end_in_time(background):
    goes_on = threading.Event()
    background.work(lambda: not goes_on.wait(30))
    background.start()
    with pytest.raises(TimeoutError, match=r"still under way after 0\.01 s"):
        background.wait_until_idle(0.01)
    assert not background.is_idle
    goes_on.set()
    background.wait_until_idle(10)
    assert background.is_idle


def test_work_that_is_woken_while_it_is_done_is_looked_at_again(background):
    tried = []

    def step():
        tried.append(1)
        if len(tried) == 1:
            background.wake()
        return False

    background.work(step)
    background.start()
    background.wait_until_idle(10)
    assert len(tried) == 2


def test_work_that_fails_is_logged_and_left_until_the_next_wake(background, caplog):
    tried = []

    def step():
        tried.append(1)
        raise ValueError("broken")

    background.work(step)
    with caplog.at_level(logging.ERROR):
        background.start()
        background.wait_until_idle(10)
    assert len(tried) == 1
    assert "work in the background failed" in caplog.text
    background.wake()
    background.wait_until_idle(10)
    assert len(tried) == 2


def test_a_job_runs_once_for_all_the_time_that_passed_when_the_clock_jumps(background, clock):
    ran = []
    background.every(DAY, ran.append)
    background.start()
    background.run_due()
    assert ran == []

    clock.now += 30 * DAY
    background.run_due()
    background.run_due()
    assert ran == [clock.now]

    clock.now += DAY
    background.run_due()
    assert len(ran) == 2


@pytest.mark.slow
def test_a_job_runs_by_itself_when_the_clock_passes_its_time(background, clock):
    ran = threading.Event()
    background.every(DAY, lambda now: ran.set())
    background.start()
    clock.now += DAY
    assert ran.wait(10)


def test_other_jobs_run_when_one_fails(background, clock, caplog):
    ran = []

    def fail(now):
        raise ValueError("broken")

    background.every(DAY, fail)
    background.every(DAY, ran.append)
    background.start()
    clock.now += DAY
    with caplog.at_level(logging.ERROR):
        background.run_due()
    assert ran == [clock.now]
    assert "a job in the background failed" in caplog.text


def test_nothing_runs_after_the_end(background, clock):
    ran = []
    background.every(DAY, ran.append)
    background.start()
    background.close()
    clock.now += DAY
    background.run_due()
    assert ran == []


def test_the_end_waits_for_what_is_under_way(background):
    begun, goes_on, ended = threading.Event(), threading.Event(), []

    def step():
        begun.set()
        goes_on.wait(10)
        ended.append(1)
        return True

    background.work(step)
    background.start()
    begun.wait(10)
    threading.Timer(0.05, goes_on.set).start()
    background.close()
    assert ended == [1]


def test_a_job_goes_on_an_interval_later_when_the_clock_was_put_back(background, clock):
    ran = []
    background.every(DAY, ran.append)
    background.start()
    clock.now -= 30 * DAY
    background.run_due()
    assert ran == []

    clock.now += DAY
    background.run_due()
    assert ran == [clock.now]
