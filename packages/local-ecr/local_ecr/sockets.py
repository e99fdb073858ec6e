"""Sockets that listen: on an address that is told, and on this machine's loopback addresses by default."""

from __future__ import annotations

import errno
import ipaddress
import itertools
import socket

LOOPBACK = "127.0.0.1"
LOOPBACK_6 = "::1"
LAST_PORT = (1 << 16) - 1
HALF_OPEN = 512
"""Connections that wait to be accepted, of each socket."""

_TRIES = 20  # to find a port that is free on both loopback addresses
_NO_IPV6 = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches what listens on an IP address. Raises ValueError for what is no address."""
    return ipaddress.ip_address(address).is_loopback


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets on one port of an IP address; for 127.0.0.1 on ::1 as well, where this machine has it.

    A port of 0 takes a free one. Raises OSError.
    """
    if host != LOOPBACK:
        return [_listen(host, port)]
    for attempt in itertools.count(1):
        first = _listen(LOOPBACK, port)
        try:
            return [first, _listen(LOOPBACK_6, port_of(first))]
        except OSError as error:
            if error.errno in _NO_IPV6:
                return [first]
            first.close()
            if port or error.errno != errno.EADDRINUSE or attempt == _TRIES:
                raise
    raise AssertionError("itertools.count ended")


def port_of(listening: socket.socket) -> int:
    port: int = listening.getsockname()[1]
    return port


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only on sockets that name their protocol; with it each answer takes 44 ms
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(HALF_OPEN)
    except OverflowError as error:
        listening.close()
        raise OSError(errno.EINVAL, f"cannot listen on port {port}: the last one is {LAST_PORT}") from error
    except OSError as error:
        listening.close()
        where = f"port {port} of {host}" if port else host
        raise OSError(error.errno, f"cannot listen on {where}: {error.strerror}") from error
    return listening
