"""How a local ECR is started from a command line: what is written there, as options of LocalEcr and LocalEcrServer."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import json
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from local_ecr.hosts import Authority, bracketed
from local_ecr.iam import AccessDecision, tell_nobody
from local_ecr.quirks import Quirks
from local_ecr.quotas.rates import Quotas
from local_ecr.sockets import LOOPBACK, LOOPBACK_6, is_loopback
from local_ecr.state.database import UnreadableStateError
from local_ecr.state.store import FolderInUseError
from local_ecr.strict_json import read_json

LIST = "list"
"""What `--quirks` says to be told what there are."""

WRONG_USE = 2
"""The exit code for options that cannot be."""


class StartError(Exception):
    """A local ECR cannot start; the message says why, and `status` is the exit code."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class StartOptions:
    """The options that every command has, as they are written."""

    data: Path | None = None
    host: str = LOOPBACK
    public_host: str | None = None
    port: int = 0
    tls: bool = False
    quirks: str = "ecr"
    quotas: str = "none"
    identities: Path | None = None
    access: str = "on"
    decisions: bool = False
    scans_end_after: timedelta | None = None

    def of_ecr(self) -> dict[str, Any]:
        """Options of LocalEcr, but for its folder. Raises StartError."""
        return {
            "quirks": self._quirks(),
            "quotas": self._quotas(),
            "authorize": self.access == "on",
            "on_decision": _show if self.decisions else tell_nobody,
            "public_host": self._public_host(),
            "scans_end_after": self.scans_end_after,
            **self._identities(),
        }

    def of_server(self, data: Path) -> dict[str, Any]:
        """Options of LocalEcrServer, but for its registries; `data` is the folder of LocalEcr."""
        return {
            "host": self.host,
            "port": self.port,
            "registry_port": self.port + 1 if self.port else 0,
            "tls": data / "tls" if self.tls else None,
        }

    @property
    def warning(self) -> str | None:
        """What to say to whoever lets other machines in."""
        if is_loopback(self.host):
            return None
        return (
            f"warning: whoever reaches {self.host} can be any account and do anything in it: "
            "signatures of API calls are not verified"
        )

    def _quirks(self) -> Quirks:
        try:
            return Quirks.parse(self.quirks)
        except ValueError as cause:
            raise StartError(f"--quirks {self.quirks}: {cause}", WRONG_USE) from cause

    def _quotas(self) -> Quotas | None:
        try:
            return Quotas.parse(self.quotas)
        except ValueError as cause:
            raise StartError(f"--quotas {self.quotas}: {cause}", WRONG_USE) from cause

    def _public_host(self) -> str:
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError as cause:
            raise StartError(f"--host {self.host}: not an IP address, such as {LOOPBACK}", WRONG_USE) from cause
        if self.public_host is None:
            everywhere = LOOPBACK if address.version == 4 else LOOPBACK_6
            return bracketed(everywhere if address.is_unspecified else self.host)
        authority = Authority.parse(self.public_host)
        if authority is None or authority.port is not None:
            raise StartError(f"--public-host {self.public_host}: not a host name without a port", WRONG_USE)
        return str(authority)

    def _identities(self) -> dict[str, Any]:
        if self.identities is None:
            return {}
        from local_ecr.access.identities import read_identities  # noqa: PLC0415  pydantic is slow to load

        try:
            text = self.identities.read_bytes()
            json.loads(text)  # says where, if it is no JSON
            return dict(read_identities(read_json(text)).options)
        except json.JSONDecodeError as cause:
            raise StartError(f"--identities {self.identities}: no JSON: {cause}", WRONG_USE) from cause
        except OSError as cause:
            raise StartError(f"--identities {self.identities}: {cause.strerror}", WRONG_USE) from cause
        except ValueError as cause:
            raise StartError(f"--identities {self.identities}: {cause}", WRONG_USE) from cause


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """Raise StartError for whatever keeps a local ECR from starting."""
    try:
        yield
    except (FolderInUseError, UnreadableStateError, ValueError) as cause:
        raise StartError(str(cause)) from cause
    except sqlite3.Error as cause:
        raise StartError(f"the state cannot be kept: {cause}") from cause
    except FileExistsError as cause:  # making the folder fails so
        raise StartError(f"{cause.filename}: not a folder; name one with --data") from cause
    except OSError as cause:
        todo = "; name another one with --port, or none for any" if cause.errno == errno.EADDRINUSE else ""
        raise StartError(f"{sentence_of(cause)}{todo}") from cause


def sentence_of(error: OSError) -> str:
    """What the system refused, and where."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def quirks_table() -> str:
    """What `--quirks list` prints."""
    return "".join(f"{name}\n    {what}\n    {source}\n" for name, what, source in Quirks.table())


def _show(decision: AccessDecision) -> None:
    sys.stderr.write(f"{decision}\n")
