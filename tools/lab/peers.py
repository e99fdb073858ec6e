"""The servers that are measured side by side, each a process of its own on free ports of 127.0.0.1."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import urllib3
from botocore.config import Config

ACCOUNT = "111122223333"
REGION = "us-east-1"
SECRET = "not-verified"
START_TIMEOUT = 60.0  # seconds


@dataclass(frozen=True)
class Peer:
    """A running server. `endpoint` is the URL of ECR's JSON API, `registry` HOST:PORT of a /v2/ API; or ''."""

    process: subprocess.Popen[bytes]
    endpoint: str = ""
    registry: str = ""

    def client(self) -> Any:
        """A boto3 client for ECR at this server."""
        return client_at(self.endpoint)

    def authorization_token(self) -> str:
        """What Basic authentication takes, of a new GetAuthorizationToken."""
        token: str = self.client().get_authorization_token()["authorizationData"][0]["authorizationToken"]
        return token

    def resident_bytes(self) -> int:
        """Memory of the process that is in RAM now (VmRSS of /proc). Raises RuntimeError when it has ended."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmRSS:\s+([0-9]+) kB", status)
        if found is None:
            raise RuntimeError("the server has ended")
        return int(found[1]) * 1024


def client_at(endpoint: str) -> Any:
    """A boto3 client for ECR that never retries: an error is to be seen."""
    return boto3.client(
        "ecr",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60, proxies={}),
    )


def require(program: str, what_to_do: str) -> str:
    """The path of a program that is measured or measures, of this environment first. Without it this process ends."""
    found = shutil.which(str(Path(sys.executable).parent / program)) or shutil.which(program)
    if found is None:
        sys.exit(f"{program} is missing: {what_to_do}")
    return found


@contextmanager
def local_ecr(data: Path) -> Iterator[Peer]:
    """Ours, as `python -m local_ecr` starts it."""
    command = [sys.executable, "-m", "local_ecr", "--data", str(data), "--registry", f"{ACCOUNT}/{REGION}"]
    with running(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        endpoint, registry = (process.stdout.readline().decode().split()[-1] for _ in range(2))
        yield Peer(process, endpoint, registry.removeprefix("http://"))


@contextmanager
def distribution(folder: Path) -> Iterator[Peer]:
    """CNCF distribution on a folder. It authenticates nobody unless it is told to, which is its fastest way."""
    program = require("docker-registry", "apt-get install docker-registry")
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "distribution.yml"
    settings.write_text(
        "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'distribution'}}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: 127.0.0.1:{port}}}\n",
        encoding="utf-8",
    )
    with logging_to(folder / "distribution.log", [program, "serve", str(settings)]) as process:
        wait_for(f"http://127.0.0.1:{port}/v2/", process)
        yield Peer(process, registry=f"127.0.0.1:{port}")


@contextmanager
def moto(folder: Path) -> Iterator[Peer]:
    """moto's server, all of AWS."""
    program = require("moto_server", "make setup")
    port = free_port()
    with logging_to(folder / "moto.log", [program, "-p", str(port)]) as process:
        wait_for(f"http://127.0.0.1:{port}/moto-api/", process)
        yield Peer(process, endpoint=f"http://127.0.0.1:{port}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@contextmanager
def logging_to(log: Path, command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """As `running`, with all that the process says in a file."""
    with log.open("w") as output, running(command, stdout=output, stderr=output, **options) as process:
        yield process


@contextmanager
def running(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process for as long as the block runs."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers at all. Raises RuntimeError when it ends before, or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib3.request("GET", url, retries=False, timeout=1)
        except urllib3.exceptions.HTTPError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"no answer from {url}")


def wait_for_words(pattern: str, log: Path, process: subprocess.Popen[bytes]) -> str:
    """The group of this pattern in what a process says. Raises RuntimeError, with what it said, when it never does."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        ended = process.poll() is not None or time.monotonic() > deadline
        said = log.read_text(encoding="utf-8")
        if found := re.search(pattern, said):
            return found[1]
        if ended:
            raise RuntimeError(f"{pattern!r} is not in {log}:\n{said[-1000:]}")
        time.sleep(0.02)


def caller_at(region: str) -> Mapping[str, str]:
    """This environment for a program that calls AWS: as whom and where, but not yet which server stands for AWS."""
    return {
        **without_proxies(),
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def without_proxies() -> Mapping[str, str]:
    """This environment for a program that is not to look for a server of this machine elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
