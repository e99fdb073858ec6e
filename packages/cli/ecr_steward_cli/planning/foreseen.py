"""The brakes of a plan that is only shown: what holds already, and what this plan itself would bring to hold."""

from collections.abc import Iterator

from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.memory import InMemoryBrakes
from ecr_steward.domain.brake import Brake, Excess, Hold, Load
from ecr_steward.ports.brakes import Brakes


class ForeseenBrakes:
    """A ``Brakes`` that writes nothing. What others take away in the same window, and grants, are not known to it."""

    def __init__(self, real: Brakes) -> None:
        self._real = real
        self._here = InMemoryBrakes(utc_now)
        self._holds: dict[str, list[Hold]] | None = None

    def spend(self, rule: str, window: str, load: Load, brake: Brake) -> Excess | None:
        return self._here.spend(rule, window, load, brake)

    def holding(self, rule: str, subject: str) -> Hold | None:
        if self._holds is None:
            self._holds = {}
            for hold in self._real.holds():
                self._holds.setdefault(hold.rule, []).append(hold)
        return next((each for each in self._holds.get(rule, ()) if each.is_wide or each.subject == subject), None)

    def hold(self, hold: Hold) -> Hold:
        return hold

    def tell(self, hold: Hold) -> None:
        """Reports nothing: it has not happened."""

    def holds(self) -> Iterator[Hold]:
        return self._real.holds()

    def release(self, hold: Hold, removals: int) -> bool:
        return False
