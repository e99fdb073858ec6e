"""Basic authentication with an authorization token, and which registry a request means."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from local_ecr.data.errors import DistributionError
from local_ecr.names import InvalidNameError, Registry
from local_ecr.principals import DEFAULT_ACCOUNT, Credential, account_principal
from local_ecr.services import Services
from local_ecr.tokens import TOKEN_LIFETIME, ExpiredTokenError, InvalidTokenError, Session, basic_password

_HOST = re.compile(r"([0-9]{12})\.dkr[.-]ecr\.([a-z0-9-]+)\.[a-z0-9.-]+(?::[0-9]+)?")

_DEFAULT = Registry(DEFAULT_ACCOUNT, "us-east-1")


class UnauthorizedError(Exception):
    """No token of ours for this registry; the answer is a 401 that says how to ask."""


def registry_named(ecr: Services, request: Request) -> Registry | None:
    """The registry that the host name or the port of a request names; None on a port that serves all of them."""
    match = _HOST.fullmatch(request.headers.get("host", "").lower())
    if match:
        try:
            return Registry.parse(match[1], match[2])
        except InvalidNameError as cause:
            raise DistributionError("NAME_UNKNOWN", str(cause), 404) from cause
    server = request.scope.get("server")
    return ecr.registry_at(server[1]) if server else None


def authenticate(ecr: Services, request: Request, registry: Registry | None) -> Session:
    """Who is calling. Raises UnauthorizedError, or DENIED for a token that was good once.

    With access off a token still says who calls; without a good one it is the root of the registry's account, and on
    the port of all registries that of the default one.
    """
    if not ecr.gate.authorize:
        return _anonymous(ecr, request, registry or _DEFAULT)
    if registry is not None and not ecr.quirks.authorization_required:
        return _anonymous(ecr, request, registry)
    return _signed_in(ecr, request, registry)


def _anonymous(ecr: Services, request: Request, registry: Registry) -> Session:
    """Whoever a token says, or the account itself: such a registry asks nobody for anything."""
    try:
        return _signed_in(ecr, request, registry)
    except (UnauthorizedError, DistributionError):
        root = account_principal(Credential(registry.account))
        return Session(root, registry.region, ecr.clock() + TOKEN_LIFETIME)


def _signed_in(ecr: Services, request: Request, registry: Registry | None) -> Session:
    password = basic_password(request.headers.get("authorization", ""))
    if password is None:
        raise UnauthorizedError
    try:
        session = ecr.signer.read_password(password)
    except InvalidTokenError as cause:
        raise UnauthorizedError from cause
    except ExpiredTokenError as cause:
        raise DistributionError(
            "DENIED", "Your authorization token has expired. Reauthenticate and try again.", 403
        ) from cause
    if registry is not None and session.region != registry.region:
        raise UnauthorizedError
    return session


def unauthorized_response(ecr: Services, request: Request, registry: Registry | None) -> Response:
    realm = ecr.registry_url(registry) if registry else f"http://{ecr.public_host}:{request.scope['server'][1]}"
    challenge = f'Basic realm="{realm}/",service="ecr.amazonaws.com"'
    return PlainTextResponse("Not Authorized\n", status_code=401, headers={"Www-Authenticate": challenge})
