"""docker: login, push and pull, beside an engine of its own."""

import base64
import os
import sys

import pytest

from sam_local.engine import run_inside, what_is_missing

pytestmark = pytest.mark.docker

BESIDE_ENGINE = "ECR_STEWARD_DOCKER_CLIENT_TEST"


@pytest.fixture
def registry(local_registry):
    """Beside the engine there is no network to build the sandbox's artefacts with."""
    return local_registry


def test_an_image_comes_back_when_docker_pushes_and_pulls_it(request):
    """Outside, it starts an engine and runs itself beside it, where that engine and the registry share a loopback."""
    if os.environ.get(BESIDE_ENGINE) == "yes":
        push_and_pull(request.getfixturevalue("shell"), request.getfixturevalue("registry"))
        return
    if missing := what_is_missing():
        pytest.skip(missing)
    request.getfixturevalue("need_program")("docker", install="apt-get install docker-cli")
    again = ["env", f"{BESIDE_ENGINE}=yes", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    assert run_inside(again, timeout=120) == 0


def push_and_pull(shell, registry):
    shell.environment["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
    (shell.home / "config.json").unlink()
    registry.client().create_repository(repositoryName="team/app")
    image = f"{registry.host}/team/app:1.0"
    shell.run("tar", "-cf", "root.tar", "-C", "/", "etc/hosts", "bin/sh")
    shell.run("docker", "import", "root.tar", image)

    unauthorized = shell.run("docker", "push", image, check=False)
    assert "no basic auth credentials" in unauthorized.stderr
    password = base64.b64decode(registry.token()).decode().removeprefix("AWS:")
    shell.run("docker", "login", "-u", "AWS", "--password-stdin", registry.host, stdin=password)
    pushed = shell.run("docker", "push", image).stdout
    shell.run("docker", "rmi", image)
    pulled = shell.run("docker", "pull", image).stdout

    [detail] = registry.client().describe_images(repositoryName="team/app")["imageDetails"]
    assert detail["imageDigest"] in pushed
    assert detail["imageDigest"] in pulled
