"""docker by the name that ECR has at AWS, with TLS: an engine that trusts our authority and has our proxy."""

import pytest

from lab.client_matrix.engine import PrivateEngine
from lab.client_matrix.registry import ACCOUNT, REGIONS, Shell, client_at
from local_ecr import LocalEcr, LocalEcrServer
from sam_local.engine import what_is_missing

pytestmark = [pytest.mark.client, pytest.mark.docker, pytest.mark.xdist_group("containers")]

AWS_HOST = f"{ACCOUNT}.dkr.ecr.{REGIONS[0]}.amazonaws.com"
IMAGE = f"{AWS_HOST}/team/app:1.0"
PORT = 4566  # of the API; the registry's is the next, then comes the proxy's, which the engine must know when it starts


def serve(folder):
    registries, ports = [(ACCOUNT, REGIONS[0])], {"port": PORT, "registry_port": PORT + 1}
    return LocalEcrServer(LocalEcr(folder), registries, tls=folder / "tls", **ports)


@pytest.fixture(scope="module")
def engine_and_server(need_program, tmp_path_factory):
    """Beside an engine that knows its proxy and its authority."""
    if missing := what_is_missing():
        pytest.skip(missing)
    need_program("docker", install="apt-get install docker-cli")
    need_program("dockerd", install="apt-get install docker.io")
    folder = tmp_path_factory.mktemp("ecr")
    with serve(folder) as server:
        proxy, authority = server.proxy_url, server.ca_file
    environment = {"HTTPS_PROXY": proxy, "NO_PROXY": "127.0.0.1", "SSL_CERT_FILE": str(authority)}
    with PrivateEngine(environment) as engine, engine.beside(), serve(folder) as server:
        assert (server.proxy_url, server.ca_file) == (proxy, authority)
        yield engine, server


def test_an_image_comes_back_when_docker_has_nothing_but_a_proxy_and_the_authority(engine_and_server, tmp_path):
    engine, server = engine_and_server
    client = client_at(server.endpoint_url, ca_file=server.ca_file)
    client.create_repository(repositoryName="team/app")
    shell = Shell(tmp_path)
    shell.log_in({AWS_HOST: client.get_authorization_token()["authorizationData"][0]["authorizationToken"]})
    shell.environment = {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": engine.docker_host, "DOCKER_BUILDKIT": "0"}
    (tmp_path / "word").write_text("hello", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY word /\n", encoding="utf-8")
    shell.run("docker", "build", "--tag", IMAGE, ".")

    pushed = shell.run("docker", "push", IMAGE).stdout
    shell.run("docker", "rmi", IMAGE)
    pulled = shell.run("docker", "pull", IMAGE).stdout

    [found] = client.describe_images(repositoryName="team/app", imageIds=[{"imageTag": "1.0"}])["imageDetails"]
    assert f"digest: {found['imageDigest']} " in pushed
    assert f"Digest: {found['imageDigest']}\n" in pulled
    assert "Forbidden" in shell.refuse("docker", "pull", "example.com/team/app:1.0")
