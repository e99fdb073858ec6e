"""Where a registry may send us: not into the network that we stand in, unless it stands there, too."""

import ipaddress
import socket

from ecr_steward.adapters.transport import Origin, redacted
from ecr_steward.errors import RefusedByRegistryError

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(map(ipaddress.ip_address, ("169.254.169.254", "169.254.170.2", "fd00:ec2::254", "fd00:ec2::23")))
"""Where machines, containers and functions learn their credentials; the last two are not link-local."""


def require_reachable(url: str, registry: Origin, *, is_ecr: bool = False) -> None:
    """Whether ``registry`` may send us to ``url``. Raises RefusedByRegistryError.

    An address that is link-local, or where credentials are given out, never; a private one, or this machine itself,
    only for a registry that has such an address itself, and for ECR, whose blobs are in S3: that may have an endpoint
    in a private network where ECR has none. Names count as what they resolve to.
    """
    target = Origin.of(url)
    if target.host == registry.host:
        return
    for address in _addresses(target.host):
        if address.is_link_local or address in _METADATA or address.is_multicast or address.is_unspecified:
            raise RefusedByRegistryError(f"{registry} sends us to {redacted(url)}, which is {address}: never")
        if not is_ecr and not address.is_global and all(own.is_global for own in _addresses(registry.host)):
            raise RefusedByRegistryError(
                f"{registry} sends us to {redacted(url)}, which is {address}: a private address"
            )


def _addresses(host: str) -> tuple[Address, ...]:
    """What a host resolves to; none where nobody knows it, so that connecting to it says so."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(_plain(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in found)


def _plain(address: Address) -> Address:
    """An IPv4 address that is written as IPv6 is what it is."""
    return getattr(address, "ipv4_mapped", None) or address
