"""What a registry's ``/v2/`` face means when it says no, in the steward's words."""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any

from urllib3.response import BaseHTTPResponse

from ecr_steward.adapters import limits
from ecr_steward.adapters.transport import chunks_of
from ecr_steward.errors import (
    AccessDeniedError,
    ImageNotFoundError,
    ImageTagIsImmutableError,
    InvalidManifestError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    RepositoryNotFoundError,
    StewardError,
    ThrottledError,
)

_QUOTED_CHARACTERS = 500
_WAIT_CHARACTERS = 30


@dataclass(frozen=True)
class Refusal:
    """An answer that refuses a request: the status, and the first entry of its ``errors``."""

    status: int
    code: str = ""
    message: str = ""
    method: str = ""
    wait: str = ""
    """What ``Retry-After`` says."""

    @property
    def may_be_an_expired_login(self) -> bool:
        """ECR says 403 "Your authorization token has expired", and nothing at all in answer to HEAD."""
        return self.status == 401 or (
            self.status == 403 and (self.method == "HEAD" or "expired" in self.message.lower())
        )

    @property
    def is_about_the_repository(self) -> bool:
        """Its code is not documented, its words are known from many reports."""
        return self.code == "NAME_UNKNOWN" or self.message.startswith("The repository with name")

    def error(self, action: str | None, resource: str) -> StewardError:
        """The error to raise. ``action`` is the IAM action that ECR asks for; ``None``: this is another registry."""
        what = action or self.method
        said = f"{what} on {resource}: {self.status} {self.code} {self.message}".rstrip()
        said += f" (Retry-After: {self.wait})" if self.wait else ""
        if self.status in (401, 403):
            login = "Give it a login: docker login, or a rule's `login`"
            remedy = f"Allow {action} on {resource} to the caller's role" if action else login
            return AccessDeniedError(f"not allowed: {said}. {remedy}")
        return self._kind()(said)

    def _kind(self) -> type[StewardError]:
        if self.status == 429 or self.code == "TOOMANYREQUESTS":
            return ThrottledError
        if self.status >= 500:
            return RegistryUnavailableError
        if self.status == 404:
            return RepositoryNotFoundError if self.is_about_the_repository else ImageNotFoundError
        if self.code == "TAG_INVALID" and "immutable" in self.message:
            return ImageTagIsImmutableError
        is_manifest = self.code == "MANIFEST_INVALID" or self.status == 413
        return InvalidManifestError if is_manifest else RefusedByRegistryError


def read_refusal(method: str, response: BaseHTTPResponse, secret: str) -> Refusal:
    """Read an answer that refuses. ``secret`` is blotted out, should the registry repeat it."""
    content = bytearray()
    deadline = time.monotonic() + limits.SMALL_ANSWER_SECONDS
    wait = _text(response.headers.get("Retry-After"), secret)[:_WAIT_CHARACTERS]
    for chunk in chunks_of(response):
        content += chunk
        if len(content) > limits.ERROR_BYTES or time.monotonic() > deadline:
            return Refusal(response.status, message="with a very long explanation", method=method, wait=wait)
    entry = _first_error(bytes(content))
    code, message = (_text(entry.get(key), secret) for key in ("code", "message"))
    return Refusal(response.status, code, message, method, wait)


def _first_error(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return {"message": content.decode(errors="replace")}
    errors = document.get("errors") if isinstance(document, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else {}
    return first if isinstance(first, dict) else {}


def _password_in(secret: str) -> list[str]:
    """The password of HTTP Basic, which a registry could repeat as it reads it."""
    try:
        password = base64.b64decode(secret.rpartition(" ")[2]).decode().partition(":")[2]
    except ValueError:
        return []
    return [password] if password else []


def _text(value: object, secret: str) -> str:
    text = value if isinstance(value, str) else ""
    for part in (*secret.split(), *_password_in(secret)):
        text = text.replace(part, "***")
    return "".join(character if character.isprintable() else " " for character in text[:_QUOTED_CHARACTERS])
