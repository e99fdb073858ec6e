"""The image that all clients push: is it what it says it is?"""

import subprocess

import pytest

from lab.client_matrix.debian import ELSEWHERE, FOR_ALL, HERE, PACKAGES, STATUS
from lab.client_matrix.images import files_of

pytestmark = pytest.mark.client

ELF = b"\x7fELF"


@pytest.fixture(params=PACKAGES)
def architecture(request):
    return request.param


@pytest.fixture
def unpacked(layout, architecture, tmp_path):
    return files_of(layout, layout.platforms("1.0")[architecture], tmp_path / "root")


def test_dpkg_lists_what_is_in_the_image(unpacked, architecture):
    database = (unpacked / STATUS).parent
    listed = subprocess.run(
        ["dpkg-query", "--admindir", database, "--show", "--showformat", "${Package} ${Architecture} ${Status}\n"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    expected = [f"{name} {'all' if name in FOR_ALL else HERE} install ok installed" for name in PACKAGES[architecture]]
    assert sorted(listed.splitlines()) == sorted(expected)


def test_every_file_has_the_checksum_that_its_package_gives_it(unpacked, architecture):
    info = (unpacked / STATUS).parent / "info"
    promised = [
        line
        for name in PACKAGES[architecture]
        for line in (info / f"{name}.md5sums").read_text(encoding="utf-8").splitlines()
    ]
    kept = [line for line in promised if (unpacked / line.split(maxsplit=1)[1]).exists()]  # a machine may have no docs
    assert len(kept) > 100
    subprocess.run(["md5sum", "--check", "--quiet"], input="\n".join(kept), cwd=unpacked, text=True, check=True)


def test_no_program_is_in_an_image_for_another_architecture(layout, tmp_path):
    here = files_of(layout, layout.platforms("1.0")[HERE], tmp_path / "here")
    elsewhere = files_of(layout, layout.platforms("1.0")[ELSEWHERE], tmp_path / "elsewhere")

    def programs(root):
        files = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        return [str(path.relative_to(root)) for path in files if path.read_bytes()[:4] == ELF]

    assert programs(here) == ["usr/bin/busybox"]
    assert programs(elsewhere) == []
