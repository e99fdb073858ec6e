"""Whom a registry's password is shown to (section 2 of the advisories: "Token realm taken on trust")."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from ecr_steward.adapters import limits
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.token_servers import ChallengedLogin, IdentityToken, KeptLogin, Password
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.names import ImageTag
from ecr_steward.errors import AccessDeniedError, RefusedByRegistryError, RegistryUnavailableError, ThrottledError

SECRET = Password("ann", "s3cret")
IDENTITY = IdentityToken("eyJ.r3fresh")
PATH = "/v2/team-a/api/manifests/v1"
IMAGE = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "a/b", "digest": f"sha256:{'0' * 64}", "size": 0},
        "layers": [],
    }
).encode()


class Registry:
    """A registry that asks for a login."""

    def __init__(self, server: Any, reply: Any, transport: Transport) -> None:
        self.server, self.reply, self.transport = server, reply, transport

    def asks(self, challenge: str, *, then: int = 200) -> None:
        self.server.on("GET", PATH, self.reply(401, headers={"WWW-Authenticate": challenge}), self.reply(then, IMAGE))

    def gives(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.server.on("GET", "/token", self.reply(status, body, headers))

    def exchanges(self, *answers: Any) -> None:
        """Answers a POST to the token server, as OAuth has it."""
        self.server.on("POST", "/token", *answers)

    def read(self, kept: KeptLogin | None = SECRET, token_servers: Any = None) -> None:
        login = ChallengedLogin(
            self.server.url, ("repository:team-a/api:pull",), lambda: kept, self.transport, token_servers or {}
        )
        client = DistributionClient(
            self.server.url, login.authorization, challenged=login.challenged, transport=self.transport
        )
        client.get_manifest("team-a/api", ImageTag("v1"))

    @property
    def realm(self) -> str:
        return f'Bearer realm="{self.server.url}/token",service="reg, istry",scope="repository:team-a/api:pull"'


@pytest.fixture
def registry(server: Any, reply_with: Any, transport: Transport) -> Registry:
    return Registry(server, reply_with, transport)


def test_nothing_is_sent_when_nothing_is_asked_for(registry: Registry) -> None:
    registry.server.on("GET", PATH, registry.reply(200, IMAGE))

    registry.read()

    assert registry.server.logins == []


def test_the_password_is_sent_when_basic_is_asked_for(registry: Registry) -> None:
    registry.asks('Basic realm="here"')

    registry.read()

    assert registry.server.logins == [SECRET.basic]


def test_a_token_is_fetched_with_the_password_and_used_instead_of_it(registry: Registry) -> None:
    registry.asks(registry.realm)
    registry.gives(b'{"token": "t0ken"}')

    registry.read()

    fetched = urlsplit(next(each.path for each in registry.server.received if each.path.startswith("/token")))
    assert parse_qsl(fetched.query) == [("service", "reg, istry"), ("scope", "repository:team-a/api:pull")]
    assert registry.server.logins == [SECRET.basic, "Bearer t0ken"]


def test_a_token_is_fetched_without_a_login_when_there_is_none(registry: Registry) -> None:
    registry.asks(registry.realm)
    registry.gives(b'{"access_token": "t0ken"}')

    registry.read(None)

    assert registry.server.logins == ["Bearer t0ken"]


@pytest.mark.parametrize("challenge", ['Basic realm="x"', "Bearer realm"])
def test_401_loop_ends_when_the_registry_never_has_enough(challenge: str, registry: Registry) -> None:
    registry.asks(registry.realm if challenge.startswith("Bearer") else challenge, then=401)
    registry.gives(b'{"token": "t0ken"}')

    with pytest.raises(AccessDeniedError, match="not allowed"):
        registry.read()

    assert registry.server.methods(PATH) == ["GET", "GET"]


class TestCVE_2026_33540_and_CVE_2026_48978:
    """Attack 3 and its kin: the registry says where the password shall go."""

    def test_password_stays_when_the_realm_is_another_server(
        self, registry: Registry, new_server: Callable[[], Any]
    ) -> None:
        foreign = new_server()
        registry.asks(f'Bearer realm="{foreign.url}/token"')

        with pytest.raises(RefusedByRegistryError, match="is not encrypted"):
            registry.read()

        assert foreign.received == []

    def test_password_stays_when_the_known_server_is_not_encrypted(
        self, registry: Registry, new_server: Callable[[], Any]
    ) -> None:
        foreign = new_server()
        registry.asks(f'Bearer realm="{foreign.url}/token"')

        with pytest.raises(RefusedByRegistryError, match="is not encrypted"):
            registry.read(token_servers={"127.0.0.1": "127.0.0.1"})

        assert foreign.received == []

    def test_password_stays_and_the_way_is_told_when_the_realm_is_an_unknown_server(self, registry: Registry) -> None:
        registry.asks('Bearer realm="https://auth.example.com:5001/token"')

        with pytest.raises(RefusedByRegistryError, match=r"say 127.0.0.1:\d+=auth.example.com:5001 to --token-server,"):
            registry.read(token_servers={"127.0.0.1": "auth.example.com", "other": "auth.example.com:5001"})

        assert registry.server.logins == []

    @pytest.mark.parametrize(
        "realm", ["http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "", "http://ann:pw@127.0.0.1/token"]
    )
    def test_password_stays_when_the_realm_is_no_place_for_it(self, realm: str, registry: Registry) -> None:
        registry.asks(f'Bearer realm="{realm}"')

        with pytest.raises(RefusedByRegistryError):
            registry.read()

        assert registry.server.logins == []

    @pytest.mark.parametrize("address", ["localhost", "10.0.0.7", "169.254.169.254", "[::1]"])
    def test_password_stays_when_the_known_server_of_a_public_registry_has_a_private_address(
        self, address: str, transport: Transport
    ) -> None:
        login = ChallengedLogin("https://8.8.8.8", (), lambda: SECRET, transport, {"8.8.8.8": f"{address}:5001"})

        with pytest.raises(RefusedByRegistryError, match=r"never|a private address"):
            login.challenged(f'Bearer realm="https://{address}:5001/token"', "")

    def test_password_goes_to_a_private_realm_on_the_registrys_own_host_go_containerregistry_2302(
        self, registry: Registry
    ) -> None:
        registry.asks(registry.realm)
        registry.gives(b'{"token": "t0ken"}')

        registry.read()

        assert registry.server.logins == [SECRET.basic, "Bearer t0ken"]

    def test_password_stays_when_the_token_server_redirects(
        self, registry: Registry, new_server: Callable[[], Any]
    ) -> None:
        foreign = new_server()
        registry.asks(registry.realm)
        registry.gives(b"", 307, Location=f"{foreign.url}/token")

        with pytest.raises(RefusedByRegistryError, match="answered 307 instead of a token"):
            registry.read()

        assert foreign.received == []


@pytest.mark.parametrize(("size", "is_taken"), [(limits.TOKEN_BYTES, True), (limits.TOKEN_BYTES + 1, False)])
def test_a_token_answer_is_refused_when_it_is_over_the_limit(size: int, is_taken: bool, registry: Registry) -> None:
    answer = b'{"token": "t0ken"}'
    registry.asks(registry.realm)
    registry.gives(answer + b" " * (size - len(answer)))

    if is_taken:
        registry.read()
    else:
        with pytest.raises(RefusedByRegistryError, match="over the limit"):
            registry.read()


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b'"t"', b"{}", b'{"token": 7}', b'{"token": "a\\r\\nX: y"}', b"[" * 9999]
)
def test_an_answer_without_a_token_is_refused(answer: bytes, registry: Registry) -> None:
    registry.asks(registry.realm)
    registry.gives(answer)

    with pytest.raises(RefusedByRegistryError, match="token"):
        registry.read()


def test_a_refused_password_is_told_without_showing_it(registry: Registry) -> None:
    registry.asks(registry.realm)
    registry.gives(b"", 401)

    with pytest.raises(AccessDeniedError, match="gives no token as ann") as raised:
        registry.read()

    assert "s3cret" not in f"{raised.value!r}{SECRET!r}"


class TestIdentityTokens:
    """What stands in the place of a password: a refresh token of OAuth, good at the token server alone."""

    def test_it_is_exchanged_for_a_token_by_a_form_and_nothing_of_it_is_in_a_url_or_a_header(
        self, registry: Registry
    ) -> None:
        registry.asks(f'{registry.realm[:-1]},push"')
        registry.exchanges(registry.reply(200, b'{"access_token": "t0ken", "refresh_token": "another"}'))

        registry.read(IDENTITY)

        (asked,) = (each for each in registry.server.received if each.method == "POST")
        assert parse_qs(asked.body.decode(), strict_parsing=True) == {
            "grant_type": ["refresh_token"],
            "service": ["reg, istry"],
            "client_id": ["ecr-steward"],
            "scope": ["repository:team-a/api:pull repository:team-a/api:pull,push"],
            "refresh_token": [IDENTITY.token],
        }
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        assert registry.server.logins == ["Bearer t0ken"]
        elsewhere = [
            (each.path, each.headers, b"" if each is asked else each.body) for each in registry.server.received
        ]
        assert IDENTITY.token not in str(elsewhere)

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_it_stays_when_the_realm_is_another_server_CVE_2026_33540(
        self, scheme: str, registry: Registry, new_server: Callable[[], Any]
    ) -> None:
        foreign = new_server()
        foreign.on("POST", "/token", registry.reply(200, b'{"access_token": "t0ken"}'))
        registry.asks(f'Bearer realm="{scheme}{foreign.url.removeprefix("http")}/token",service="registry"')

        with pytest.raises(RefusedByRegistryError, match=r"encrypted|known to be its own"):
            registry.read(IDENTITY)

        assert foreign.received == []
        assert IDENTITY.token not in str(registry.server.received)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_it_stays_when_the_token_server_redirects(
        self, status: int, registry: Registry, new_server: Callable[[], Any]
    ) -> None:
        foreign = new_server()
        registry.asks(registry.realm)
        registry.exchanges(registry.reply(status, b"", {"Location": f"{foreign.url}/token"}))

        with pytest.raises(RefusedByRegistryError, match=f"answered {status} instead of a token"):
            registry.read(IDENTITY)

        assert foreign.received == []

    def test_it_stays_when_the_registry_asks_for_a_password(self, registry: Registry) -> None:
        registry.asks('Basic realm="here"')

        with pytest.raises(AccessDeniedError, match="wants a user and a password"):
            registry.read(IDENTITY)

        assert registry.server.logins == []

    @pytest.mark.parametrize(
        ("status", "error", "says"),
        [
            (400, AccessDeniedError, "may have expired, so log in again"),
            (401, AccessDeniedError, "may have expired, so log in again"),
            (404, AccessDeniedError, "takes no identity tokens"),
            (405, AccessDeniedError, "takes no identity tokens"),
            (429, ThrottledError, "answered 429"),
            (503, RegistryUnavailableError, "answered 503"),
        ],
    )
    def test_a_refusal_is_told_without_it_when_the_server_repeats_it(
        self, status: int, error: type[Exception], says: str, registry: Registry
    ) -> None:
        registry.asks(registry.realm)
        registry.exchanges(registry.reply(status, f"no such token: {IDENTITY.token}".encode()))

        with pytest.raises(error, match=says) as raised:
            registry.read(IDENTITY)

        assert IDENTITY.token not in f"{raised.value!r}{raised.value.__cause__!r}{IDENTITY!r}"

    def test_it_is_exchanged_again_when_the_server_was_busy(self, registry: Registry) -> None:
        registry.asks(registry.realm)
        registry.exchanges(*(registry.reply(each) for each in (429, 503)), registry.reply(200, b'{"token": "t0ken"}'))

        registry.read(IDENTITY)

        assert registry.server.methods("/token") == ["POST"] * 3
