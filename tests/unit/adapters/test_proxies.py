"""HTTPS_PROXY, HTTP_PROXY and NO_PROXY, and what a proxy gets to read."""

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.patience import PATIENT
from ecr_steward.adapters.proxies import Proxies, Proxy
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.names import ImageTag
from ecr_steward.errors import AccessDeniedError, InvalidNameError, RefusedByRegistryError, RegistryUnavailableError
from lab.connect_proxy import ConnectProxy

REGISTRY = "registry.example"
LOGIN = "Basic c2VjcmV0"
TAGS = "/v2/team-a/api/tags/list"
IMPATIENT = PATIENT.new(total=0)


@pytest.fixture
def registry(new_server: Any, reply_with: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A registry that speaks TLS as ``registry.example``, and holds a tag."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(REGISTRY).configure_cert(context)
    server = new_server(context)
    server.on("GET", TAGS, reply_with(200, b'{"tags": ["1.0.0"]}'))
    return server


@pytest.fixture
def proxy(registry: Any) -> Iterator[ConnectProxy]:
    with ConnectProxy({f"{REGISTRY}:443": registry.port}) as proxy:
        yield proxy


def tags(environment: Mapping[str, str], origin: str = f"https://{REGISTRY}", login: str = LOGIN) -> list[ImageTag]:
    transport = Transport(retries=IMPATIENT, proxies=Proxies(environment))
    try:
        return list(DistributionClient(origin, lambda: login, transport=transport).image_tags("team-a/api"))
    finally:
        transport.close()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""], ids=["a URL", "host and port alone"])
def test_a_registry_is_reached_by_the_proxy_and_its_login_stays_in_the_tunnel(
    registry: Any, proxy: ConnectProxy, name: str, scheme: str
) -> None:
    found = tags({name: f"{scheme}{proxy.host}"})

    assert found == ["1.0.0"]
    assert registry.logins == [LOGIN]
    assert [asked.line for asked in proxy.asked] == [f"CONNECT {REGISTRY}:443 HTTP/1.1"]
    assert "authorization" not in proxy.asked[0].headers
    assert LOGIN.encode() not in proxy.carried
    assert proxy.carried


def test_a_proxys_own_login_goes_to_the_proxy_alone(registry: Any, proxy: ConnectProxy) -> None:
    proxy.login = "Basic YW5uOnA6QHNz"  # ann:p:@ss

    found = tags({"HTTPS_PROXY": f"http://ann:p%3A%40ss@{proxy.host}"})

    assert found == ["1.0.0"]
    assert all("proxy-authorization" not in received.headers for received in registry.received)


def test_it_is_told_that_the_proxy_refused_and_no_login_is_shown_when_it_wants_another(proxy: ConnectProxy) -> None:
    proxy.login = "Basic b3RoZXI="
    transport = Transport(proxies=Proxies({"HTTPS_PROXY": f"http://ann:pa55@{proxy.host}"}))
    client = DistributionClient(f"https://{REGISTRY}", lambda: LOGIN, transport=transport)

    with pytest.raises(RegistryUnavailableError, match=rf"by the proxy http://{proxy.host}: .*407 Proxy") as refused:
        list(client.image_tags("team-a/api"))

    assert "pa55" not in str(refused.value)
    assert len(proxy.asked) == 1
    assert "pa55" not in repr(Proxies({"HTTPS_PROXY": "http://ann:pa55@proxy"}).proxy_for("https", "host", 443))


def test_a_login_is_not_sent_when_a_proxy_would_read_it(proxy: ConnectProxy) -> None:
    with pytest.raises(RefusedByRegistryError, match=rf"the proxy http://{proxy.host} would read the login"):
        tags({"HTTP_PROXY": f"http://{proxy.host}"}, f"http://{REGISTRY}")

    assert proxy.asked == []


def test_a_request_without_a_login_goes_by_the_proxy_when_nothing_is_encrypted(proxy: ConnectProxy) -> None:
    with pytest.raises(AccessDeniedError):  # this proxy takes CONNECT alone
        tags({"http_proxy": f"http://{proxy.host}"}, f"http://{REGISTRY}", login="")

    assert [asked.line for asked in proxy.asked] == [f"GET http://{REGISTRY}:80{TAGS} HTTP/1.1"]


def test_this_machine_is_never_reached_by_a_proxy(server: Any, reply_with: Any, proxy: ConnectProxy) -> None:
    server.on("GET", TAGS, reply_with(200, b'{"tags": ["2.0.0"]}'))

    assert tags({"HTTP_PROXY": f"http://{proxy.host}"}, server.url) == ["2.0.0"]
    assert proxy.asked == []


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"HTTP_PROXY": "http://other:1"},
        {"HTTPS_PROXY": "http://proxy:1", "https_proxy": ""},
        *(
            {"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": said}
            for said in ("*", "10.0.0.0/8", "a, 10.1.2.3", "10.1.2.3:443")
        ),
        {"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "10.0.0.0/8", "no_proxy": "10.1.2.3"},
    ],
    ids=str,
)
def test_a_server_is_reached_without_a_proxy_when_the_environment_says_so(environment: Mapping[str, str]) -> None:
    assert Proxies(environment).proxy_for("https", "10.1.2.3", 443) is None


@pytest.mark.parametrize(
    ("listed", "host", "is_passed_by"),
    [
        ("example.com", "api.example.com", True),
        (".example.com", "example.com", True),
        ("example.com", "badexample.com", False),
        ("10.0.0.0/8", "10.example.com", False),
        ("fd00::/8", "[fd00::1]", True),
        ("example.com:8443", "example.com", False),
    ],
)
def test_no_proxy_names_hosts_with_all_below_them_and_networks(listed: str, host: str, is_passed_by: bool) -> None:
    found = Proxies({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": listed}).proxy_for("https", host, 443)

    assert found == (None if is_passed_by else Proxy("http://proxy:1"))


@pytest.mark.parametrize("said", ["socks5://ann:pa55@proxy:1080", "http://", "http://[", "ftp://proxy"])
def test_what_is_no_http_proxy_is_refused_without_showing_its_login(said: str) -> None:
    with pytest.raises(InvalidNameError, match="HTTPS_PROXY names no HTTP proxy") as refused:
        Proxies({"HTTPS_PROXY": said}).proxy_for("https", "host", 443)

    assert "pa55" not in str(refused.value)
