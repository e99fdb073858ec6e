"""The place of an attack: two registries, one of which is hostile, a second origin, and somebody with a password."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from lab.hostile.attack import Attack, Side
from lab.hostile.registry import PASSWORD, USER, Registry
from lab.hostile.serving import Server
from lab.hostile.witness import Witness
from lab.peers import without_proxies

HERE = "127.0.0.1"


@dataclass(frozen=True)
class Stage:
    """An attack that waits for a client."""

    attack: Attack
    source: str
    destination: str
    """HOST:PORT of the registries."""
    stored: Registry
    """What the destination has."""
    witness: Witness
    environment: Mapping[str, str]
    """For the client: it has a password for the hostile registry, and trusts its certificate."""


@contextmanager
def stage(kind: type[Attack], folder: Path) -> Iterator[Stage]:
    """Set an attack up; ``folder`` is the client's home."""
    with ExitStack() as stack:
        witness = stack.enter_context(Witness())
        attack = kind(witness)
        honest = Registry()
        certificate = _certificate(folder) if attack.is_encrypted else None
        bad = stack.enter_context(Server(HERE, attack.registry.answer, certificate))
        good = stack.enter_context(Server(HERE, honest.answer))
        attack.url = bad.url
        attack.fill(honest if attack.side is Side.DESTINATION else attack.registry)
        yield Stage(
            attack,
            good.address if attack.side is Side.DESTINATION else bad.address,
            good.address if attack.side is Side.SOURCE else bad.address,
            honest if attack.side is Side.SOURCE else attack.registry,
            witness,
            {**_environment(folder, bad.address), **attack.environment()},
        )


def _environment(folder: Path, address: str) -> Mapping[str, str]:
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    logins = folder / "config.json"
    logins.write_text(json.dumps({"auths": {address: {"auth": login}}}), encoding="utf-8")
    places = {"HOME": folder, "DOCKER_CONFIG": folder, "REGISTRY_AUTH_FILE": logins, "XDG_RUNTIME_DIR": folder}
    trusted = {"SSL_CERT_FILE": folder / "ca.pem"} if (folder / "ca.pem").exists() else {}
    return {**without_proxies(), **{name: str(path) for name, path in (places | trusted).items()}}


def _certificate(folder: Path) -> Path:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = folder / "server.pem"
    authority.issue_cert(HERE).private_key_and_cert_chain_pem.write_to_path(certificate)
    return certificate
