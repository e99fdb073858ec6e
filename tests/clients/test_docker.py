"""docker: login, build, push, pull and run, with an engine of its own."""

import json

import pytest

from ecr_steward.adapters.manifests import parse_manifest
from ecr_steward.domain.images import OCI_MANIFEST
from lab.client_matrix.debian import ELSEWHERE, HERE
from lab.client_matrix.engine import PrivateEngine
from lab.client_matrix.registry import ACCOUNT, NOWHERE, REGIONS, Registry
from local_ecr import LocalEcr, LocalEcrServer
from sam_local.engine import what_is_missing

pytestmark = [pytest.mark.client, pytest.mark.docker, pytest.mark.xdist_group("containers")]

AWS_HOST = f"{ACCOUNT}.dkr.ecr.{REGIONS[0]}.amazonaws.com"
PORT = 4566  # any port of the engine's loopback is free; the engine must know its proxy when it starts


@pytest.fixture(scope="module")
def engine(need_program):
    """Takes plain HTTP from 127.0.0.1, as it always does, and from ECR's own host name, by a proxy."""
    if missing := what_is_missing():
        pytest.skip(missing)
    need_program("docker", install="apt-get install docker-cli")
    need_program("dockerd", install="apt-get install docker.io")
    proxies = {"HTTP_PROXY": f"http://127.0.0.1:{PORT}", "HTTPS_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1"}
    with PrivateEngine(proxies, f"--insecure-registry {AWS_HOST}") as engine:
        yield engine


@pytest.fixture
def beside_engine(engine):
    """Where there is no network to build the sandbox's artefacts with: only local_ecr is tested here."""
    with engine.beside():
        yield


@pytest.fixture
def registry(beside_engine, local_registry):
    return local_registry


@pytest.fixture
def docker(shell, engine):
    """Not logged in to any registry yet."""
    shell.log_out()
    shell.environment |= {"DOCKER_HOST": engine.docker_host, "DOCKER_BUILDKIT": "0"}
    shell.docker = lambda *arguments, **options: shell.run("docker", *arguments, **options).stdout
    yield shell
    forget_images(shell)


def forget_images(docker):
    for image in set(docker.docker("images", "--all", "--quiet").split()):
        docker.run("docker", "rmi", "--force", image, check=False)  # the child of another is gone by then


@pytest.fixture
def pushed(docker, registry, layout, need_program):
    """`team/app:1.0`: the image of two platforms, and docker is logged in."""
    skopeo = need_program("skopeo", install="apt-get install skopeo")
    registry.create("team/app")
    reference = f"{registry.host}/team/app:1.0"
    log_in(docker, registry)
    docker.run(skopeo, "copy", "--all", "--dest-tls-verify=false", f"oci:{layout.folder}:1.0", f"docker://{reference}")
    return reference


def log_in(docker, registry):
    docker.docker("login", "-u", "AWS", "--password-stdin", registry.host, stdin=registry.password())


def build(docker, name, *lines):
    """Build an image of these lines of a Dockerfile."""
    (docker.home / "Dockerfile").write_text("\n".join(lines), encoding="utf-8")
    docker.docker("build", "--tag", name, docker.home)


def test_an_image_comes_back_when_docker_builds_pushes_and_pulls_it(docker, registry):
    registry.create("team/app")
    image = f"{registry.host}/team/app:1.0"
    (docker.home / "word").write_text("hello", encoding="utf-8")
    build(docker, image, "FROM scratch", "COPY word /", 'CMD ["/word"]')
    assert "no basic auth credentials" in docker.refuse("docker", "push", image)

    log_in(docker, registry)
    pushed = docker.docker("push", image)
    docker.docker("rmi", image)
    pulled = docker.docker("pull", image)

    [detail] = registry.client().describe_images(repositoryName="team/app")["imageDetails"]
    assert f"digest: {detail['imageDigest']} " in pushed
    assert f"Digest: {detail['imageDigest']}\n" in pulled
    assert detail["imageManifestMediaType"] == "application/vnd.docker.distribution.manifest.v2+json"


def test_a_login_is_refused_when_the_password_is_wrong(docker, registry):
    said = docker.refuse("docker", "login", "-u", "AWS", "--password-stdin", registry.host, stdin="hunter2")
    assert "401 Unauthorized" in said


def test_a_container_runs_when_its_image_is_pulled_from_an_index(docker, registry, pushed, digest):
    assert f"Digest: {digest}\n" in docker.docker("pull", pushed)
    command = ("busybox", "grep", "^Package", "/var/lib/dpkg/status")
    container = docker.docker("run", "--detach", "--network", "none", pushed, *command).strip()
    # Not `run` in the foreground: it attaches when a container so short may have ended.
    assert docker.docker("wait", container).strip() == "0"
    ran = docker.docker("logs", container)
    docker.docker("rm", container)
    assert "Package: busybox-static" in ran


CONFIGS = ("application/octet-stream", "application/json", "text/html", "application/vnd.docker.plugin.v1+json")


def test_what_docker_runs_counts_as_what_can_run_whatever_its_types_are(docker, registry, pushed, layout):
    """G03: the type of its config exempts no image, and no client unpacks the layers of an attestation."""
    image = layout.read_json(layout.platforms("1.0")[HERE])
    runs = dict.fromkeys([*CONFIGS, image["config"]["mediaType"]], True)
    runs |= {"application/vnd.oci.empty.v1+json": False}
    for number, (config, layer) in enumerate([*((each, None) for each in runs), (CONFIGS[0], "text/spdx")]):
        manifest = {**image, "config": {**image["config"], "mediaType": config}}
        if layer:
            manifest["layers"] = [{**each, "mediaType": layer} for each in image["layers"]]
        content = json.dumps(manifest)
        registry.client().put_image(
            repositoryName="team/app",
            imageManifest=content,
            imageManifestMediaType=OCI_MANIFEST,
            imageTag=f"types-{number}",
        )

        reference = f"{registry.host}/team/app:types-{number}"
        is_pulled = docker.run("docker", "pull", reference, check=False).returncode == 0
        if is_pulled:
            container = docker.docker("run", "--detach", "--network", "none", reference, "busybox", "true").strip()
            assert docker.docker("wait", container).strip() == "0"
            docker.docker("rm", container)
            forget_images(docker)  # an image of the same config is not looked at again

        assert is_pulled is (layer is None and runs[config])
        assert parse_manifest(content.encode(), OCI_MANIFEST).can_run is is_pulled


def test_a_platform_of_an_index_is_pulled_when_it_is_asked_for(docker, pushed):
    for architecture in (ELSEWHERE, HERE):
        docker.docker("pull", "--platform", f"linux/{architecture}", pushed)
        assert docker.docker("inspect", "--format", "{{.Architecture}}", pushed).strip() == architecture


def test_only_what_is_new_is_uploaded_when_an_image_is_built_on_one_that_is_there(docker, registry, pushed):
    image = f"{registry.host}/team/app:2.0"
    build(docker, image, f"FROM {pushed}", 'RUN ["busybox", "touch", "/new"]')
    said = docker.docker("push", image)
    assert (said.count("Layer already exists"), said.count("Pushed")) == (4, 1)
    assert set(registry.digests("team/app")) == {"1.0", "2.0"}


def test_an_image_is_pulled_by_its_digest(docker, registry, pushed, layout):
    platform = layout.platforms("1.0")[HERE]
    assert f"Digest: {platform}\n" in docker.docker("pull", f"{registry.host}/team/app@{platform}")


def test_docker_shows_what_ecr_says_when_a_push_is_refused(docker, registry, refusals):
    log_in(docker, registry)
    (docker.home / "word").write_text("hello", encoding="utf-8")
    build(docker, "word", "FROM scratch", "COPY word /")
    for refusal in refusals:
        image = f"{registry.host}/{refusal.reference}"
        docker.docker("tag", "word", image)
        assert refusal.says in docker.refuse("docker", "push", image)


def test_a_push_makes_its_repository_by_the_creation_template_for_it(docker, registry):
    registry.client().create_repository_creation_template(
        prefix="team", appliedFor=["CREATE_ON_PUSH"], imageTagMutability="IMMUTABLE"
    )
    log_in(docker, registry)
    image = f"{registry.host}/team/app:1.0"
    (docker.home / "word").write_text("hello", encoding="utf-8")
    build(docker, image, "FROM scratch", "COPY word /")

    pushed = docker.docker("push", image)

    assert f"digest: {registry.digests('team/app')['1.0']} " in pushed
    [made] = registry.client().describe_repositories()["repositories"]
    assert (made["repositoryName"], made["imageTagMutability"]) == ("team/app", "IMMUTABLE")


def test_docker_says_what_is_missing_when_there_is_nothing_to_pull(docker, registry):
    log_in(docker, registry)
    registry.create("team/app")
    assert "not found" in docker.refuse("docker", "pull", f"{registry.host}/team/app:9.9")


class TestByEcrsOwnName:
    """The host name that ECR has at AWS, with the credential helper that people have."""

    @pytest.fixture
    def registry(self, beside_engine, tmp_path):
        """Of no port: so ECR calls itself by its real name."""
        with LocalEcrServer(LocalEcr(tmp_path / "ecr"), [], port=PORT) as server:
            yield Registry(server.endpoint_url, {REGIONS[0]: f"http://{AWS_HOST}"})

    def test_an_image_comes_back_when_the_credential_helper_logs_in(self, docker, registry, need_program):
        need_program("docker-credential-ecr-login", install="apt-get install amazon-ecr-credential-helper")
        [repository] = [registry.client().create_repository(repositoryName="team/app")["repository"]]
        image = f"{repository['repositoryUri']}:1.0"
        assert image == f"{AWS_HOST}/team/app:1.0"
        docker.login_file.write_text(f'{{"credHelpers": {{"{AWS_HOST}": "ecr-login"}}}}', encoding="utf-8")
        docker.environment |= {"AWS_REGION": REGIONS[0], "AWS_ENDPOINT_URL_ECR": registry.endpoint_url}
        (docker.home / "word").write_text("hello", encoding="utf-8")
        build(docker, image, "FROM scratch", "COPY word /")

        pushed = docker.docker("push", image)
        docker.docker("rmi", image)
        pulled = docker.docker("pull", image)

        found = registry.digests("team/app")["1.0"]
        assert f"digest: {found} " in pushed
        assert f"Digest: {found}\n" in pulled
