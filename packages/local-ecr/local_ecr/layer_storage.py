"""Where the redirect of a blob leads: an origin of its own, which answers as S3 does for ECR's layers.

It is another port under another name of this machine (localhost for 127.0.0.1, and the other way round) or, for a
client that comes by a proxy, the name of ECR's bucket. A name is not enough that differs in its port alone: clients in
Go send their login on to every port of a host (net/http, shouldCopyHeaderOnRedirect). Where no other name is known, as
for host.docker.internal or a --public-host, only the port differs, and Authorization is taken.

The signature is in the query: S3 takes a request by it or by `Authorization`, and refuses one that has both. A client
that sends its login on to another origin fails here as it does at AWS: github.com/open-policy-agent/opa/issues/6580.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from local_ecr.data.errors import DistributionError
from local_ecr.data.streaming import serve_blob
from local_ecr.hosts import LOCALHOST, Authority, bracketed, is_aws_name, is_ecr, is_layer_bucket, layer_bucket
from local_ecr.names import Digest, Registry
from local_ecr.services import Services
from local_ecr.sockets import LOOPBACK, LOOPBACK_6
from local_ecr.tokens import ExpiredTokenError, InvalidTokenError

ALGORITHM = "AWS4-HMAC-SHA256"
ONE_MECHANISM = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or "
    "the Authorization header should be specified"
)
_PLAIN_PORTS = {None, 80, 443}
_OTHERS = {LOOPBACK, LOOPBACK_6, LOCALHOST}


def layer_location(ecr: Services, registry: Registry, digest: Digest, host: str) -> str:
    """The signed URL of a layer for a client that came by this Host header; a relative one where no port is open."""
    payload, _, signature = ecr.signer.sign_download(registry, digest).partition(".")
    query = urlencode({"X-Amz-Algorithm": ALGORITHM, "X-Amz-Signature": signature})
    if ecr.layers_port is None:
        return f"/v2/_signed/{payload}?{query}"
    authority = Authority.parse(host)
    if authority is not None and is_aws_name(host) and authority.port in _PLAIN_PORTS:
        origin = layer_bucket(registry.region)
    else:
        name = _other_name(authority.name, ecr.public_host) if authority else ecr.public_host
        origin = f"{name}:{ecr.layers_port}"
    return f"{ecr.scheme}://{origin}/{payload}?{query}"


def _other_name(name: str, public_host: str) -> str:
    """What this machine is called, too; the same name where no other one is known."""
    if is_ecr(name):
        return public_host
    if name in {LOOPBACK, LOOPBACK_6}:
        return LOCALHOST
    if name == LOCALHOST:
        return public_host if public_host == bracketed(LOOPBACK_6) else LOOPBACK
    return bracketed(name)


def token_of(request: Request, payload: str) -> str:
    """What `Signer.read_download` takes, from both parts of a signed URL."""
    return f"{payload}.{request.query_params.get('X-Amz-Signature', '')}"


class LayerStorage:
    """An ASGI app that serves layers at their origin, and hands every other request to another app.

    `ecr_now` is the registry of this moment.
    """

    def __init__(self, app: ASGIApp, ecr_now: Callable[[], Services]) -> None:
        self._app = app
        self._ecr_now = ecr_now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._is_for_layers(request := Request(scope, receive)):
            await self._app(scope, receive, send)
            return
        response = await _answer(self._ecr_now(), request)
        await response(scope, receive, send)

    def _is_for_layers(self, request: Request) -> bool:
        port = self._ecr_now().layers_port
        authority = Authority.parse(request.headers.get("host", ""))
        server = request.scope.get("server")
        if port is None or authority is None:
            return False
        return port in (authority.port, server[1] if server else None) or is_layer_bucket(authority.name)


async def _answer(ecr: Services, request: Request) -> Response:
    if request.method not in {"GET", "HEAD"}:
        return _refused(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
    authority = Authority.parse(request.headers.get("host", ""))
    has_other_name = authority is None or authority.name in _OTHERS or is_layer_bucket(authority.name)
    if "authorization" in request.headers and has_other_name:
        return _refused(400, "InvalidArgument", ONE_MECHANISM)
    try:
        token = token_of(request, request.scope["path"].removeprefix("/"))
        registry, digest = ecr.signer.read_download(token)
        response = await serve_blob(request, ecr.store.content.blob_path(registry, digest), digest)
    except ExpiredTokenError:
        return _refused(403, "AccessDenied", "Request has expired")
    except InvalidTokenError:
        return _refused(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing "
            "method.",
        )
    except DistributionError:
        return _refused(404, "NoSuchKey", "The specified key does not exist.")
    del response.headers["Docker-Content-Digest"]  # S3 knows no digest of ECR's
    return response


def _refused(status: int, code: str, message: str) -> Response:
    body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}', status, media_type="application/xml")
