"""buildah: build, commit, push and pull without an engine."""

import json
import os
from pathlib import Path

import pytest

from lab.client_matrix.debian import ELSEWHERE, HERE
from lab.client_matrix.layout import OCI_INDEX

pytestmark = [pytest.mark.client, pytest.mark.xdist_group("containers")]

PLAIN = "--tls-verify=false"


@pytest.fixture
def registry(local_registry):
    return local_registry


@pytest.fixture
def buildah(need_program, shell):
    """Runs it with a storage of its own."""
    program = need_program("buildah", install="apt-get install buildah")
    if os.geteuid() != 0:
        pytest.skip("buildah needs root here, to have a storage without a user namespace")
    # of its own it asks for limits that are higher than what a container on a shared machine may have
    (shell.home / "containers.conf").write_text(
        '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n', encoding="utf-8"
    )
    shell.environment["CONTAINERS_CONF"] = str(shell.home / "containers.conf")
    storage = ("--root", shell.home / "storage", "--runroot", shell.home / "run", "--storage-driver", "vfs")

    def run(*arguments, **options):
        return shell.run(program, *storage, *arguments, **options).stdout.strip()

    run.refuse = lambda *arguments, **options: shell.refuse(program, *storage, *arguments, **options)
    return run


def commit(buildah, shell, name, architecture=HERE):
    """Make an image of one file that no other has."""
    (shell.home / "word").write_text(name, encoding="utf-8")
    container = buildah("from", "scratch")
    buildah("copy", container, shell.home / "word", "/word")
    buildah("config", "--arch", architecture, container)
    buildah("commit", container, name)
    return name


def push(buildah, shell, image, there):
    """Push, and return the digest that buildah says it has there."""
    buildah("push", PLAIN, "--digestfile", shell.home / "digest", image, f"docker://{there}")
    return (shell.home / "digest").read_text(encoding="utf-8")


def test_an_image_comes_back_when_it_is_built_from_scratch_pushed_and_pulled(buildah, shell, registry):
    registry.create("team/app")
    there = f"{registry.host}/team/app:1.0"
    digest = push(buildah, shell, commit(buildah, shell, "hello"), there)
    buildah("rmi", "--all", "--force")

    buildah("pull", PLAIN, there)

    assert registry.digests("team/app") == {"1.0": digest}
    assert digest in buildah("inspect", "--type", "image", "--format", "{{.FromImageDigest}}", there)
    container = buildah("from", "--pull=never", there)
    assert Path(buildah("mount", container), "word").read_text(encoding="utf-8") == "hello"


def test_a_login_is_refused_when_the_password_is_wrong(buildah, registry):
    login = ("login", PLAIN, "-u", "AWS", "--password-stdin", registry.host)
    assert "invalid username/password" in buildah.refuse(*login, stdin="hunter2")
    assert "Login Succeeded" in buildah(*login, stdin=registry.password())


def test_an_image_is_built_on_one_of_the_registry_by_its_containerfile(buildah, shell, registry, layout, need_program):
    skopeo = need_program("skopeo", install="apt-get install skopeo")
    registry.create("team/base", "team/app")
    base, there = f"{registry.host}/team/base:1.0", f"{registry.host}/team/app:1.0"
    shell.run(skopeo, "copy", "--all", "--dest-tls-verify=false", f"oci:{layout.folder}:1.0", f"docker://{base}")
    containerfile = shell.home / "Containerfile"
    containerfile.write_text(f'FROM {base}\nRUN ["busybox", "touch", "/new"]\n', encoding="utf-8")
    isolation = ("--isolation", "chroot")  # the only one that needs nothing of the machine

    buildah("build", PLAIN, *isolation, "--file", containerfile, "--tag", there, shell.home)
    digest = push(buildah, shell, there, there)

    [got] = registry.client().batch_get_image(repositoryName="team/app", imageIds=[{"imageDigest": digest}])["images"]
    assert got["imageManifest"].count("tar+gzip") == len(layout.read_json(layout.platforms("1.0")[HERE])["layers"]) + 1


def test_an_index_of_two_platforms_is_made_and_pushed_with_its_images(buildah, shell, registry):
    registry.create("team/app")
    buildah("manifest", "create", "multi")
    for architecture in (HERE, ELSEWHERE):
        buildah("manifest", "add", "multi", commit(buildah, shell, f"for-{architecture}", architecture))
    buildah("manifest", "push", PLAIN, "--all", "--format", "oci", "multi", f"docker://{registry.host}/team/app:1.0")

    [image] = registry.client().batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "1.0"}])["images"]
    assert image["imageManifestMediaType"] == OCI_INDEX
    platforms = {
        one["digest"]: one["platform"]["architecture"] for one in json.loads(image["imageManifest"])["manifests"]
    }
    assert set(platforms.values()) == {HERE, ELSEWHERE}
    assert registry.image_digests("team/app") == {image["imageId"]["imageDigest"], *platforms}


def test_buildah_shows_what_ecr_says_when_a_push_is_refused(buildah, shell, registry, refusals):
    image = commit(buildah, shell, "hello")
    for refusal in refusals:
        assert refusal.says in buildah.refuse("push", PLAIN, image, f"docker://{registry.host}/{refusal.reference}")


def test_a_push_is_refused_when_the_password_is_wrong(buildah, shell, registry):
    registry.create("team/app")
    image = commit(buildah, shell, "hello")
    there = f"docker://{registry.host}/team/app:1.0"
    assert "authentication required" in buildah.refuse("push", PLAIN, "--creds", "AWS:hunter2", image, there)
