"""Debian's amazon-ecr-credential-helper, and clients that it logs in to ECR by the name that ECR has at AWS."""

import json

import pytest

from lab.client_matrix.layout import Layout
from lab.client_matrix.registry import ACCOUNT, REGIONS, Registry
from local_ecr import LocalEcr, LocalEcrServer

pytestmark = pytest.mark.client

REGION = REGIONS[0]
AWS_HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
IMAGE = f"{AWS_HOST}/team/app:1.0"


@pytest.fixture
def registry(tmp_path):
    """Of no port of its own: so ECR calls itself by its name at AWS, and is reached by the API's port as a proxy."""
    with LocalEcrServer(LocalEcr(tmp_path / "ecr"), []) as server:
        yield Registry(server.endpoint_url, {REGION: f"http://{AWS_HOST}"})


@pytest.fixture
def shell(shell, registry):
    """Set up as for AWS, but for two variables: where the API is, and by whom the registry is reached."""
    del shell.environment["AWS_ENDPOINT_URL"], shell.environment["AWS_DEFAULT_REGION"]
    shell.environment |= {
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL_ECR": registry.endpoint_url,
        "HTTP_PROXY": registry.endpoint_url,
        "COSIGN_PASSWORD": "",
    }
    shell.login_file.write_text(json.dumps({"credHelpers": {AWS_HOST: "ecr-login"}}), encoding="utf-8")
    return shell


@pytest.fixture(autouse=True)
def helper(need_program):
    return need_program("docker-credential-ecr-login", install="apt-get install amazon-ecr-credential-helper")


@pytest.fixture
def skopeo(need_program):
    return need_program("skopeo", install="apt-get install skopeo")


@pytest.fixture
def pushed(skopeo, shell, registry, layout):
    """The image of two platforms, pushed by skopeo; its layout."""
    registry.create("team/app")
    shell.run(skopeo, "copy", "--all", "--dest-tls-verify=false", f"oci:{layout.folder}:1.0", f"docker://{IMAGE}")
    return layout


def test_a_repository_is_named_as_at_aws(registry):
    created = registry.client().create_repository(repositoryName="team/app")["repository"]
    assert created["repositoryUri"] == f"{AWS_HOST}/team/app"


def test_the_helper_gets_a_token_that_is_good_for_the_registry(helper, shell):
    got = json.loads(shell.run(helper, "get", stdin=AWS_HOST).stdout)
    assert (got["ServerURL"], got["Username"]) == (AWS_HOST, "AWS")
    assert json.loads(shell.run(helper, "list").stdout) == {f"https://{AWS_HOST}": "AWS"}


def test_one_token_is_asked_for_when_the_helper_is_used_again(helper, shell):
    first = json.loads(shell.run(helper, "get", stdin=AWS_HOST).stdout)
    assert json.loads(shell.run(helper, "get", stdin=AWS_HOST).stdout) == first


def test_the_helper_gives_nothing_for_a_registry_that_is_not_ecr(helper, shell):
    assert "credentials not found" in shell.refuse(helper, "get", stdin="127.0.0.1:5000")


def test_an_index_comes_back_to_skopeo(skopeo, shell, registry, pushed):
    shell.run(skopeo, "copy", "--all", "--src-tls-verify=false", f"docker://{IMAGE}", f"oci:{shell.home}/back:1.0")
    assert registry.digests("team/app") == {"1.0": pushed.digest("1.0")}
    assert Layout(shell.home / "back").blobs() == pushed.blobs()


def test_an_index_comes_back_to_oras(need_program, shell, registry, layout, digest):
    oras = need_program("oras", install="apt-get install oras")
    registry.create("team/app")
    shell.run(oras, "cp", "--from-oci-layout", f"{layout.folder}:1.0", "--to-plain-http", IMAGE)
    shell.run(oras, "cp", "--from-plain-http", IMAGE, "--to-oci-layout", f"{shell.home}/back:1.0")
    assert registry.digests("team/app") == {"1.0": digest}
    assert Layout(shell.home / "back").blobs() == layout.blobs()


def test_cosign_signs_and_verifies(need_program, shell, pushed):
    cosign = need_program("cosign", install="apt-get install cosign")
    shell.run(cosign, "generate-key-pair", "--output-key-prefix", "key")
    shell.run(cosign, "sign", "--key", "key.key", "--tlog-upload=false", "--yes", "--allow-http-registry", IMAGE)
    # verify takes --allow-http-registry for a loopback address only, the other for any name
    verify = ("verify", "--key", "key.pub", "--insecure-ignore-tlog", "--allow-insecure-registry", IMAGE)
    [payload] = json.loads(shell.run(cosign, *verify).stdout)
    assert payload["critical"]["identity"]["docker-reference"] == f"{AWS_HOST}/team/app"


def test_skopeo_shows_what_ecr_says_when_a_push_is_refused(skopeo, shell, registry, layout, refusals):
    for refusal in refusals:
        there = f"docker://{AWS_HOST}/{refusal.reference}"
        push = ("copy", "--all", "--dest-tls-verify=false", f"oci:{layout.folder}:1.0", there)
        assert refusal.says in shell.refuse(skopeo, *push)
