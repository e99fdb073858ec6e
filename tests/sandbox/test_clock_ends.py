"""Whatever a sandbox did to its clock, and however it ends: the process is back in real time."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from time_machine import escape_hatch

from ecr_steward_sandbox.sandbox import Sandbox

HOURS_13 = timedelta(hours=13)


class FailsToStart(Sandbox):
    """Moves its clock while it starts, and then fails."""

    @property
    def deliver(self) -> Any:
        """Asked for by the start, when the clock runs."""
        self.clock.move(HOURS_13)
        raise RuntimeError("no receiver of events")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_process_is_back_in_real_time_when_the_sandbox_ends_after_an_error(
    template: Any, tmp_path: Path, error: type[BaseException]
) -> None:
    template.queue("Jobs")
    sandbox = Sandbox(template.write(), data=tmp_path / "data")

    with pytest.raises(error), sandbox:
        sandbox.move_clock(HOURS_13)
        assert escape_hatch.is_travelling()
        raise error

    assert not escape_hatch.is_travelling()
    assert sandbox.clock.offset == timedelta()


def test_process_is_back_in_real_time_when_the_sandbox_cannot_start(template: Any, tmp_path: Path) -> None:
    template.queue("Jobs")

    with pytest.raises(RuntimeError, match="no receiver"), FailsToStart(template.write(), data=tmp_path / "data"):
        pass

    assert not escape_hatch.is_travelling()
