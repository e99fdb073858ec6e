"""Logins to registries that hand out tokens (Docker's "Token Authentication Specification"), and to those that do not.

A registry's 401 names the server that its tokens come from, and the password goes there, or the identity token that is
kept in its place ("Oauth2 Token Authentication"). So that is believed only where it is the registry itself, or the one
server that is known to be the registry's own (CVE-2026-33540, CVE-2026-48978, go-containerregistry#2302): never because
the registry says so, never unencrypted from an encrypted registry, and no redirect is followed from there.
"""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from urllib.parse import urlencode

from ecr_steward.adapters import limits
from ecr_steward.adapters.addresses import require_reachable
from ecr_steward.adapters.patience import THROTTLED
from ecr_steward.adapters.transport import LOGGING_IN, Body, Origin, Transport, read_small, redacted
from ecr_steward.errors import (
    AccessDeniedError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    StewardError,
    ThrottledError,
)

TOKEN_SERVERS: Mapping[str, str] = {
    "registry-1.docker.io": "auth.docker.io",
    "registry.gitlab.com": "gitlab.com",
}
"""Registries whose tokens come from another host, and that host."""
_CLIENT_ID = "ecr-steward"
"""Who asks for a token: OAuth wants a name, and none that is registered."""
_TRIES = 4
"""Of a request that no transport repeats, since it is a POST, where a token server is busy."""


@dataclass(frozen=True)
class Password:
    """A name and password for one registry. ``repr`` shows no password."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Password({self.username!r})"

    @property
    def basic(self) -> str:
        """The value of an ``Authorization`` header."""
        return f"Basic {base64.b64encode(f'{self.username}:{self.password}'.encode()).decode()}"


@dataclass(frozen=True)
class IdentityToken:
    """What a registry gave in place of a password: good at its token server alone. ``repr`` does not show it."""

    token: str

    def __repr__(self) -> str:
        return "IdentityToken(***)"


type KeptLogin = Password | IdentityToken
"""What is kept for a registry."""


class ChallengedLogin:
    """A login to one repository of a registry that says itself how it wants to be logged in to.

    Nothing is sent before it asks. Safe to use from several threads.
    """

    def __init__(
        self,
        origin: str,
        scopes: tuple[str, ...],
        kept: Callable[[], KeptLogin | None],
        transport: Transport,
        token_servers: Mapping[str, str] = TOKEN_SERVERS,
    ) -> None:
        """``scopes`` are such as ``repository:team-a/api:pull,push``; ``kept`` is asked for when it is needed."""
        self._origin = Origin.of(origin)
        self._scopes = scopes
        self._kept = kept
        self._transport = transport
        self._token_servers = token_servers
        self._lock = Lock()
        self._header = ""

    def authorization(self) -> str:
        """The value of the ``Authorization`` header; empty where nobody has asked for one yet."""
        return self._header

    def challenged(self, challenge: str, refused: str) -> bool:
        """Answer a 401 to a request with the login ``refused``; false where there is nothing else to answer.

        Raises AccessDeniedError, RefusedByRegistryError and RegistryUnavailableError.
        """
        with self._lock:
            if self._header != refused:  # another thread has been here
                return True
            scheme, _, rest = challenge.strip().partition(" ")
            if scheme.lower() == "bearer":
                self._header = f"Bearer {self._token(_parameters(rest))}"
                return True
            password = self._kept() if scheme.lower() == "basic" else None
            if isinstance(password, IdentityToken):
                said = f"{self._origin} wants a user and a password, and an identity token is kept for it"
                raise AccessDeniedError(f"{said}; keep those instead")
            if password is None or password.basic == refused:
                return False
            self._header = password.basic
            return True

    def _token(self, parameters: Mapping[str, str]) -> str:
        realm = parameters.get("realm", "")
        self._require_own(realm)
        scopes = dict.fromkeys((*self._scopes, *parameters.get("scope", "").split()))
        service = [("service", parameters["service"])] if "service" in parameters else []
        match kept := self._kept():
            case IdentityToken(token):
                form = [("grant_type", "refresh_token"), *service, ("client_id", _CLIENT_ID)]
                form += [("scope", " ".join(scopes)), ("refresh_token", token)]
                headers = {"Content-Type": "application/x-www-form-urlencoded"}
                status, content = self._ask("POST", realm, headers, urlencode(form).encode(), tries=_TRIES)
            case _:
                query = urlencode([*service, *(("scope", scope) for scope in scopes)])
                headers = {"Authorization": kept.basic} if kept else {}
                status, content = self._ask("GET", f"{realm}{'&' if '?' in realm else '?'}{query}", headers)
        if status != 200:
            raise _no_token(redacted(realm), status, kept)
        try:
            answer = json.loads(content)
            token = answer.get("token") or answer["access_token"]
        except (ValueError, RecursionError, KeyError, AttributeError) as cause:
            raise RefusedByRegistryError(f"{redacted(realm)} answered with something else than a token") from cause
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise RefusedByRegistryError(f"{redacted(realm)} answered with a token that is none")
        return token

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: Body = None, *, tries: int = 1
    ) -> tuple[int, bytes]:
        """Status and body of an answer; the body of a refusal, which may repeat what was sent, is not read."""
        seconds, began = limits.TOKEN_SECONDS, time.monotonic()
        transport = self._transport.within(
            lambda: began + seconds - time.monotonic(),
            lambda: RegistryUnavailableError(f"{redacted(url)} gave no token within {seconds} s"),
        )
        while True:
            with transport.exchange(
                method, url, operation=LOGGING_IN, headers=headers, body=body, repeatable=True
            ) as response:
                tries -= 1
                if response.status in THROTTLED and tries:
                    continue  # the transport waits as it is told to before it asks again
                if response.status != 200:
                    return response.status, b""
                what = "the answer with a token"
                return response.status, read_small(response, limits.TOKEN_BYTES, RefusedByRegistryError, what)

    def _require_own(self, realm: str) -> None:
        theirs = Origin.of(realm)
        if theirs == self._origin:
            return
        said = f"{self._origin} wants the password for it to be sent to {redacted(realm)}, which is not"
        if theirs.scheme != "https":
            raise RefusedByRegistryError(f"{said} encrypted")
        if self._token_servers.get(self._origin.address) != theirs.address:
            own = f"{self._origin.address}={theirs.address}"
            where = "--token-server, or in the template's parameter OtherRegistries"
            raise RefusedByRegistryError(f"{said} known to be its own; if it is, say {own} to {where}")
        require_reachable(realm, self._origin)


def _no_token(realm: str, status: int, kept: KeptLogin | None) -> StewardError:
    """What an answer without a token means, in words that show nothing of what was sent."""
    if status == 429 or status >= 500:
        return (ThrottledError if status == 429 else RegistryUnavailableError)(f"{realm} answered {status}")
    match kept:
        case IdentityToken() if status in (400, 401, 403):  # OAuth says 400 of a token that has expired
            why = "gives no token for the identity token that is kept: it may have expired, so log in again"
        case IdentityToken() if status in (404, 405):
            why = "takes no identity tokens: a user and a password are needed"
        case Password(username) if status in (401, 403):
            why = f"gives no token as {username}"
        case None if status in (401, 403):
            why = "gives no token without a login: docker login, or a rule's `login`"
        case _:
            return RefusedByRegistryError(f"{realm} answered {status} instead of a token")
    return AccessDeniedError(f"{realm} {why}")


def _parameters(text: str) -> Mapping[str, str]:
    from urllib.request import parse_http_list, parse_keqv_list  # noqa: PLC0415  slow to import, and seldom needed

    try:
        return {name.lower(): value for name, value in parse_keqv_list(parse_http_list(text)).items()}
    except (ValueError, IndexError) as cause:
        raise RefusedByRegistryError("the registry asks for a login in words that nobody understands") from cause
