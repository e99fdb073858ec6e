"""Who may speak to a server on a developer's machine: programs, and no page that is open in a browser there.

A page reaches this machine in two ways. It sends a request to 127.0.0.1, which the browser marks with `Origin` or
`Sec-Fetch-Site` (Fetch standard, "Origin header"; W3C Fetch Metadata). Or its own host name is made to resolve to
127.0.0.1 ("DNS rebinding"), and the browser puts that name into `Host`. Each request is judged by these three headers,
whatever its path.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from local_ecr.hosts import LOCALHOST, Authority

HOSTS_FOR_CONTAINERS = frozenset({"host.docker.internal", "host.containers.internal"})
"""How Docker's and Podman's containers call this machine. `internal` is a domain that no public name server has."""

NOT_OURS = 421
"""Misdirected Request: RFC 9110, 15.5.20."""
FROM_A_PAGE = 403


@dataclass(frozen=True)
class Refused:
    """Why a request is not answered, and with which HTTP status."""

    status: int
    message: str


def refusal(headers: Mapping[str, str], serves: Callable[[str], bool]) -> Refused | None:
    """Why a request with these headers, by lower-case names, is refused; None for one that is answered.

    `serves` says of a host name, in lower case and without its port, whether it is one of the server's own.
    """
    host = headers.get("host", "")
    authority = Authority.parse(host)
    if authority is None or not (is_of_this_machine(authority.name) or serves(authority.name)):
        name = host[:255] if authority is None else authority.name
        return Refused(
            NOT_OURS,
            f"{name!r} is not a host name that this server answers to, so that no web page can rebind its own name to "
            f"it. Call it by an IP address, localhost, or a name of ECR; or start it with --public-host NAME",
        )
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    is_own_origin = origin is None or origin.lower().partition("://")[2] == str(authority)
    if not is_own_origin or site not in ("none", "same-origin"):
        sender = repr(origin[:255]) if origin else f"a page (Sec-Fetch-Site: {site[:40]})"
        return Refused(
            FROM_A_PAGE,
            f"{sender} may not call this server: it is for programs on this machine, not for web pages. Send the "
            "request without Origin and Sec-Fetch-Site, from a program such as curl or the AWS CLI",
        )
    return None


def is_of_this_machine(name: str) -> bool:
    """Whether a host name cannot be made to lead here by a name server: an IP address, or a reserved name."""
    if name in HOSTS_FOR_CONTAINERS or name == LOCALHOST or name.endswith(f".{LOCALHOST}"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class ProgramsOnly:
    """An ASGI app that hands to another one what `refusal` does not refuse."""

    def __init__(self, app: ASGIApp, serves: Callable[[str], bool]) -> None:
        self._app = app
        self._serves = serves

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = refusal(Headers(scope=scope), self._serves) if scope["type"] == "http" else None
        if refused is None:
            await self._app(scope, receive, send)
        else:
            await _response(refused)(scope, receive, send)


def _response(refused: Refused) -> Response:
    """One document for all clients: `errors` is read by those of registries, `message` by boto3, `error` by ours."""
    document = {
        "errors": [{"code": "DENIED", "message": refused.message}],
        "__type": "AccessDeniedException",
        "message": refused.message,
        "error": refused.message,
    }
    return Response(
        json.dumps(document) + "\n",
        refused.status,
        {"x-amzn-ErrorType": "AccessDeniedException", "connection": "close"},
        "application/json",
    )
