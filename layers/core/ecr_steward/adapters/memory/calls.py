"""The calls that in-memory ports received, in order, and the faults that a caller wants them to have."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ecr_steward.domain.names import ImageRef, RegistryRef, RepositoryRef

READING = frozenset(
    {
        "repositories",
        "described",
        "with_registry_scanning",
        "repository",
        "resource_tags",
        "images",
        "children",
        "manifest",
        "labels",
        "has_blob",
        "referrers",
        "scan",
        "native_copies",
        "backfills",
        "failed_images",
        "started_backfills",
    }
    | {"image_tags", "digest_of", "read_blob"}
    | {"seen", "run_by_ecs", "run_by_lambda", "counted_by_inspector"}
    | {"last", "under_way"}
    | {"fetch", "may_pull", "may_push", "read"}
    | {"paused", "holding", "holds", "entry", "entries", "of"}
    | {"policy", "scanning", "replication", "creation_templates", "account_setting"}
)
"""The methods of the ports that change nothing."""


class Call(NamedTuple):
    """One call of a port's method."""

    method: str
    arguments: tuple[object, ...]

    @property
    def changes(self) -> bool:
        """Whether the call asked for a change, however little it changed."""
        return self.method not in READING


class Calls:
    """The calls that one or more ports received. Give the same one to several ports to see their order."""

    def __init__(self) -> None:
        self.entries: list[Call] = []
        self._faults: list[tuple[str, bool, BaseException]] = []
        self._closed: dict[str, Exception] = {}
        self.each: Callable[[str], object] | None = None
        """What a call is preceded by, given its method: time that passes, or an error."""

    @property
    def changes(self) -> list[Call]:
        """The calls that asked for a change."""
        return [call for call in self.entries if call.changes]

    @property
    def methods(self) -> list[str]:
        """The names of the methods called, in order."""
        return [call.method for call in self.entries]

    def fail_before(self, method: str, error: Exception) -> None:
        """Let the next call of this method raise before it does anything. Several wait for several calls."""
        self._faults.append((method, False, error))

    def fail_after(self, method: str, error: BaseException) -> None:
        """Let the next call of this method do its work and then raise: the answer was lost on the way."""
        self._faults.append((method, True, error))

    def close(self, account: str, error: Exception) -> None:
        """Let every call about a registry of this account raise, as one that has no role for us."""
        self._closed[account] = error

    def open(self, account: str) -> None:
        """Let calls about registries of this account through again."""
        del self._closed[account]

    def heal(self) -> None:
        """Have none of the faults that still wait for a call."""
        self._faults.clear()

    def clear(self) -> None:
        """Forget the calls so far."""
        self.entries.clear()

    @contextmanager
    def record(self, method: str, *arguments: object) -> Iterator[None]:
        """Note a call, and have the fault that waits for it."""
        self.entries.append(Call(method, arguments))
        if self.each is not None:
            self.each(method)
        for account in map(_account_of, arguments):
            if account in self._closed:
                raise self._closed[account]
        fault = next((fault for fault in self._faults if fault[0] == method), None)
        if fault is None:
            yield
            return
        self._faults.remove(fault)
        _, after, error = fault
        if after:
            yield
        raise error


def _account_of(argument: object) -> str | None:
    match argument:
        case RegistryRef(account=account):
            return account
        case RepositoryRef(registry=registry) | ImageRef(repository=RepositoryRef(registry=registry)):
            return registry.account
    return None
