"""HTTP to registries: bounded in time and size, and no secret ever leaves for another origin.

An *origin* is scheme, host and port. ``Authorization`` goes to the origin that it was made for and nowhere else: past a
proxy inside of a tunnel alone, where the proxy does not see it.
"""

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, ProxyError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout, parse_url

from ecr_steward.adapters import limits
from ecr_steward.adapters.budget import Budget
from ecr_steward.adapters.connections import Connections
from ecr_steward.adapters.heads import TimedConnection
from ecr_steward.adapters.limiter import Limiter
from ecr_steward.adapters.patience import ONCE, PATIENT, THROTTLED, Patience, refuses_the_tunnel, release
from ecr_steward.adapters.proxies import Proxies, Proxy
from ecr_steward.domain.deadline import NEVER, Deadline
from ecr_steward.errors import RefusedByRegistryError, RegistryUnavailableError, StewardError

type Body = bytes | Iterable[bytes] | None

LOGGING_IN = "token"
"""The operation of asking a token server."""
_LEAST_SECONDS = 0.001
"""Less is no time to urllib3."""


class _Bounded(Timeout):
    """A request's times, none of which ends after its job's. urllib3 clones it for each try."""

    def __init__(self, connect: float, read: float, budget: Budget) -> None:
        super().__init__(connect=connect, read=read)
        self._usual = connect, read
        self._budget = budget

    def clone(self) -> Timeout:
        """The times of one try. Raises OutOfTimeError where there is none left."""
        self._budget.require()
        connect, read = self._usual
        left = self._budget.left()
        return Timeout(connect=connect, read=read, total=None if math.isinf(left) else max(left, _LEAST_SECONDS))


_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origin:
    """Where a URL leads: ``https://111122223333.dkr.ecr.eu-west-1.amazonaws.com``."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """The origin of a URL. Raises RefusedByRegistryError for anything but http and https."""
        try:
            parsed = parse_url(url)
        except LocationParseError as cause:
            raise RefusedByRegistryError(f"{redacted(url)} is no URL") from cause
        if parsed.scheme not in _USUAL_PORTS or not parsed.host or parsed.auth:
            raise RefusedByRegistryError(f"{redacted(url)} is no URL of a registry")
        return cls(parsed.scheme, parsed.host, parsed.port or _USUAL_PORTS[parsed.scheme])

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def address(self) -> str:
        """Host, and port where it is not the usual one: as people write it."""
        return self.host if self.port == _USUAL_PORTS[self.scheme] else f"{self.host}:{self.port}"

    def own(self, url: str, base: str) -> str:
        """``url``, resolved against ``base``, as long as it stays here. Raises RefusedByRegistryError.

        An upload's ``Location`` and a listing's ``Link`` on another host would take the credentials, and the
        content, to whoever that is (CVE-2026-50151, CVE-2026-85732).
        """
        resolved = urljoin(base, url)
        if Origin.of(resolved) != self:
            raise RefusedByRegistryError(f"{self} points to {redacted(resolved)}, which is another server")
        return resolved


class Transport:
    """Connections to any number of registries. Safe to use from several threads."""

    def __init__(
        self,
        *,
        retries: Patience = PATIENT,
        read_seconds: float = limits.READ_SECONDS,
        idle: int = 8,
        limiter: Limiter | None = None,
        proxies: Proxies | None = None,
    ) -> None:
        """``idle`` connections to each registry are kept for later."""
        self._retries = retries
        self._limiter = limiter or Limiter()
        self._budget = Budget()
        self._read_seconds = read_seconds
        self._connections = Connections(idle, proxies)

    def for_job(self, deadline: Deadline = NEVER) -> Self:
        """The same connections and distances, with all retries and the time of one job."""
        made = copy.copy(self)
        made._budget = Budget(deadline)
        return made

    def within(self, seconds_left: Callable[[], float], too_slow: Callable[[], StewardError]) -> Self:
        """The same for a part of the job that has less time: ``too_slow`` says what is raised when that is over."""
        made = copy.copy(self)
        made._budget = self._budget.within(seconds_left, too_slow)
        return made

    @contextmanager
    def exchange(
        self,
        method: str,
        url: str,
        *,
        operation: str,
        headers: Mapping[str, str],
        body: Body = None,
        repeatable: bool,
    ) -> Iterator[BaseHTTPResponse]:
        """Send a request and have its answer, with the body still to be read; redirects are the caller's business.

        Requests of one ``operation`` to one server are made as fast as that takes them.

        Raises RegistryUnavailableError when there is no answer, RefusedByRegistryError for headers without end and for
        a login that a proxy would read, InvalidNameError for a proxy that is none, ThrottledError for a server that
        refuses and wants to be asked again at once, for too long, and OutOfTimeError where the job's time is over, or
        would be before the request may be made.
        """
        kind, budget = (urlsplit(url).netloc, operation), self._budget
        proxy = self._proxy_to(url)
        is_secret = "Authorization" in headers or operation == LOGGING_IN  # an answer with a token is a login, too
        if proxy is not None and is_secret and Origin.of(url).scheme != "https":
            raise RefusedByRegistryError(
                f"{redacted(url)} is not encrypted, so the proxy {proxy.url} would read the login: use TLS, or name "
                "the host in NO_PROXY"
            )
        self._limiter.wait(kind, budget)
        try:
            response = self._connections.by(proxy).urlopen(
                method,
                url,
                body=body,
                headers={"Accept-Encoding": "identity", **headers},
                retries=(self._retries if repeatable else ONCE).of(self._limiter, kind, budget),
                timeout=_Bounded(limits.CONNECT_SECONDS, self._read_seconds, budget),
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except HTTPError as cause:
            budget.require()
            by = f" by the proxy {proxy.url}" if proxy else ""
            raise RegistryUnavailableError(f"{method} {redacted(url)}{by}: {_reason(cause)}") from cause
        try:
            if response.status in THROTTLED:
                pause = min(self._retries.pause(response), limits.RETRY_AFTER_SECONDS)
                self._limiter.refused(kind, pause, at_once=budget if self._retries.is_at_once(response) else None)
            else:
                budget.earn(kind)
                self._limiter.taken(kind)
            yield response
        finally:
            release(response)

    def manager_to(self, url: str) -> urllib3.PoolManager:
        """What leads to a server, by its proxy where it has one. Raises as ``exchange`` does."""
        return self._connections.by(self._proxy_to(url))

    def close(self) -> None:
        """Close idle connections."""
        self._connections.close()

    def _proxy_to(self, url: str) -> Proxy | None:
        origin = Origin.of(url)
        return self._connections.proxy_for(origin.scheme, origin.host, origin.port)


def chunks_of(response: BaseHTTPResponse, ends_at: float = math.inf) -> Iterator[bytes]:
    """The body as it arrives, exactly as it was sent. No part is waited for beyond ``ends_at`` of the monotonic clock.

    Raises RegistryUnavailableError where it is cut short, and RefusedByRegistryError where it drips: so slow is no
    network, and a registry could keep us for ever. What counts is the time that we wait for it. Raises OutOfTimeError
    where the time of its job is over.
    """
    budget = _budget_of(response)
    waited, came, parts, slow = 0.0, 0, 0, 0
    try:
        while True:
            budget.require()
            asked = time.monotonic()
            if isinstance(response.connection, TimedConnection):
                response.connection.wait_at_most(min(budget.left(), ends_at - asked))
            chunk = response.read1(limits.BLOB_CHUNK_BYTES, decode_content=False)
            if not chunk:
                return
            waited, came, parts = waited + time.monotonic() - asked, came + len(chunk), parts + 1
            if waited > limits.DRIP_SECONDS:
                slow = slow + 1 if came < limits.DRIP_BYTES else 0
                if slow > 1 or (slow and parts >= limits.DRIP_PARTS):  # a network that stalls once is silent then
                    raise RefusedByRegistryError(f"an answer drips: {came} bytes in {waited:.0f} s")
                waited, came, parts = 0.0, 0, 0
            yield chunk
    except HTTPError as cause:
        budget.require()
        raise RegistryUnavailableError(f"an answer was cut short: {_reason(cause)}") from cause


def read_small(response: BaseHTTPResponse, limit: int, too_large: type[StewardError], what: str) -> bytes:
    """The whole body, if it is at most ``limit`` bytes and comes within its time; no more is ever read."""
    deadline = time.monotonic() + limits.SMALL_ANSWER_SECONDS
    content = bytearray()
    try:
        for chunk in chunks_of(response, deadline):
            content += chunk
            if len(content) > limit:
                raise too_large(f"{what} is over the limit of {limit} bytes")
            if time.monotonic() > deadline:
                break
        else:
            return bytes(content)
    except RegistryUnavailableError:
        if time.monotonic() < deadline:
            raise
    raise RegistryUnavailableError(f"{what} took longer than {limits.SMALL_ANSWER_SECONDS} s")


def redacted(url: str) -> str:
    """A URL without its query and user, where signatures and passwords stand."""
    without_query = url.partition("?")[0].partition("#")[0]
    scheme, separator, rest = without_query.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else without_query


def _budget_of(response: BaseHTTPResponse) -> Budget:
    """What the job may spend that an answer was asked for by."""
    of = response.retries
    return (of.budget if isinstance(of, Patience) else None) or Budget()


def _reason(error: HTTPError) -> str:
    """What went wrong, without the URL that urllib3 puts into its messages: it may be a presigned one."""
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, ProxyError) and refuses_the_tunnel(reason):
        return str(reason.original_error)[:200]
    causes = (reason.__cause__, *getattr(reason, "args", ()))
    said = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
    return f"{type(reason).__name__}: {said}" if said else type(reason).__name__
