"""From each kind of place to each: an image that has everything is the same at both, to the byte."""

import json
from itertools import product
from typing import Any

import pytest

from ecr_steward.adapters.manifests import parse_manifest
from ecr_steward.domain.images import DOCKER_CONFIG, DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Manifest
from ecr_steward.usecases.copy_images import Result
from tests.faults.copying import CONFIG, LARGE, LAYER, PROOF, copy, put, require_equal
from tests.faults.places import World
from tests.given.graphs import as_json, blob_of

pytestmark = pytest.mark.slow

EMPTY = b"{}"
EMPTY_JSON = "application/vnd.oci.empty.v1+json"
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"


def manifest(media_type: str, **members: Any) -> Manifest:
    return parse_manifest(json.dumps({"schemaVersion": 2, "mediaType": media_type, **members}).encode(), media_type)


def entries(*children: Manifest) -> list[dict[str, Any]]:
    return [as_json(child.descriptor) for child in children]


DOCKER = manifest(
    DOCKER_MANIFEST,
    config=as_json(blob_of(CONFIG, DOCKER_CONFIG)),
    layers=[
        as_json(blob_of(LARGE, "application/vnd.docker.image.rootfs.diff.tar.gzip")),
        as_json(blob_of(b"at its own address", FOREIGN), urls=["https://example.com/layer"]),
    ],
)
TWICE = manifest(
    OCI_MANIFEST, config=as_json(blob_of(CONFIG)), layers=[as_json(blob_of(LAYER)), as_json(blob_of(LAYER))]
)
ARTIFACT = manifest(
    OCI_MANIFEST,
    artifactType="application/x.note",
    config=as_json(blob_of(EMPTY, EMPTY_JSON), data="e30="),
    layers=[],
    annotations={"note": "no layers"},
)
LIST = manifest(DOCKER_LIST, manifests=entries(DOCKER))
TOP = manifest(OCI_INDEX, manifests=entries(LIST, TWICE, ARTIFACT, TWICE))
PROOF_OF_TOP = manifest(
    OCI_MANIFEST, config=as_json(blob_of(CONFIG)), layers=[as_json(blob_of(PROOF))], subject=as_json(TOP.descriptor)
)
PROOF_OF_PROOF = manifest(OCI_INDEX, manifests=entries(TWICE, PROOF_OF_TOP), subject=as_json(PROOF_OF_TOP.descriptor))
MANIFESTS = [DOCKER, TWICE, ARTIFACT, LIST, TOP, PROOF_OF_TOP, PROOF_OF_PROOF]
KINDS = ["ecr", "plain", "cncf", "folder"]


@pytest.mark.parametrize(
    ("there", "here"),
    [
        pytest.param(*pair, marks=[pytest.mark.client] if "cncf" in pair else [], id=" to ".join(pair))
        for pair in product(KINDS, KINDS)
    ],
)
def test_an_image_with_everything_is_the_same_at_both_ends(world: World, there: str, here: str) -> None:
    source, destination = world.place(there), world.place(here)
    put(source.store(), MANIFESTS, [CONFIG, LAYER, LARGE, PROOF, EMPTY], TOP)

    first = copy(source.store(), destination.store(), referrers=True)
    again = copy(source.store(), destination.store(), referrers=True, deep=True)

    require_equal(source.reader(), destination.reader(), referrers=True)
    assert (first.result, again.result, first.remarks) == (Result.COPIED, Result.PRESENT, ())
    assert PROOF_OF_PROOF.digest.value in destination.reader().listed(PROOF_OF_TOP.digest.value)
