"""Requests to one registry under one login."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Self
from urllib.parse import quote, urljoin

from urllib3.response import BaseHTTPResponse

from ecr_steward.adapters import limits
from ecr_steward.adapters.addresses import require_reachable
from ecr_steward.adapters.refusals import read_refusal
from ecr_steward.adapters.transport import Body, Origin, Transport, redacted
from ecr_steward.errors import RefusedByRegistryError, RegistryUnavailableError, StewardError

FOUND = frozenset({200})
DONE = frozenset({200, 201, 202, 204})
"""ECR answers a PATCH with 201, other registries with 202 or 204."""
UNAUTHORIZED = 401
REDIRECTED = frozenset({301, 302, 303, 307, 308})


class Session:
    """A registry's origin, and how to log in there.

    The login is HTTP Basic, as ECR has it, unless ``challenged`` knows better. Nothing else follows a
    ``WWW-Authenticate`` challenge: where it points to is the registry's choice (CVE-2026-33540, CVE-2026-48978).
    """

    def __init__(
        self,
        origin: str,
        authorization: Callable[[], str],
        renew: Callable[[], None] | None,
        transport: Transport,
        challenged: Callable[[str, str], bool] | None = None,
        *,
        is_ecr: bool = True,
    ) -> None:
        self.origin = Origin.of(origin)
        self._authorization = authorization
        self._renew = renew
        self._challenged = challenged
        self.is_ecr = is_ecr
        self._transport = transport

    def within(self, seconds_left: Callable[[], float], too_slow: Callable[[], StewardError]) -> Self:
        """The same for requests that have less time together than their job: see ``Transport.within``."""
        made = copy.copy(self)
        made._transport = self._transport.within(seconds_left, too_slow)
        return made

    def url(self, repository_name: str, kind: str, reference: object) -> str:
        """The URL of a manifest, blob, upload or list of referrers. What a reference holds stays in its place."""
        return f"{self.origin}/v2/{quote(repository_name)}/{kind}/{quote(str(reference), safe=':')}"

    @contextmanager
    def send(
        self,
        method: str,
        url: str,
        action: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        expected: frozenset[int] = FOUND,
        repeatable: bool | None = None,
        anonymous: bool = False,
    ) -> Iterator[BaseHTTPResponse]:
        """Send a request and have its answer, if its status is one of ``expected``; raise what it means if not.

        ``action`` is the IAM action that ECR asks for. A login that the registry takes for expired is renewed once,
        and the request is repeated, unless its body was a stream: then trying the whole again helps.
        """
        repeatable = method in ("GET", "HEAD") if repeatable is None else repeatable
        may_renew = not anonymous and (self._renew is not None or self._challenged is not None)
        while True:
            authorization = "" if anonymous else self._authorization()
            sent = {**(headers or {}), **({"Authorization": authorization} if authorization else {})}
            with self._transport.exchange(
                method, url, operation=self._operation(action), headers=sent, body=body, repeatable=repeatable
            ) as response:
                if response.status in expected:
                    yield response
                    return
                refusal = read_refusal(method, response, authorization)
                challenge = response.headers.get("WWW-Authenticate", "")
            if (
                not may_renew
                or not refusal.may_be_an_expired_login
                or not self._another_login(refusal.status, challenge, authorization)
            ):
                raise refusal.error(action if self.is_ecr else None, redacted(url))
            may_renew = False
            if body is not None and not isinstance(body, bytes):
                raise RegistryUnavailableError(f"{action} on {redacted(url)}: the login expired during the upload")

    @contextmanager
    def follow(
        self,
        method: str,
        url: str,
        action: str,
        *,
        headers: Mapping[str, str] | None = None,
        expected: frozenset[int] = FOUND,
    ) -> Iterator[BaseHTTPResponse]:
        """Ask for something where a registry may keep it elsewhere, and have the answer that holds it.

        ECR redirects to presigned URLs, registry.k8s.io to other registries; neither must see the login
        (GHSA-vh4v-2xq2-g5cg). Raises RefusedByRegistryError for redirects without end, and where nobody may be sent.
        """
        asked, anonymous = url, False
        for _ in range(limits.REDIRECTS + 1):
            with self.send(
                method, url, action, headers=headers, expected=expected | REDIRECTED, anonymous=anonymous
            ) as response:
                if response.status not in REDIRECTED:
                    yield response
                    return
                url = redirect_target(response, url)
                require_reachable(url, self.origin, is_ecr=self.is_ecr)
            # Once it has left, it stays without: whoever sent it back is not to be trusted with the login.
            anonymous = anonymous or Origin.of(url) != self.origin
        raise RefusedByRegistryError(f"{redacted(asked)} is redirected more than {limits.REDIRECTS} times")

    def _another_login(self, status: int, challenge: str, refused: str) -> bool:
        """Whether there is another login to try."""
        if self._challenged is not None:
            return status == UNAUTHORIZED and self._challenged(challenge, refused)
        if self._renew is not None:
            self._renew()
        return self._renew is not None

    def _operation(self, action: str) -> str:
        """What is counted together, server by server: rates that are ECR's are not those of others."""
        return action if self.is_ecr else action.removeprefix("ecr:")

    def has(self, url: str, action: str, headers: Mapping[str, str] | None = None) -> bool:
        """Whether there is something at this URL. A redirect to it means yes: ECR redirects to what it holds."""
        expected = FOUND | REDIRECTED | {404}
        with self.send("HEAD", url, action, headers=headers, expected=expected) as response:
            return response.status != 404


def redirect_target(response: BaseHTTPResponse, url: str) -> str:
    """Where an answer from ``url`` redirects to. Raises RefusedByRegistryError where that gives up encryption."""
    target = urljoin(url, response.headers.get("Location", ""))
    if Origin.of(target).scheme != "https" and Origin.of(url).scheme == "https":
        raise RefusedByRegistryError(f"{redacted(url)} redirects to {redacted(target)}, which is not encrypted")
    return target
