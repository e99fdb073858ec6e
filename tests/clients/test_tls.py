"""TLS with the generated authority: real clients by port, and by the name that ECR has at AWS, through our proxy."""

import json
import sys
from pathlib import Path

import pytest

from lab.client_matrix.layout import Layout
from lab.client_matrix.registry import ACCOUNT, REGIONS, Shell, client_at
from local_ecr import LocalEcr, LocalEcrServer

pytestmark = pytest.mark.client

AWS_CLI = Path(__file__).parents[2] / ".tools" / "awscli" / "bin" / "aws"
STEWARD = Path(sys.executable).with_name("ecr-steward")
AWS_HOST = f"{ACCOUNT}.dkr.ecr.{REGIONS[0]}.amazonaws.com"


@pytest.fixture
def server(tmp_path):
    with LocalEcrServer(LocalEcr(tmp_path / "ecr"), tls=tmp_path / "ecr" / "tls") as server:
        yield server


@pytest.fixture
def client(server):
    return client_at(server.endpoint_url, ca_file=server.ca_file)


@pytest.fixture
def certificates(server, tmp_path) -> Path:
    """A folder as skopeo, podman and docker have one for each host."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "ca.crt").write_bytes(server.ca_file.read_bytes())
    return folder


@pytest.fixture(params=["by port", "by its name at AWS"])
def image(request, server) -> str:
    host = server.registry_url(ACCOUNT, REGIONS[0]).removeprefix("https://")
    return f"{host if request.param == 'by port' else AWS_HOST}/team/app:1.0"


@pytest.fixture
def shell(tmp_path, server, client, image):
    """Logged in; everything but 127.0.0.1 goes by our proxy."""
    client.create_repository(repositoryName="team/app")
    [login] = client.get_authorization_token()["authorizationData"]
    shell = Shell(tmp_path / "home")
    shell.home.mkdir()
    shell.log_in({image.partition("/")[0]: login["authorizationToken"]})
    shell.environment |= {
        "REGISTRY_AUTH_FILE": str(shell.login_file),
        "DOCKER_CONFIG": str(shell.home),
        "HTTP_PROXY": server.proxy_url,
        "HTTPS_PROXY": server.proxy_url,
        "NO_PROXY": "127.0.0.1",
    }
    return shell


def test_an_index_comes_back_to_skopeo(need_program, shell, certificates, image, layout):
    skopeo = need_program("skopeo", install="apt-get install skopeo")
    there, back = f"docker://{image}", shell.home / "back"
    shell.run(skopeo, "copy", "--all", "--dest-cert-dir", certificates, f"oci:{layout.folder}:1.0", there)
    shell.run(skopeo, "copy", "--all", "--src-cert-dir", certificates, there, f"oci:{back}:1.0")
    assert Layout(back).blobs() == layout.blobs()


def test_an_index_comes_back_to_oras(need_program, shell, server, image, layout):
    oras = need_program("oras", install="apt-get install oras")
    shell.run(oras, "cp", "--from-oci-layout", f"{layout.folder}:1.0", "--to-ca-file", server.ca_file, image)
    shell.run(oras, "cp", "--from-ca-file", server.ca_file, image, "--to-oci-layout", f"{shell.home}/back:1.0")
    assert Layout(shell.home / "back").blobs() == layout.blobs()


def test_an_index_comes_back_to_ecr_steward(shell, server, image, layout):
    shell.environment |= {"SSL_CERT_FILE": str(server.ca_file)}
    back = shell.home / "back"
    shell.run(STEWARD, "copy", f"oci:{layout.folder}:1.0", image)
    shell.run(STEWARD, "copy", image, f"oci:{back}:1.0")
    assert Layout(back).blobs() == layout.blobs()


def test_a_client_refuses_to_talk_when_it_does_not_trust_the_authority(need_program, shell, image, layout):
    skopeo = need_program("skopeo", install="apt-get install skopeo")
    said = shell.refuse(skopeo, "copy", f"oci:{layout.folder}:1.0", f"docker://{image}")
    assert "certificate signed by unknown authority" in said


def test_the_aws_cli_needs_nothing_but_a_proxy_and_the_authority(need_program, shell, server, image):
    aws = need_program("aws", at=AWS_CLI, install="make setup")
    shell.environment |= {
        "AWS_CA_BUNDLE": str(server.ca_file),
        "AWS_DEFAULT_REGION": REGIONS[0],
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "not-verified",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    told = shell.run(aws, "ecr", "describe-repositories", "--output", "json").stdout
    assert [one["repositoryName"] for one in json.loads(told)["repositories"]] == ["team/app"]


def test_the_credential_helper_logs_in_by_the_name_at_aws(need_program, tmp_path, server, client, layout):
    helper = need_program("docker-credential-ecr-login", install="apt-get install amazon-ecr-credential-helper")
    skopeo = need_program("skopeo", install="apt-get install skopeo")
    client.create_repository(repositoryName="team/app")
    shell = Shell(tmp_path / "home")
    shell.home.mkdir()
    shell.login_file.write_text(json.dumps({"credHelpers": {AWS_HOST: "ecr-login"}}), encoding="utf-8")
    shell.environment |= {
        "AWS_REGION": REGIONS[0],
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "not-verified",
        "REGISTRY_AUTH_FILE": str(shell.login_file),
        "HTTPS_PROXY": server.proxy_url,
        "SSL_CERT_FILE": str(server.ca_file),
    }
    assert json.loads(shell.run(helper, "get", stdin=AWS_HOST).stdout)["ServerURL"] == AWS_HOST
    shell.run(skopeo, "copy", "--all", f"oci:{layout.folder}:1.0", f"docker://{AWS_HOST}/team/app:1.0")
    assert client.list_images(repositoryName="team/app", filter={"tagStatus": "TAGGED"})["imageIds"]
