"""Working on something alone, for as long as a lease lasts."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ecr_steward.errors import CopyUnderWayError, StewardError
from ecr_steward.ports.leases import Leases


@dataclass(frozen=True)
class Lessor:
    """Gives leases for as long as whoever takes one can live."""

    leases: Leases
    seconds: float

    @contextmanager
    def leased(self, what: str) -> Iterator[None]:
        """Hold a lease. Raises CopyUnderWayError where somebody else has it."""
        lease = self.leases.take(what, self.seconds)
        if lease is None:
            raise CopyUnderWayError(f"another job is copying {what}")
        try:
            yield
        except BaseException:
            with suppress(StewardError):  # it ends by itself, and there is worse news
                self.leases.give_back(what, lease)
            raise
        self.leases.give_back(what, lease)
