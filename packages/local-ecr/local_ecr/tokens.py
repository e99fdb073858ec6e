"""Everything we sign: authorization tokens, pages' next tokens, and URLs that serve one layer for a short while."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local_ecr.names import Digest, Registry
from local_ecr.principals import Principal

TOKEN_LIFETIME = timedelta(hours=12)
DOWNLOAD_LIFETIME = timedelta(hours=1)
USERNAME = "AWS"


class InvalidTokenError(Exception):
    """Not a token that we signed for this purpose."""


class ExpiredTokenError(Exception):
    """A token of ours whose time is over."""


@dataclass(frozen=True)
class Session:
    """What an authorization token stands for: a principal, in one region, until a moment."""

    principal: Principal
    region: str
    expires_at: datetime


class Signer:
    """Signs small JSON documents with one key; every purpose has signatures of its own."""

    def __init__(self, key: bytes, clock: Callable[[], datetime]) -> None:
        self._key = key
        self._clock = clock

    def mint_authorization_token(self, principal: Principal, region: str) -> tuple[str, datetime]:
        """base64 of `AWS:<password>` as GetAuthorizationToken returns it, and when it expires."""
        expires_at = self._clock() + TOKEN_LIFETIME
        password = self._seal(
            "authorization",
            {
                "account": principal.account,
                "arn": principal.arn,
                "key": principal.access_key_id,
                "path": principal.path,
                "id": principal.unique_id,
                "source": principal.source_arn,
                "began": principal.session_began,
                "region": region,
                "expires": expires_at.timestamp(),
            },
        )
        return base64.b64encode(f"{USERNAME}:{password}".encode()).decode(), expires_at

    def read_password(self, password: str) -> Session:
        """Raises InvalidTokenError for a password that we did not make, ExpiredTokenError for an old one."""
        claims = self._open("authorization", password)
        expires_at = self._expiry(claims)
        known = Principal(
            account=claims["account"],
            arn=claims["arn"],
            access_key_id=claims["key"],
            path=claims.get("path", "/"),
            unique_id=claims.get("id", ""),
            source_arn=claims.get("source", ""),
            session_began=claims.get("began", ""),
        )
        return Session(known, claims["region"], expires_at)

    def page_token(self, position: Any) -> str:
        """An opaque nextToken that remembers where a listing stopped."""
        return self._seal("page", {"after": position})

    def read_page_token(self, token: str) -> Any:
        return self._open("page", token)["after"]

    def sign_download(self, registry: Registry, digest: Digest) -> str:
        """The last part of a URL that serves one layer to whoever holds it."""
        expires = (self._clock() + DOWNLOAD_LIFETIME).timestamp()
        return self._seal(
            "download",
            {"account": registry.account, "region": registry.region, "digest": digest, "expires": expires},
        )

    def read_download(self, token: str) -> tuple[Registry, Digest]:
        claims = self._open("download", token)
        self._expiry(claims)
        return Registry(claims["account"], claims["region"]), Digest(claims["digest"])

    def _expiry(self, claims: dict[str, Any]) -> datetime:
        now = self._clock()
        expires_at = datetime.fromtimestamp(claims["expires"], now.tzinfo)
        if expires_at <= now:
            raise ExpiredTokenError(f"expired at {expires_at.isoformat()}")
        return expires_at

    def _signature(self, purpose: str, payload: str) -> str:
        return hmac.new(self._key, f"{purpose}\n{payload}".encode(), hashlib.sha256).hexdigest()

    def _seal(self, purpose: str, claims: dict[str, Any]) -> str:
        payload = base64.urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode()).decode().rstrip("=")
        return f"{payload}.{self._signature(purpose, payload)}"

    def _open(self, purpose: str, token: str) -> dict[str, Any]:
        payload, _, signature = token.partition(".")
        if not token.isascii() or not hmac.compare_digest(signature, self._signature(purpose, payload)):
            raise InvalidTokenError("the signature is not ours")
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims


def basic_password(authorization: str) -> str | None:
    """The password of an `Authorization: Basic` header whose user is AWS; None when it is anything else."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, no ASCII even, or no UTF-8 in it
        return None
    return password if username == USERNAME and password else None
