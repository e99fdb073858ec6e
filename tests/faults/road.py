"""From a registry to another, each behind a proxy of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ecr_steward.errors import StewardError
from lab.proxy import Behaviour, Fault, FaultProxy
from tests.faults.copying import attempt, copy, require_equal
from tests.faults.places import Repository

SOURCE = ("HEAD tag", "GET tag", "GET manifest", "GET blob", "GET referrers")
DESTINATION = (
    *("HEAD tag", "HEAD manifest", "HEAD blob", "POST upload", "PUT upload"),
    *("PUT manifest", "PUT tag", "GET tag"),
)
"""The requests of every copy. ECR also redirects to where a blob is stored, and takes it by PATCH."""


@dataclass
class Road:
    source: Repository
    destination: Repository
    proxies: dict[str, FaultProxy]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Side and kind of every request that a copy makes."""
        return [
            *(("source", kind) for kind in (*SOURCE, *(["GET stored"] if self.source.is_ecr else []))),
            *(("destination", kind) for kind in (*DESTINATION, *(["PATCH upload"] if self.destination.is_ecr else []))),
        ]

    def break_at(self, side: str, kind: str, behaviour: Behaviour, *, nth: int = 1, times: int = 1) -> None:
        self.proxies[side].faults.append(Fault(kind, behaviour, nth, times))

    def has_met(self, side: str, kind: str) -> int:
        return self.proxies[side].met[kind]

    def mend(self) -> None:
        for proxy in self.proxies.values():
            proxy.mend()

    def copy(self) -> None:
        copy(*self._stores(), referrers=True)

    def attempt(self) -> StewardError | None:
        return attempt(*self._stores(), referrers=True)

    def require_equal(self) -> None:
        require_equal(self.source.reader(), self.destination.reader(), referrers=True)

    def _stores(self) -> tuple[Any, Any]:
        return tuple(  # type: ignore[return-value]
            end.store(by=self.proxies[side].url)
            for side, end in (("source", self.source), ("destination", self.destination))
        )


@contextmanager
def road_between(source: Repository, destination: Repository) -> Iterator[Road]:
    with FaultProxy(source.url) as out, FaultProxy(destination.url) as back:
        yield Road(source, destination, {"source": out, "destination": back})
