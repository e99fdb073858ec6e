"""podman: push, pull and run without an engine."""

import os
from pathlib import Path

import pytest

from lab.client_matrix.debian import ELSEWHERE, HERE

pytestmark = [pytest.mark.client, pytest.mark.xdist_group("containers")]

PLAIN = "--tls-verify=false"
LISTING = ("busybox", "grep", "-c", "^Package", "/var/lib/dpkg/status")


@pytest.fixture
def registry(local_registry):
    return local_registry


@pytest.fixture
def podman(need_program, shell):
    """Runs it with a storage, locks and control groups of its own."""
    program = need_program("podman", install="apt-get install podman")
    if os.geteuid() != 0:
        pytest.skip("podman needs root here, to have a storage without a user namespace")
    (shell.home / "containers.conf").write_text(
        '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\nlock_type = "file"\n',
        encoding="utf-8",
    )
    shell.environment |= {
        "CONTAINERS_CONF": str(shell.home / "containers.conf"),
        "PODMAN_IGNORE_CGROUPSV1_WARNING": "yes",
    }
    settings = (
        *("--root", shell.home / "storage", "--runroot", shell.home / "run", "--tmpdir", shell.home / "tmp"),
        *("--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", "runc"),
    )

    def run(*arguments, **options):
        return shell.run(program, *settings, *arguments, **options).stdout.strip()

    run.refuse = lambda *arguments, **options: shell.refuse(program, *settings, *arguments, **options)
    return run


@pytest.fixture
def pushed(shell, registry, layout, need_program):
    """`team/app:1.0`: the image of two platforms."""
    skopeo = need_program("skopeo", install="apt-get install skopeo")
    registry.create("team/app")
    reference = f"{registry.host}/team/app:1.0"
    shell.run(skopeo, "copy", "--all", "--dest-tls-verify=false", f"oci:{layout.folder}:1.0", f"docker://{reference}")
    return reference


def push(podman, shell, image, there):
    """Push, and return the digest that podman says it has there."""
    podman("push", PLAIN, "--digestfile", shell.home / "digest", image, f"docker://{there}")
    return (shell.home / "digest").read_text(encoding="utf-8")


def imported(podman, shell, name):
    """An image of one file that no other has."""
    (shell.home / "word").write_text(name, encoding="utf-8")
    shell.run("tar", "-cf", "root.tar", "word")
    podman("import", "--quiet", "root.tar", name)
    return name


def test_an_image_comes_back_when_it_is_pushed_and_pulled(podman, shell, registry):
    registry.create("team/app")
    there = f"{registry.host}/team/app:1.0"
    digest = push(podman, shell, imported(podman, shell, "hello"), there)
    podman("rmi", "--all", "--force")

    podman("pull", PLAIN, there)

    assert registry.digests("team/app") == {"1.0": digest}
    assert podman("inspect", "--format", "{{.Digest}}", there) == digest
    mounted = Path(podman("image", "mount", there))
    assert (mounted / "word").read_text(encoding="utf-8") == "hello"
    podman("image", "unmount", there)


def test_a_container_runs_when_its_image_is_pulled_from_an_index(podman, pushed):
    podman("pull", PLAIN, pushed)
    own = ("--network", "none", "--cgroup-parent", "/")
    assert podman("run", "--rm", *own, pushed, *LISTING) == "4"


def test_a_platform_of_an_index_is_pulled_when_it_is_asked_for(podman, pushed):
    for architecture in (ELSEWHERE, HERE):
        podman("pull", PLAIN, "--platform", f"linux/{architecture}", pushed)
        assert podman("inspect", "--format", "{{.Architecture}}", pushed) == architecture


def test_an_index_goes_to_another_repository_with_all_its_images(podman, registry, pushed):
    registry.create("team/copy")
    podman("manifest", "create", "multi")
    podman("manifest", "add", PLAIN, "--all", "multi", f"docker://{pushed}")
    podman("manifest", "push", PLAIN, "--all", "multi", f"docker://{registry.host}/team/copy:1.0")
    of_platforms = registry.image_digests("team/app") - set(registry.digests("team/app").values())
    assert len(of_platforms) == 2
    assert of_platforms < registry.image_digests("team/copy")


def test_a_login_is_refused_when_the_password_is_wrong(podman, registry):
    login = ("login", PLAIN, "-u", "AWS", "--password-stdin", registry.host)
    assert "invalid username/password" in podman.refuse(*login, stdin="hunter2")
    assert "Login Succeeded" in podman(*login, stdin=registry.password())


def test_tags_are_listed(podman, registry, pushed):
    registry.put_empty_image("team/app", "2.0")
    listed = podman("search", PLAIN, "--list-tags", "--format", "{{.Tag}}", f"{registry.host}/team/app")
    assert listed.split() == ["1.0", "2.0"]


def test_podman_shows_what_ecr_says_when_a_push_is_refused(podman, shell, registry, refusals):
    image = imported(podman, shell, "hello")
    for refusal in refusals:
        assert refusal.says in podman.refuse("push", PLAIN, image, f"docker://{registry.host}/{refusal.reference}")


def test_a_push_is_refused_when_the_password_is_wrong(podman, shell, registry):
    registry.create("team/app")
    image = imported(podman, shell, "hello")
    there = f"docker://{registry.host}/team/app:1.0"
    assert "authentication required" in podman.refuse("push", PLAIN, "--creds", "AWS:hunter2", image, there)
