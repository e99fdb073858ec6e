"""The Docker engine that SAM starts its containers in, and the Lambda-like base image in it."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import docker

HERE = Path(__file__).parent
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
"""Of this machine, as Lambda and SAM name it: ``x86_64`` or ``arm64``."""

NEEDED = {
    "dockerd": "docker.io",
    "ip": "iproute2",
    "curl": "curl",
    "unshare": "util-linux",
    "dpkg": "dpkg",
    "/usr/bin/python3.13": "python3.13",
}
"""What a private engine and the base image are made with, and the Debian package that brings it."""


def what_is_missing() -> str | None:
    """What to install or change before this can run, in one line; ``None`` where nothing is missing."""
    missing = sorted(package for command, package in NEEDED.items() if shutil.which(command) is None)
    if missing:
        return f"sam local needs Debian 13's packages: apt-get install {' '.join(missing)}"
    if os.geteuid() != 0:
        return "sam local needs root, to start a Docker engine of its own and to lay out a root file system"
    return None


def run_inside(command: Sequence[str], *, timeout: float) -> int:
    """Run a command beside a Docker engine of its own, of which nothing is left afterwards; its exit code."""
    process = subprocess.Popen([HERE / "with_docker.sh", *command])  # noqa: S603  (our own script)
    try:
        return process.wait(timeout)
    except BaseException:
        process.terminate()  # the script takes the engine and all containers down with it
        process.wait(30)
        raise


def connect() -> docker.DockerClient:
    """A client of the engine that DOCKER_HOST names. Raises docker's own errors."""
    return docker.from_env(timeout=120)


def bridge_address(engine: docker.DockerClient) -> str:
    """This machine's address on the network of the containers: what listens there is reached by both."""
    (network,) = engine.networks.list(names=["bridge"])
    return str(network.attrs["IPAM"]["Config"][0]["Gateway"])


def lay_out_root(archive: Path) -> None:
    """Write the root file system of the base image. Needs the package registry, which is out of reach inside."""
    subprocess.run(  # noqa: S603  (our own script)
        [HERE / "lay_out_root.sh", archive], check=True, timeout=120, stdout=sys.stderr
    )


def import_base_image(engine: docker.DockerClient, archive: Path, environment: Mapping[str, str]) -> str:
    """Make the base image of a root file system and these environment variables, and return its name.

    The emulator hands an image's variables to the function: so AWS_ENDPOINT_URL gets there without a place in the
    production template. SAM can only override variables that a template declares.
    """
    repository, tag = "ecr-steward/lambda-python", f"3.13-{ARCHITECTURE}"
    with archive.open("rb") as stream:
        engine.api.import_image_from_stream(
            iter(lambda: stream.read(1 << 20), b""),
            repository=repository,
            tag=tag,
            changes=["WORKDIR /var/task", *(f"ENV {name}={value}" for name, value in environment.items())],
        )
    return f"{repository}:{tag}"
