"""Manifests converted between OCI and Docker schema 2, for a client that takes only the other one."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_ecr.images.conversion import accepted_types, convert_manifest
from local_ecr.images.manifest import read_manifest
from local_ecr.images.media_types import DOCKER_MANIFEST, DOCKER_TO_OCI, OCI_INDEX, OCI_MANIFEST, OCI_TO_DOCKER

OTHER = {DOCKER_MANIFEST: OCI_MANIFEST, OCI_MANIFEST: DOCKER_MANIFEST}
NAMES = {DOCKER_MANIFEST: DOCKER_TO_OCI, OCI_MANIFEST: OCI_TO_DOCKER}
digests = st.binary(max_size=8).map(lambda data: f"sha256:{hashlib.sha256(data).hexdigest()}")


@st.composite
def manifests(draw):
    """An image in one of the two formats, that the other one can tell as well."""
    kind = draw(st.sampled_from([DOCKER_MANIFEST, OCI_MANIFEST]))
    layer_types = [name for name in NAMES[kind] if "layer" in name or "rootfs" in name]
    config_type = next(name for name in NAMES[kind] if "config" in name or "container.image" in name)

    def descriptor(media_type):
        return {"mediaType": media_type, "size": draw(st.integers(0, 1 << 40)), "digest": draw(digests)}

    layers = [descriptor(draw(st.sampled_from(layer_types))) for _ in range(draw(st.integers(0, 4)))]
    return {"schemaVersion": 2, "mediaType": kind, "config": descriptor(config_type), "layers": layers}


def converted(document, *accepted):
    return convert_manifest(json.dumps(document).encode(), document["mediaType"], accepted)


@given(document=manifests())
def test_an_image_is_made_of_the_same_when_it_was_converted(document):
    kind = document["mediaType"]
    there = converted(document, OTHER[kind])
    assert there is not None and there.media_type == OTHER[kind]
    before, after = read_manifest(json.dumps(document).encode(), kind), read_manifest(there.body, there.media_type)
    assert after.required_layers == before.required_layers
    assert [(one.digest, one.size) for one in after.layers] == [(one.digest, one.size) for one in before.layers]
    assert there.digest == after.digest != before.digest


@given(document=manifests())
def test_an_image_is_what_it_was_when_it_was_converted_there_and_back(document):
    there = converted(document, OTHER[document["mediaType"]])
    back = convert_manifest(there.body, there.media_type, [document["mediaType"]])
    assert json.loads(back.body) == document


@given(document=manifests(), others=st.lists(st.text(max_size=5)))
def test_an_image_is_served_as_it_is_when_that_is_accepted_or_nothing_else_helps(document, others):
    assert converted(document, document["mediaType"], OTHER[document["mediaType"]], *others) is None
    assert converted(document, *others) is None
    assert converted(document) is None


IMAGE = {
    "schemaVersion": 2,
    "mediaType": OCI_MANIFEST,
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "0" * 64, "size": 2},
    "layers": [],
}


@pytest.mark.parametrize(
    "members",
    [
        {"artifactType": "application/spdx+json"},
        {"subject": {"mediaType": OCI_MANIFEST, "digest": "sha256:" + "1" * 64, "size": 2}},
        {"config": {**IMAGE["config"], "mediaType": "application/vnd.cncf.helm.config.v1+json"}},
        {"layers": [{**IMAGE["config"], "mediaType": "application/vnd.oci.image.layer.v1.tar+zstd"}]},
        {"mediaType": OCI_INDEX},
    ],
    ids=["artifact", "referrer", "chart", "zstd", "index"],
)
def test_what_the_other_format_cannot_tell_is_not_converted(members):
    assert converted(IMAGE, DOCKER_MANIFEST) is not None
    assert converted({**IMAGE, **members}, DOCKER_MANIFEST) is None


def test_annotations_are_left_out_when_docker_has_no_place_for_them():
    annotated = {**IMAGE, "annotations": {"a": "b"}, "config": {**IMAGE["config"], "annotations": {"c": "d"}}}
    document = json.loads(converted(annotated, DOCKER_MANIFEST).body)
    assert set(document) == {"schemaVersion", "mediaType", "config", "layers"}
    assert set(document["config"]) == {"mediaType", "digest", "size"}


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ([], set()),
        ([""], set()),
        (["a/b"], {"a/b"}),
        (["a/b, C/D;q=0.5", "e/f ; charset=x"], {"a/b", "c/d", "e/f"}),
        (["a/b;q=0, c/d; q=0.0, e/f;Q=0"], set()),
        (["a/b, */*;q=0.1"], set()),
        (["application/*, a/b"], set()),
        (["a/b, */*;q=0"], {"a/b"}),
    ],
)
def test_a_client_accepts_what_its_headers_say(headers, accepted):
    assert accepted_types(headers) == accepted
