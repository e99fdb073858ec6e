"""The second origin: it gives whoever comes what they want, and writes down what they brought."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Self

from lab.hostile.registry import SECRETS
from lab.hostile.serving import Exchange, Server

FOREIGN_HOST = "127.0.0.2"


@dataclass(frozen=True)
class Visit:
    """A request that should perhaps never have come."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def has_credential(self) -> bool:
        brought = f"{self.path} {self.headers} {self.body.decode(errors='replace')}"
        return any(secret in brought for secret in SECRETS)

    @property
    def has_content(self) -> bool:
        return bool(self.body) and self.method != "GET" and "/token" not in self.path


@dataclass
class Witness:
    """A server on another host, and one on the registry's own that is another origin by its port."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self._foreign, self._neighbour = Server(FOREIGN_HOST, self._answer), Server("127.0.0.1", self._answer)

    @property
    def url(self) -> str:
        return self._foreign.url

    @property
    def neighbour_url(self) -> str:
        """On the registry's own host, and not encrypted."""
        return self._neighbour.url

    @property
    def named_url(self) -> str:
        """By a name that resolves to a private address."""
        return f"http://localhost:{self._neighbour.port}"

    @property
    def has_credential(self) -> bool:
        return any(visit.has_credential for visit in self.visits)

    @property
    def has_content(self) -> bool:
        return any(visit.has_content for visit in self.visits)

    def __enter__(self) -> Self:
        self._stack.enter_context(self._foreign)
        self._stack.enter_context(self._neighbour)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def _answer(self, exchange: Exchange) -> None:
        self.visits.append(Visit(exchange.command, exchange.path, dict(exchange.headers), exchange.body))
        place = exchange.place
        if place.endswith("/token"):
            exchange.say(200, {"token": "stolen", "access_token": "stolen"})
        elif (digest := place.rpartition("/")[2]) in self.blobs:
            exchange.send(200, self.blobs[digest], {"Content-Type": "application/octet-stream"})
        elif place.endswith("/tags/list"):
            exchange.say(200, {"name": "x", "tags": ["stolen"]})
        elif exchange.command in ("PATCH", "PUT", "DELETE"):
            exchange.send(201 if exchange.command == "PUT" else 202, b"", {"Location": self.url + place})
        else:
            exchange.refuse(401, "UNAUTHORIZED", {"WWW-Authenticate": 'Basic realm="there"'})
