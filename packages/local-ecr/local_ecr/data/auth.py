"""Basic authentication with an authorization token, and which registry a request means."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from local_ecr.data.errors import DistributionError
from local_ecr.hosts import Authority, is_ecr, registry_of
from local_ecr.names import DEFAULT_REGISTRY, Registry
from local_ecr.principals import Credential, account_principal
from local_ecr.services import Services
from local_ecr.tokens import TOKEN_LIFETIME, ExpiredTokenError, InvalidTokenError, Session, basic_password


class UnauthorizedError(Exception):
    """No token of ours for this registry; the answer is a 401 that says how to ask."""


def registry_named(ecr: Services, request: Request) -> Registry | None:
    """The registry that the host name or the port of a request names; None on a port that serves all of them."""
    authority = Authority.parse(request.headers.get("host", ""))
    named = registry_of(authority.name) if authority else None
    if named is not None:
        return named
    server = request.scope.get("server")
    return ecr.registry_at(server[1]) if server else None


def authenticate(ecr: Services, request: Request, registry: Registry | None) -> Session:
    """Who is calling. Raises UnauthorizedError, or DENIED for a token that was good once.

    With access off a token still says who calls; without a good one it is the root of the registry's account, and on
    the port of all registries that of the default one.
    """
    if not ecr.gate.authorize:
        return _anonymous(ecr, request, registry or DEFAULT_REGISTRY)
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
    challenge = f'Basic realm="{_realm(ecr, request, registry)}/",service="ecr.amazonaws.com"'
    return PlainTextResponse("Not Authorized\n", status_code=401, headers={"Www-Authenticate": challenge})


def _realm(ecr: Services, request: Request, registry: Registry | None) -> str:
    """Where the client came to, if that is a name of ECR; or where it would find us. Never what a stranger wrote."""
    authority = Authority.parse(request.headers.get("host", ""))
    if authority is not None and is_ecr(authority.name):
        return f"{request.scope['scheme']}://{authority}"
    if registry is not None:
        return ecr.registry_url(registry)
    return f"{ecr.scheme}://{ecr.public_host}:{request.scope['server'][1]}"
