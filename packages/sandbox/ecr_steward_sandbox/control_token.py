"""The token of one start of a sandbox: what changes something below /_sandbox has to bring it.

It stands in a file that only the user who started the sandbox can read, as the line of an HTTP header, so that curl
takes it with `-H @FILE`. `GET /_sandbox/` says where the file is; its path is no secret.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

HEADER = "X-Sandbox-Token"
FILE = "control-token"

_LINE = re.compile(rf"{HEADER}: ([\w-]{{43}})\n", re.ASCII)


@dataclass(frozen=True)
class ControlToken:
    """A token and the file that holds it."""

    file: Path
    value: str = field(repr=False)

    @classmethod
    def write(cls, folder: Path) -> Self:
        """Make a new one and write it into a folder, in place of the one of an earlier start. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        token = cls((folder / FILE).resolve(), secrets.token_urlsafe(32))
        token.file.unlink(missing_ok=True)  # the mode below is that of a new file
        with os.fdopen(os.open(token.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{HEADER}: {token.value}\n")
        return token

    @classmethod
    def read(cls, file: Path) -> Self:
        """Raises OSError, and ValueError for a file that holds anything else: nothing else is ever sent."""
        with file.open(encoding="utf-8") as opened:
            match = _LINE.fullmatch(opened.read(256))
        if match is None:
            raise ValueError(f"{file} holds no token of a sandbox")
        return cls(file, match[1])

    @property
    def headers(self) -> dict[str, str]:
        """What a request that changes something sends."""
        return {HEADER: self.value}

    def is_in(self, given: str | None) -> bool:
        """Whether a request's header has this token."""
        return hmac.compare_digest((given or "").encode(), self.value.encode())
