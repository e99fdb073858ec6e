"""Lists that come in pages, of which a hostile registry never has a last one."""

import time
from collections.abc import Collection

from ecr_steward.adapters import limits
from ecr_steward.errors import RefusedByRegistryError


class Pages:
    """Keeps count of one list's pages. Raises RefusedByRegistryError where they break a limit."""

    def __init__(
        self, what: str, most_entries: int, too_many: type[RefusedByRegistryError] = RefusedByRegistryError
    ) -> None:
        """``what`` is listed, such as ``image tags of team-a/api``; ``too_many`` is raised where it is too large."""
        self._what = what
        self._most_entries = most_entries
        self._too_many = too_many
        self._visited: set[int] = set()
        self._entries = self._bytes = 0
        self._started = self._asked = time.monotonic()

    def begin(self, url: str) -> None:
        """A page is to be asked for."""
        place = hash(url)  # ten thousand URLs of a header's length would be as many MiB as a function has
        if place in self._visited or len(self._visited) == limits.PAGES:
            raise RefusedByRegistryError(f"the {self._what} come in pages without end")
        self._asked = time.monotonic()
        if self.seconds_left() <= 0:
            raise self.too_slow()
        self._visited.add(place)

    def took(self, content: bytes, entries: Collection[object]) -> None:
        """A page has come, and has been read."""
        self._entries += len(entries)
        self._bytes += len(content)
        if self._entries > self._most_entries:
            raise self._too_many(f"there are more than {self._most_entries} {self._what}")
        if self._bytes > limits.LIST_BYTES:
            raise self._too_many(f"the {self._what} are over the limit of {limits.LIST_BYTES} bytes")

    def seconds_left(self) -> float:
        """For what is to come. A page has no more of it than any small answer, all its tries together."""
        now = time.monotonic()
        return min(self._started + self._seconds, self._asked + limits.SMALL_ANSWER_SECONDS) - now

    def too_slow(self) -> RefusedByRegistryError:
        """What is raised when there are none."""
        seconds = time.monotonic() - self._started
        return RefusedByRegistryError(f"the {self._what} took longer than {seconds:.0f} s, and there is more to come")

    @property
    def _seconds(self) -> float:
        return limits.LIST_SECONDS + self._entries / limits.ENTRIES_PER_SECOND
