"""Which proxy a request goes by, as the environment says it to curl, requests and clients in Go."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from urllib3.exceptions import LocationParseError
from urllib3.util import make_headers, parse_url

from ecr_steward.errors import InvalidNameError

_SCHEMES = ("http", "https")


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy. ``repr`` shows no login."""

    url: str
    """Without the login that may stand in it."""
    login: str | None = None
    """``user:password``, for the proxy alone."""

    def __repr__(self) -> str:
        return f"Proxy({self.url!r})"

    @property
    def headers(self) -> Mapping[str, str]:
        """What the proxy itself is sent, and no origin."""
        return make_headers(proxy_basic_auth=self.login) if self.login else {}


class Proxies:
    """``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` of an environment; in lower case they come first.

    This machine is never reached by a proxy (as Go's ``http.ProxyFromEnvironment`` has it). ``NO_PROXY`` lists hosts,
    each with the names below it, addresses and networks (``10.0.0.0/8``), or is ``*``.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._said = {scheme: _said(environment, f"{scheme}_proxy") for scheme in _SCHEMES}
        self._passed_by = _said(environment, "no_proxy")

    def proxy_for(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy to a server; ``None``: directly. Raises InvalidNameError for other kinds than HTTP."""
        said = self._said.get(scheme)
        if not said or _is_here(host) or self._is_passed_by(host, port):
            return None
        return _proxy(said, f"{scheme.upper()}_PROXY")

    def _is_passed_by(self, host: str, port: int) -> bool:
        if not self._passed_by:
            return False
        from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # noqa: PLC0415  slow to import

        if proxy_bypass_environment(f"{host}:{port}", {"no": self._passed_by}):
            return True
        address = _address(host)
        return address is not None and any(address in network for network in _networks(self._passed_by))


def _said(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, environment.get(name.upper(), "")).strip()


def _proxy(said: str, variable: str) -> Proxy:
    try:
        parsed = parse_url(said if "://" in said else f"http://{said}")
    except LocationParseError:
        parsed = None
    if parsed is None or parsed.scheme not in _SCHEMES or not parsed.host:
        raise InvalidNameError(f"{variable} names no HTTP proxy: it should be http://host:port or https://host:port")
    port = f":{parsed.port}" if parsed.port else ""
    return Proxy(f"{parsed.scheme}://{parsed.host}{port}", unquote(parsed.auth) if parsed.auth else None)


def _is_here(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or host.endswith(".localhost") or (address is not None and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _networks(listed: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for each in listed.split(","):
        try:
            found.append(ipaddress.ip_network(each.strip(), strict=False))
        except ValueError:
            continue  # a name
    return found
