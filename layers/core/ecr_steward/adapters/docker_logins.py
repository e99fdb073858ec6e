"""Logins as Docker writes them down: ``{"auths": {"<host>": {"auth": "<base64 of user:password>"}}}``.

So they stand in its ``config.json``, and so Kubernetes and External Secrets keep them.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from ecr_steward.adapters.token_servers import IdentityToken, KeptLogin, Password
from ecr_steward.domain.names import DOCKER_HUB

_DOCKER_HUB_KEY = "https://index.docker.io/v1/"


class LoginsError(ValueError):
    """Logins that cannot be read; the message says where, and never what stands there."""


def read_logins(text: str, where: str) -> Mapping[str, Any]:
    """The document of a file or secret. Raises LoginsError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise LoginsError(f"{where} is no JSON") from cause
    if not isinstance(document, dict):
        raise LoginsError(f"{where} is no JSON object")
    return document


def keys_of(host: str) -> tuple[str, ...]:
    """Under which names the login to a registry may stand, the most usual one first."""
    return (_DOCKER_HUB_KEY, "docker.io") if host == DOCKER_HUB else (host, f"https://{host}")


def login_at(document: Mapping[str, Any], key: str, where: str) -> KeptLogin | None:
    """The login that stands under a name; ``None`` where there is none. Raises LoginsError."""
    auths = document.get("auths")
    entry = auths.get(key) if isinstance(auths, dict) else None
    if not isinstance(entry, dict):
        return None
    if isinstance(token := entry.get("identitytoken"), str) and token:
        return IdentityToken(token)  # what stands in ``auth`` beside it is a user without a password
    if not entry.get("auth"):
        return None
    try:
        username, separator, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
    except (ValueError, TypeError):
        separator = ""
    if not separator:
        raise LoginsError(f"{where}: the login for {key} is no user and password")
    return Password(username, password.rstrip("\0"))
