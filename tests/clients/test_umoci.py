"""umoci: an image that it makes, and one that it unpacks after it was pushed and pulled."""

import os

import pytest

from lab.client_matrix.debian import HERE, PACKAGES, STATUS
from lab.client_matrix.images import files_of

pytestmark = pytest.mark.client


@pytest.fixture
def registry(local_registry):
    return local_registry


@pytest.fixture
def umoci(need_program, shell):
    program = need_program("umoci", install="apt-get install umoci")
    rootless = () if os.geteuid() == 0 else ("--rootless",)

    def run(*arguments):
        return shell.run(program, *arguments).stdout

    run.unpack = lambda image, into: run("unpack", *rootless, "--image", image, into)
    return run


@pytest.fixture
def skopeo(need_program):
    return need_program("skopeo", install="apt-get install skopeo")


def test_an_image_unpacks_to_what_it_was_made_of_when_it_was_pushed_and_pulled(umoci, skopeo, shell, registry, layout):
    registry.create("team/app")
    there = f"docker://{registry.host}/team/app:1.0"
    shell.run(skopeo, "copy", "--all", "--dest-tls-verify=false", f"oci:{layout.folder}:1.0", there)
    shell.run(skopeo, "copy", "--src-tls-verify=false", there, f"oci:{shell.home}/back:1.0")

    umoci.unpack(f"{shell.home}/back:1.0", shell.home / "bundle")

    root = shell.home / "bundle" / "rootfs"
    made_of = files_of(layout, layout.platforms("1.0")[HERE], shell.home / "made-of")
    assert contents(root) == contents(made_of)
    listed = shell.run("dpkg-query", "--admindir", (root / STATUS).parent, "--show", "--showformat", "${Package} ")
    assert set(listed.stdout.split()) == set(PACKAGES[HERE])


def test_an_image_that_umoci_makes_of_a_folder_is_pushed_and_pulled(umoci, skopeo, shell, registry):
    registry.create("team/app")
    image = f"{shell.home}/made:1.0"
    (shell.home / "folder").mkdir()
    (shell.home / "folder" / "word").write_text("hello", encoding="utf-8")
    umoci("init", "--layout", shell.home / "made")
    umoci("new", "--image", image)
    umoci("insert", "--image", image, shell.home / "folder", "/srv")
    umoci("config", "--image", image, "--config.cmd", "/srv/word")
    there = f"docker://{registry.host}/team/app:1.0"
    shell.run(skopeo, "copy", "--dest-tls-verify=false", f"oci:{image}", there)
    shell.run(skopeo, "copy", "--src-tls-verify=false", there, f"oci:{shell.home}/back:1.0")

    umoci.unpack(f"{shell.home}/back:1.0", shell.home / "bundle")

    assert (shell.home / "bundle" / "rootfs" / "srv" / "word").read_text(encoding="utf-8") == "hello"


def contents(root):
    """What every file has in it and every link points to."""
    return {
        str(path.relative_to(root)): path.readlink() if path.is_symlink() else path.read_bytes()
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }
