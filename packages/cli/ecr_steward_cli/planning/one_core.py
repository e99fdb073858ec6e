"""Threads on one core, where they take turns anyway."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this thread, and those that it starts meanwhile, on one of the cores that it may use.

    Threads that mostly wait hand the interpreter's lock over several times for each call of AWS. Where the next thread
    sleeps on another core that one has to be woken, which costs more than the turn: a fifth of all processor time, when
    answers come at once (docs/rulebook/speed.md). Where cores cannot be chosen, as on macOS or in some containers,
    nothing changes.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    with suppress(OSError):
        os.sched_setaffinity(0, {random.choice(sorted(allowed))})  # noqa: S311 - so that two commands rarely share one
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, allowed)
