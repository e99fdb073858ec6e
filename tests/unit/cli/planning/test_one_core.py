"""Keeping threads on one core."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from ecr_steward_cli.planning.one_core import one_core

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")


def test_threads_that_are_started_meanwhile_share_one_core_of_those_allowed() -> None:
    allowed = os.sched_getaffinity(0)

    with one_core(), ThreadPoolExecutor(4) as pool:
        used = {frozenset(each) for each in pool.map(os.sched_getaffinity, [0] * 8)}

    assert len(used) == 1
    (cores,) = used
    assert len(cores) == 1
    assert cores <= allowed


def test_all_cores_are_there_again_afterwards_also_after_an_error() -> None:
    allowed = os.sched_getaffinity(0)

    with pytest.raises(RuntimeError), one_core():
        raise RuntimeError

    assert os.sched_getaffinity(0) == allowed
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(os.sched_getaffinity, 0).result() == allowed


def test_nothing_changes_when_cores_may_not_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    allowed = os.sched_getaffinity(0)
    monkeypatch.setattr(os, "sched_setaffinity", refuse)

    with one_core():
        assert os.sched_getaffinity(0) == allowed
