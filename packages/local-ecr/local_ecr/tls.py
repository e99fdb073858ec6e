"""TLS by a certificate authority of a data folder's own: made once, kept, and trusted by whom it is given to.

<folder>/ca.pem        give this one to clients
<folder>/ca-key.pem    whoever reads it can be any host to those clients
<folder>/server.pem    made at each start: key and certificate for the names that are served
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS = 3650
SERVER_DAYS = 365
_EARLIER = timedelta(days=1)  # for a client whose clock is behind


class TlsFolderError(ValueError):
    """What is in the folder is no certificate authority; the message says what to do."""


@dataclass(frozen=True)
class CertificateAuthority:
    """A certificate authority: who signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, now: datetime) -> Self:
        key = _new_key()
        name = _name("local_ecr's certificate authority")
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        certificate = (
            _builder(name, key, now, CA_DAYS)
            .issuer_name(name)
            .add_extension(constraints, critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises FileNotFoundError, TlsFolderError."""
        try:
            certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
            key = load_pem_private_key((folder / "ca-key.pem").read_bytes(), password=None)
        except ValueError as cause:
            raise TlsFolderError(f"{folder} holds no certificate authority of ours: remove it for a new one") from cause
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise TlsFolderError(f"{folder}/ca-key.pem is not the key of ca.pem: remove {folder} for new ones")
        return cls(certificate, key)

    def save(self, folder: Path) -> None:
        _write_secret(folder / "ca-key.pem", _pem(self.key))
        (folder / "ca.pem").write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def outlives(self, moment: datetime) -> bool:
        return self.certificate.not_valid_after_utc > moment

    def issue(self, names: Iterable[str], now: datetime) -> bytes:
        """A new key and a certificate for host names, wildcards and IP addresses: PEM, as OpenSSL reads it."""
        key = _new_key()
        subject_key = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        certificate = (
            _builder(_name("local_ecr"), key, now, SERVER_DAYS)
            .issuer_name(self.certificate.subject)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_key), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return _pem(key) + certificate.public_bytes(Encoding.PEM)


def server_context(folder: Path, names: Iterable[str]) -> ssl.SSLContext:
    """What a server for these names speaks TLS with. Raises OSError, TlsFolderError."""
    now = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    authority = _kept_authority(folder, now)
    _write_secret(folder / "server.pem", authority.issue(names, now))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "server.pem")
    return context


def _kept_authority(folder: Path, now: datetime) -> CertificateAuthority:
    """The folder's own; a new one where there is none, or where that would end before a certificate of it."""
    try:
        authority = CertificateAuthority.load(folder)
    except FileNotFoundError:
        authority = None
    if authority is None or not authority.outlives(now + timedelta(days=SERVER_DAYS)):
        authority = CertificateAuthority.make(now)
        authority.save(folder)
    return authority


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(name: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_secret(path: Path, content: bytes) -> None:
    """Write a file that nobody else reads, also while it is being written."""
    path.unlink(missing_ok=True)  # the mode below is that of a new file
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
