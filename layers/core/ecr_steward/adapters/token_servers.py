"""Logins to registries that hand out tokens (Docker's "Token Authentication Specification"), and to those that do not.

A registry's 401 names the server that its tokens come from, and the password goes there. So that is believed only where
it is the registry itself, or the one server that is known to be the registry's own (CVE-2026-33540, CVE-2026-48978,
go-containerregistry#2302): never because the registry says so, never unencrypted from an encrypted registry, and no
redirect is followed from there.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from urllib.parse import urlencode

from ecr_steward.adapters import limits
from ecr_steward.adapters.addresses import require_reachable
from ecr_steward.adapters.transport import Origin, Transport, read_small, redacted
from ecr_steward.errors import AccessDeniedError, RefusedByRegistryError, RegistryUnavailableError

TOKEN_SERVERS: Mapping[str, str] = {
    "registry-1.docker.io": "auth.docker.io",
    "registry.gitlab.com": "gitlab.com",
}
"""Registries whose tokens come from another host, and that host."""


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


class ChallengedLogin:
    """A login to one repository of a registry that says itself how it wants to be logged in to.

    Nothing is sent before it asks. Safe to use from several threads.
    """

    def __init__(
        self,
        origin: str,
        scopes: tuple[str, ...],
        password: Callable[[], Password | None],
        transport: Transport,
        token_servers: Mapping[str, str] = TOKEN_SERVERS,
    ) -> None:
        """``scopes`` are such as ``repository:team-a/api:pull,push``; ``password`` is asked for once, when needed."""
        self._origin = Origin.of(origin)
        self._scopes = scopes
        self._find_password = password
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
            password = self._find_password() if scheme.lower() == "basic" else None
            if password is None or password.basic == refused:
                return False
            self._header = password.basic
            return True

    def _token(self, parameters: Mapping[str, str]) -> str:
        realm = parameters.get("realm", "")
        self._require_own(realm)
        scopes = dict.fromkeys((*self._scopes, *parameters.get("scope", "").split()))
        query = [("service", parameters["service"])] if "service" in parameters else []
        query += [("scope", scope) for scope in scopes]
        password = self._find_password()
        headers = {"Authorization": password.basic} if password else {}
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
        with self._transport.exchange("GET", url, operation="token", headers=headers, repeatable=True) as response:
            if response.status in (401, 403):
                who = f"as {password.username}" if password else "without a login; run docker login"
                raise AccessDeniedError(f"{redacted(realm)} gives no token {who}")
            if response.status >= 500:
                raise RegistryUnavailableError(f"{redacted(realm)} answered {response.status}")
            if response.status != 200:
                raise RefusedByRegistryError(f"{redacted(realm)} answered {response.status} instead of a token")
            content = read_small(response, limits.TOKEN_BYTES, RefusedByRegistryError, "the answer with a token")
        try:
            answer = json.loads(content)
            token = answer.get("token") or answer["access_token"]
        except (ValueError, RecursionError, KeyError, AttributeError) as cause:
            raise RefusedByRegistryError(f"{redacted(realm)} answered with something else than a token") from cause
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise RefusedByRegistryError(f"{redacted(realm)} answered with a token that is none")
        return token

    def _require_own(self, realm: str) -> None:
        theirs = Origin.of(realm)
        if theirs == self._origin:
            return
        said = f"{self._origin} wants the password for it to be sent to {redacted(realm)}, which is not"
        if theirs.scheme != "https":
            raise RefusedByRegistryError(f"{said} encrypted")
        if self._token_servers.get(self._origin.address) != theirs.address:
            own = f"{self._origin.address}={theirs.address}"
            raise RefusedByRegistryError(f"{said} known to be its own; if it is, say --token-server {own}")
        require_reachable(realm, self._origin)


def _parameters(text: str) -> Mapping[str, str]:
    from urllib.request import parse_http_list, parse_keqv_list  # noqa: PLC0415  slow to import, and seldom needed

    try:
        return {name.lower(): value for name, value in parse_keqv_list(parse_http_list(text)).items()}
    except (ValueError, IndexError) as cause:
        raise RefusedByRegistryError("the registry asks for a login in words that nobody understands") from cause
