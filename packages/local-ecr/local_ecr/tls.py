"""TLS by a certificate authority of a data folder's own: made once, kept, and trusted by whom it is given to.

<folder>/ca.pem        give this one to clients
<folder>/ca-key.pem    whoever reads it can be any host to those clients

The server's own key and certificate are issued at each start and are not kept.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

SERVER_DAYS = 365
_EARLIER = timedelta(days=1)  # for a client whose clock is behind


class TlsFolderError(ValueError):
    """What is in the folder is no certificate authority; the message says what to do."""


def server_context(folder: Path, names: Iterable[str]) -> ssl.SSLContext:
    """What a server for these host names, wildcards and IP addresses speaks TLS with.

    Raises OSError, TlsFolderError, and ValueError for what is no host name.
    """
    now = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    certificate = _authority_of(folder).issue_cert(
        *names,
        organization_name="local-ecr",
        not_before=now - _EARLIER,
        not_after=now + timedelta(days=SERVER_DAYS),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate.configure_cert(context)
    return context


def _authority_of(folder: Path) -> trustme.CA:
    """The folder's own; a new one where there is none."""
    certificate, key = folder / "ca.pem", folder / "ca-key.pem"
    if not certificate.exists():
        authority = trustme.CA(organization_name="local-ecr")
        _write_secret(key, authority.private_key_pem.bytes())
        certificate.write_bytes(authority.cert_pem.bytes())
        return authority
    try:
        authority = trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
        _require_pair(certificate, key)
    except (ValueError, FileNotFoundError) as cause:
        raise TlsFolderError(f"{folder} holds no certificate authority of ours: remove it for a new one") from cause
    except ssl.SSLError as cause:
        raise TlsFolderError(f"{key} is not the key of ca.pem: remove {folder} for new ones") from cause
    return authority


def _require_pair(certificate: Path, key: Path) -> None:
    """Raises ssl.SSLError when a key is another certificate's: trustme does not look."""
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)


def _write_secret(path: Path, content: bytes) -> None:
    """Write a file that nobody else reads, also while it is being written."""
    path.unlink(missing_ok=True)  # the mode below is that of a new file
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
