"""Where a registry may send us (attacks with private and link-local addresses)."""

import socket
from typing import Any

import pytest

from ecr_steward.adapters.addresses import require_reachable
from ecr_steward.adapters.transport import Origin
from ecr_steward.errors import RefusedByRegistryError

PUBLIC, PRIVATE, HERE = "https://8.8.8.8/", "https://10.0.0.7/", "http://127.0.0.1:5000/"
NAMES = {"inside.example.com": "10.0.0.1", "metadata.example.com": "169.254.169.254", "out.example.com": "8.8.4.4"}


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of example.com resolve as this test wants."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: str, *arguments: Any, **options: Any) -> Any:
        return resolve(NAMES.get(host, host), *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://169.254.170.2/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
        "https://metadata.example.com/",
    ],
)
@pytest.mark.parametrize("registry", [PUBLIC, PRIVATE, HERE])
def test_nobody_sends_us_to_where_credentials_are_given_out(url: str, registry: str) -> None:
    with pytest.raises(RefusedByRegistryError):
        require_reachable(url, Origin.of(registry))


@pytest.mark.parametrize(
    "url", ["http://10.0.0.8/", "http://127.0.0.1/", "http://[::1]/", "https://inside.example.com/"]
)
def test_a_private_address_is_for_a_private_registry_alone(url: str) -> None:
    require_reachable(url, Origin.of(PRIVATE))
    require_reachable(url, Origin.of(HERE))
    with pytest.raises(RefusedByRegistryError, match="a private address"):
        require_reachable(url, Origin.of(PUBLIC))


def test_ecr_may_have_its_blobs_in_a_private_network_and_nowhere_worse() -> None:
    require_reachable(PRIVATE, Origin.of(PUBLIC), is_ecr=True)
    with pytest.raises(RefusedByRegistryError):
        require_reachable("http://169.254.169.254/", Origin.of(PUBLIC), is_ecr=True)


@pytest.mark.parametrize("url", ["https://1.1.1.1/x", "https://out.example.com/x", "https://no.such.invalid/x", PUBLIC])
def test_the_world_is_open_to_everybody(url: str) -> None:
    for registry in (PUBLIC, PRIVATE, HERE):
        require_reachable(url, Origin.of(registry))
