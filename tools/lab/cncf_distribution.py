"""CNCF distribution, Debian's docker-registry: a registry that is not ECR and that nobody here wrote."""

import json
import re
import shutil
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

BASIC = f"Basic {b64encode(b'ann:s3cret').decode()}"
"""The login, where one is wanted."""
_HTPASSWD = "ann:$2y$04$CYfjCRU.w6wrRobsUyxNyOyZEDjxXfPbwski0Uv7T2yAruvPD0vJK\n"  # htpasswd -Bbn -C 4 ann s3cret
_CONFIG = """version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}
http: {addr: "127.0.0.1:0"}
"""


@contextmanager
def cncf_distribution(folder: Path, *, more: str = "", wants_password: bool = False) -> Iterator[str]:
    """Run it on a folder; its host and port. ``more`` is added to its configuration."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is missing: apt-get install docker-registry")
    folder.mkdir(parents=True, exist_ok=True)
    config, log, passwords = folder / "config.yml", folder / "log", folder / "htpasswd"
    passwords.write_text(_HTPASSWD)
    auth = f"auth: {{htpasswd: {{realm: here, path: {passwords}}}}}\n" if wants_password else ""
    config.write_text(_CONFIG % folder + auth + more)
    with log.open("wb") as output, subprocess.Popen([program, "serve", config], stderr=output, stdout=output) as server:
        try:
            yield _address(log, server)
        finally:
            server.terminate()
            server.wait(10)


def docker_config(host: str) -> str:
    """The login to it as Docker writes it down."""
    return json.dumps({"auths": {host: {"auth": BASIC.removeprefix("Basic ")}}})


def shown_by(host: str, repository: str, reference: str) -> bytes | None:
    """A manifest as it shows it, to whoever has the login."""
    accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
    url = f"http://{host}/v2/{repository}/manifests/{reference}"
    answer = urllib3.request("GET", url, headers={"Authorization": BASIC, "Accept": accept}, retries=False)
    return answer.data if answer.status == 200 else None


def _address(log: Path, server: "subprocess.Popen[bytes]") -> str:
    """Where it says that it listens."""
    for _ in range(600):
        if found := re.search(r"listening on ([0-9.]+:[0-9]+)", log.read_text()):
            return found[1]
        assert server.poll() is None, log.read_text()
        time.sleep(0.05)
    raise TimeoutError(log.read_text())
