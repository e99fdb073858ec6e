"""Functions in threads: one after the other while they are quick, and none waits for one that is not."""

import asyncio
import threading
import time

from local_ecr.threads import Queue


def test_functions_run_one_after_the_other_when_they_are_quick():
    running = 0

    def count():
        nonlocal running
        running += 1
        time.sleep(0.001)
        seen, running = running, running - 1
        return seen

    async def run():
        queue = Queue(patience=60)
        return await asyncio.gather(*(queue.run(count) for _ in range(10)))

    assert asyncio.run(run()) == [1] * 10


def test_a_function_is_run_when_the_one_before_waits_for_it():
    asked = threading.Event()

    async def run():
        queue = Queue()
        return await asyncio.gather(queue.run(asked.wait, 10), queue.run(asked.set))

    assert asyncio.run(run()) == [True, None]


def test_the_next_function_runs_when_one_has_failed():
    async def run():
        queue = Queue(patience=60)
        return await asyncio.gather(queue.run(int, "x"), queue.run(int, "1"), return_exceptions=True)

    failed, done = asyncio.run(run())
    assert isinstance(failed, ValueError)
    assert done == 1
