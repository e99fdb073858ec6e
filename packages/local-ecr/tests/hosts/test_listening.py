"""Where a server listens: on this machine alone, unless it is told otherwise."""

import errno
import socket
import struct
from contextlib import ExitStack
from pathlib import Path

import pytest

from local_ecr.sockets import listen, port_of
from tests.hosts.raw import exchange
from tests.hosts.raw import port_of as port_in

PING = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n"


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def addresses_listening_on(port: int) -> set[str]:
    """Every address that this machine listens on with a port, as Linux tells them."""
    found = set()
    for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path("/proc/net", name).read_text(encoding="ascii").splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, found_port = local.partition(":")
            if state == "0A" and int(found_port, 16) == port:
                words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
                found.add(socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words)))
    return found


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc")
def test_only_this_machine_is_listened_to_when_nothing_else_is_said(server):
    urls = [server.endpoint_url, *(server.registry_url("111122223333", one) for one in ("us-east-1", "eu-west-1"))]
    for url in urls:
        assert addresses_listening_on(port_in(url)) == ({"127.0.0.1", "::1"} if has_ipv6() else {"127.0.0.1"})


@pytest.mark.skipif(not has_ipv6(), reason="needs IPv6's loopback address")
def test_every_port_answers_on_both_loopback_addresses(server):
    for url in (server.endpoint_url, server.registry_url("111122223333", "us-east-1")):
        answers = [exchange(port_in(url), PING, host) for host in ("127.0.0.1", "::1")]
        assert [answer.status for answer in answers] == [401, 401]


@pytest.mark.skipif(not has_ipv6(), reason="needs IPv6's loopback address")
def test_urls_have_brackets_when_the_address_is_of_ipv6(serve):
    server = serve(public_host="[::1]", host="::1")
    assert server.endpoint_url.startswith("http://[::1]:")
    assert exchange(port_in(server.endpoint_url), PING, "::1").status == 401
    with pytest.raises(ConnectionRefusedError):
        exchange(port_in(server.endpoint_url), PING, "127.0.0.1")


@pytest.mark.skipif(not has_ipv6(), reason="needs IPv6's loopback address")
def test_a_port_is_refused_when_somebody_else_has_it_on_the_other_loopback_address():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"cannot listen on port {port} of ::1: Address already in use") as refused:
            listen("127.0.0.1", port)
    assert refused.value.errno == errno.EADDRINUSE
    with ExitStack() as stack:
        for one in listen("127.0.0.1", port):
            stack.enter_context(one)
            assert port_of(one) == port
