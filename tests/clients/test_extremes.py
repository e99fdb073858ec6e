"""Images as large as they come: of hundreds of layers, and with one layer of a gibibyte."""

import hashlib
import shutil

import pytest

from lab.client_matrix.images import put_large_layer, put_small_layers
from lab.client_matrix.layout import Layout

pytestmark = pytest.mark.client

LAYERS = 300
GIB = 1 << 30
NEEDED = 5 * GIB  # the image, its copy in the registry, what comes back, and a client's temporary copy
PATIENCE = 300.0  # seconds for a command with the large layer
PLAIN = ("--src-tls-verify=false", "--dest-tls-verify=false")


@pytest.fixture
def registry(local_registry):
    return local_registry


@pytest.fixture
def skopeo(need_program):
    return need_program("skopeo", install="apt-get install skopeo")


@pytest.fixture
def oras(need_program):
    return need_program("oras", install="apt-get install oras")


@pytest.fixture(scope="module")
def many_layers(tmp_path_factory):
    made = Layout(tmp_path_factory.mktemp("many") / "image")
    put_small_layers(made, "1.0", LAYERS)
    assert len(made.read_json(made.digest("1.0"))["layers"]) == LAYERS
    return made


@pytest.fixture
def room(tmp_path):
    """A folder for what is large; pytest would keep it for three more runs."""
    if shutil.disk_usage(tmp_path).free < NEEDED:
        pytest.skip(f"{NEEDED / GIB:g} GiB of disk are needed in {tmp_path}")
    yield tmp_path
    for folder in tmp_path.iterdir():
        shutil.rmtree(folder)


def large_files(folder):
    """Names of the files of more than a mebibyte below a folder."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.stat().st_size > 1 << 20)


def test_hundreds_of_layers_come_back_to_skopeo(skopeo, shell, registry, many_layers):
    registry.create("team/app")
    there = f"docker://{registry.host}/team/app:1.0"
    shell.run(skopeo, "copy", *PLAIN, f"oci:{many_layers.folder}:1.0", there)
    shell.run(skopeo, "copy", *PLAIN, there, f"oci:{shell.home}/back:1.0")
    assert registry.digests("team/app") == {"1.0": many_layers.digest("1.0")}
    assert Layout(shell.home / "back").blobs() == many_layers.blobs()


def test_hundreds_of_layers_come_back_to_oras(oras, shell, registry, many_layers):
    registry.create("team/app")
    there = f"{registry.host}/team/app:1.0"
    shell.run(oras, "cp", "--from-oci-layout", f"{many_layers.folder}:1.0", "--to-plain-http", there)
    shell.run(oras, "cp", "--from-plain-http", there, "--to-oci-layout", f"{shell.home}/back:1.0")
    assert registry.digests("team/app") == {"1.0": many_layers.digest("1.0")}
    assert Layout(shell.home / "back").blobs() == many_layers.blobs()


def test_a_layer_of_a_gibibyte_comes_back_and_leaves_nothing_beside_it(room, skopeo, shell, registry):
    image, back, temporary = Layout(room / "image"), Layout(room / "back"), room / "temporary"
    put_large_layer(image, "1.0", GIB)
    digest = image.digest("1.0")
    [layer] = [one["digest"].removeprefix("sha256:") for one in image.read_json(digest)["layers"]]
    temporary.mkdir()
    shell.environment["TMPDIR"] = str(temporary)
    registry.create("team/app")
    there = f"docker://{registry.host}/team/app:1.0"

    shell.run(skopeo, "copy", *PLAIN, f"oci:{image.folder}:1.0", there, timeout=PATIENCE)
    shutil.rmtree(image.folder)
    shell.run(skopeo, "copy", *PLAIN, there, f"oci:{back.folder}:1.0", timeout=PATIENCE)

    assert back.digest("1.0") == digest == registry.digests("team/app")["1.0"]
    with back.blob_path(layer).open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == layer
    assert large_files(room / "ecr") == [layer]
    assert list(temporary.iterdir()) == []

    registry.client().delete_repository(repositoryName="team/app", force=True)

    assert large_files(room / "ecr") == []
