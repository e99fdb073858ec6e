"""What `ecr-steward copy` does with images that are odd and allowed, between two registries of CNCF, as peers do it."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from ecr_steward.domain.images import DOCKER_LIST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from lab.cncf_distribution import cncf_distribution
from tests.given.graphs import LAYER, document_of

pytestmark = pytest.mark.client

STEWARD = Path(sys.executable).with_name("ecr-steward")
CACHE = "application/vnd.buildkit.cacheconfig.v0"


@pytest.fixture
def registry(local_registry):
    """The shell of this folder wants one."""
    return local_registry


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[list[str]]:
    with cncf_distribution(tmp_path / "source") as source, cncf_distribution(tmp_path / "destination") as destination:
        yield [source, destination]


def put_blob(host: str, content: bytes, media_type: str, algorithm: str = "sha256") -> dict[str, Any]:
    """Put a blob by itself; what points to it."""
    digest = f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
    begun = urllib3.request("POST", f"http://{host}/v2/team/app/blobs/uploads/", retries=False)
    place = f"{begun.headers['Location']}&digest={digest}"
    assert urllib3.request("PUT", place, body=content, retries=False).status == 201
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def put_manifest(host: str, media_type: str, **members: object) -> bytes:
    content = document_of(media_type, **members)
    url, headers = f"http://{host}/v2/team/app/manifests/1.0", {"Content-Type": media_type}
    assert urllib3.request("PUT", url, body=content, headers=headers, retries=False).status == 201
    return content


def shown(host: str, kind: str, reference: str) -> bytes:
    headers = {"Accept": ", ".join((OCI_INDEX, OCI_MANIFEST, DOCKER_LIST))} if kind == "manifests" else {}
    return urllib3.request("GET", f"http://{host}/v2/team/app/{kind}/{reference}", headers=headers, retries=False).data


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_a_cache_of_buildkit_whose_index_lists_blobs_arrives_whole_as_by_oras(
    need_program, shell, hosts: list[str], tmp_path: Path, media_type: str
) -> None:
    source, destination = hosts
    contents = {LAYER: b"a layer", CACHE: b'{"layers": []}'}
    listed = [put_blob(source, content, kind) for kind, content in contents.items()]
    index = put_manifest(source, media_type, manifests=listed)
    oras = need_program("oras", install="apt-get install oras")
    shell.run(oras, "cp", "--from-plain-http", "--to-plain-http", f"{source}/team/app:1.0", f"{destination}/peer:1.0")

    shell.run(STEWARD, "copy", f"{source}/team/app:1.0", f"oci:{tmp_path}/folder:1.0")
    shell.run(STEWARD, "copy", f"oci:{tmp_path}/folder:1.0", f"{destination}/team/app:1.0")

    assert shown(destination, "manifests", "1.0") == index
    assert [shown(destination, "blobs", each["digest"]) for each in listed] == list(contents.values())


def test_a_sha512_layer_arrives_as_by_skopeo_and_oras(need_program, shell, hosts: list[str]) -> None:
    source, destination = hosts
    layer, config = put_blob(source, b"a layer", LAYER, "sha512"), put_blob(source, b"{}", OCI_CONFIG)
    image = put_manifest(source, OCI_MANIFEST, config=config, layers=[layer])
    skopeo = need_program("skopeo", install="apt-get install skopeo")
    insecure = ("--src-tls-verify=false", "--dest-tls-verify=false")
    shell.run(skopeo, "copy", *insecure, f"docker://{source}/team/app:1.0", f"docker://{destination}/peer:1.0")

    shell.run(STEWARD, "copy", f"{source}/team/app:1.0", f"{destination}/team/app:1.0")

    assert shown(destination, "manifests", "1.0") == image
    assert shown(destination, "blobs", layer["digest"]) == b"a layer"
