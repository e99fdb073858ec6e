"""Logins where Docker, podman and skopeo keep them: a file of logins, and the programs that hold them.

Their own readers in Python (docker-py, oras-py) bring requests with them, which costs a copy a third of its start.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ecr_steward.adapters.docker_logins import LoginsError, keys_of, login_at, read_logins
from ecr_steward.adapters.token_servers import IdentityToken, KeptLogin, Password

_HELPER_SECONDS = 30
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TOKEN = "<token>"  # noqa: S105  the user name under which a helper keeps an identity token


class DockerConfigError(Exception):
    """A file of logins that cannot be read, or a program that gives no login; the message says why."""


def login_for(host: str, environment: Mapping[str, str] = os.environ) -> KeptLogin | None:
    """The login for a registry, by its host and port; ``None`` where none is kept. Raises DockerConfigError."""
    for path in _files(environment):
        if path.is_file() and (found := _from_file(path, host)):
            return found
    return None


def _files(environment: Mapping[str, str]) -> list[Path]:
    """As podman and skopeo look (containers-auth.json(5)), Docker's own file last."""
    files = []
    if named := environment.get("REGISTRY_AUTH_FILE"):
        files.append(Path(named))
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        files.append(Path(runtime) / "containers" / "auth.json")
    home = Path(environment.get("HOME") or Path.home())
    docker = Path(environment["DOCKER_CONFIG"]) if environment.get("DOCKER_CONFIG") else home / ".docker"
    return [*files, docker / "config.json"]


def _from_file(path: Path, host: str) -> KeptLogin | None:
    try:
        document = read_logins(path.read_text(encoding="utf-8"), "it")
    except (OSError, ValueError) as cause:  # LoginsError and UnicodeDecodeError among them
        raise DockerConfigError(f"{path} cannot be read: {cause}") from cause
    names = keys_of(host)
    helpers = document.get("credHelpers") or {}
    helper = next((helpers[name] for name in names if name in helpers), document.get("credsStore"))
    for name in names:
        if helper and (found := _from_program(str(helper), name)):
            return found
        try:
            if found := login_at(document, name, str(path)):
                return found
        except LoginsError as cause:
            raise DockerConfigError(f"{cause}; run docker login {name} again") from cause
    return None


def _from_program(helper: str, name: str) -> KeptLogin | None:
    """Ask a credential helper (docker-credential-helpers, README: "Development"). It answers on its standard output."""
    program = f"docker-credential-{helper}"
    if not _HELPER.fullmatch(helper):
        raise DockerConfigError(f"{helper!r} is no name of a credential helper")
    try:
        done = subprocess.run(  # noqa: S603
            [program, "get"], input=name, capture_output=True, text=True, timeout=_HELPER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as cause:
        raise DockerConfigError(f"{program} cannot be asked for the login of {name}: {cause}") from cause
    if done.returncode:
        said = (done.stdout or done.stderr).strip()
        if "credentials not found" in said.lower():
            return None
        raise DockerConfigError(f"{program} gives no login for {name}: {said[:300]}")
    try:
        answer = json.loads(done.stdout)
        username, secret = answer["Username"], answer["Secret"]
    except (ValueError, KeyError, TypeError) as cause:
        raise DockerConfigError(f"{program} answered with something else than a login for {name}") from cause
    return IdentityToken(secret) if username == _TOKEN else Password(username, secret)
