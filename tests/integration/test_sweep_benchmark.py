"""The benchmark of sweeps, over a registry that is too small to say anything but that it runs."""

from pathlib import Path

import pytest

import sweep
from measuring.custodian import PROGRAM

BUILD = Path(__file__).parents[2] / ".aws-sam" / "build"

pytestmark = [pytest.mark.slow, pytest.mark.alone]


@pytest.fixture(autouse=True)
def _is_built() -> None:
    if not (BUILD / "template.yaml").exists():
        pytest.fail("nothing is built yet: run `make build`")


def test_both_change_and_then_leave_the_same_settings_when_measured_side_by_side() -> None:
    if not PROGRAM.is_file():
        pytest.skip("install Cloud Custodian: make .tools/c7n/.installed")

    first, unchanged, calls = sweep.beside_custodian(repositories=4, rounds=1)

    assert "first run, 4 repositories" in first.measured
    assert "no-change run, 4 repositories" in unchanged.measured
    assert (calls.ours, calls.is_met) == ("1.00", True)  # the lifecycle policy; a list tells the other settings
    assert calls.peer == "2.00"  # and the resource tags


def test_both_come_to_an_end_when_each_answer_is_under_way_for_a_time() -> None:
    if not PROGRAM.is_file():
        pytest.skip("install Cloud Custodian: make .tools/c7n/.installed")

    measured = sweep.from_afar(repositories=2, delay=0.001)

    assert [verdict.measured.partition(",")[0] for verdict in measured] == ["first run", "no-change run"]


def test_nothing_is_written_twice_when_the_deployed_sweep_is_measured() -> None:
    calls, memory = sweep.deployed(repositories=60)

    assert calls.is_met, calls
    assert memory.is_met, memory


def test_memory_stays_bounded_when_a_larger_registry_is_measured() -> None:
    function, command = sweep.large(repositories=200, images=5)

    assert function.is_met, function
    assert command.is_met, command
