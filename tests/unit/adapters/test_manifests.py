"""Reading manifests: strictly, or not at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.adapters import limits
from ecr_steward.adapters.manifests import digest_of, parse_manifest, parse_referrers, with_referrer
from ecr_steward.domain.images import DOCKER_LIST, DOCKER_MANIFEST, MANIFEST_LIMIT, OCI_INDEX, OCI_MANIFEST
from ecr_steward.errors import InvalidManifestError
from tests.given.graphs import as_json, image_of, index_of

DIGEST = "sha256:" + "a" * 64
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": DIGEST, "size": 5}
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "b" * 64, "size": 2}
CHILD = {"mediaType": OCI_MANIFEST, "digest": DIGEST, "size": 7}
IMAGE: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": CONFIG, "layers": [LAYER]}
INDEX: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [CHILD]}


def as_bytes(document: object) -> bytes:
    return json.dumps(document).encode()


def without(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}


def test_config_and_layers_are_blobs_in_order_when_it_is_an_image() -> None:
    manifest = parse_manifest(as_bytes(IMAGE), OCI_MANIFEST)

    assert [blob.digest.value for blob in manifest.blobs] == [CONFIG["digest"], DIGEST]
    assert manifest.children == ()
    assert manifest.content == as_bytes(IMAGE)
    assert manifest.digest == digest_of(as_bytes(IMAGE))
    assert manifest.descriptor.size == len(as_bytes(IMAGE))


def test_manifests_are_children_when_it_is_an_index() -> None:
    manifest = parse_manifest(as_bytes({**INDEX, "subject": CHILD}), OCI_INDEX)

    assert [child.digest.value for child in manifest.children] == [DIGEST]
    assert manifest.blobs == ()
    assert manifest.subject is not None
    assert manifest.subject.digest.value == DIGEST


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_what_a_cache_of_buildkit_lists_is_blobs_and_nothing_that_was_judged(media_type: str) -> None:
    cache = "application/vnd.buildkit.cacheconfig.v0"
    entries = [{**LAYER, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip"}, {**CONFIG, "mediaType": cache}]
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}

    manifest = parse_manifest(json.dumps(document).encode())

    assert [blob.digest.value for blob in manifest.stored_blobs] == [each["digest"] for each in entries]
    assert manifest.children == ()
    assert manifest.descriptor.artifact_type is None
    assert manifest.can_run


def test_a_child_runs_nowhere_when_its_platform_is_that_of_an_attestation() -> None:
    attestation = {**CHILD, "platform": {"os": "unknown", "architecture": "unknown"}}
    image = {**CHILD, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}}

    children = parse_manifest(as_bytes({**INDEX, "manifests": [attestation, image]}), OCI_INDEX).children

    assert [(child.platform, child.runs_nowhere) for child in children] == [
        ("unknown/unknown", True),
        ("linux/arm64", False),
    ]


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}},
        {"platform": None},
        {"platform": "unknown/unknown"},
        {"platform": {"os": "unknown"}},
        {"platform": {"os": "unknown", "architecture": "amd64"}},
        {"platform": {"os": "unknown", "architecture": "unknown", "OS": "linux", "Architecture": "amd64"}},
        {"platform": {"os": "unknown", "architecture": "unknown", "o\u017f": "linux"}},
        {"platform": {"os": "unknown", "architecture": "unknown"}, "Platform": {"os": "linux"}},
    ],
    ids=str,
)
def test_a_child_may_run_when_any_client_could_think_so(keys: dict[str, Any]) -> None:
    (child,) = parse_manifest(as_bytes({**INDEX, "manifests": [{**CHILD, **keys}]}), OCI_INDEX).children

    assert not child.runs_nowhere


def test_the_registry_names_the_kind_when_the_document_does_not() -> None:
    manifest = parse_manifest(as_bytes(without(IMAGE, "mediaType")), f"{DOCKER_MANIFEST}; charset=utf-8")

    assert manifest.descriptor.media_type == DOCKER_MANIFEST


def test_a_sha512_manifest_is_named_by_sha512_when_asked_for_so() -> None:
    assert parse_manifest(as_bytes(IMAGE), OCI_MANIFEST, "sha512").digest.algorithm == "sha512"


@pytest.mark.parametrize(
    ("document", "content_type", "complaint"),
    [
        pytest.param({**IMAGE, "manifests": [CHILD]}, OCI_MANIFEST, "manifests", id="image and index, CVE-2021-41190"),
        pytest.param({**INDEX, "layers": [LAYER]}, OCI_INDEX, "layers", id="index and image, CVE-2021-41190"),
        pytest.param({**INDEX, "config": CONFIG}, OCI_INDEX, "config", id="index with a config"),
        pytest.param({**IMAGE, "fsLayers": []}, OCI_MANIFEST, "fsLayers", id="schema 1 inside"),
        pytest.param({**INDEX, "Layers": [LAYER]}, OCI_INDEX, "Layers", id="a key that Go reads as another"),
        pytest.param(IMAGE, DOCKER_MANIFEST, "calls it", id="Content-Type contradicts, GHSA-mc8v-mgrf-8f4m"),
        pytest.param(without(IMAGE, "mediaType"), None, "not one of", id="nobody names the kind"),
        pytest.param({**IMAGE, "mediaType": "text/plain"}, None, "not one of", id="a kind that ECR does not store"),
        pytest.param({**IMAGE, "mediaType": 1}, None, "not one of", id="a kind that is a number"),
        pytest.param(without(IMAGE, "layers"), OCI_MANIFEST, "no 'layers'", id="no layers"),
        pytest.param(without(INDEX, "manifests"), OCI_INDEX, "no 'manifests'", id="no manifests"),
        pytest.param({**IMAGE, "layers": {}}, OCI_MANIFEST, "list", id="layers that are no list"),
        pytest.param({**IMAGE, "layers": ["x"]}, OCI_MANIFEST, "str", id="a descriptor that is a word"),
        pytest.param({**IMAGE, "schemaVersion": 1}, OCI_MANIFEST, "schemaVersion", id="schema 1"),
        pytest.param([IMAGE], OCI_MANIFEST, "schemaVersion", id="no object"),
        pytest.param({**IMAGE, "subject": "x"}, OCI_MANIFEST, "descriptor", id="a subject that is a word"),
        pytest.param({**IMAGE, "config": {**CONFIG, "size": -1}}, OCI_MANIFEST, "size", id="size below zero"),
        pytest.param({**IMAGE, "config": {**CONFIG, "size": 2**63}}, OCI_MANIFEST, "size", id="size beyond 63 bits"),
        pytest.param({**IMAGE, "config": {**CONFIG, "size": True}}, OCI_MANIFEST, "size", id="size true"),
        pytest.param({**IMAGE, "config": {**CONFIG, "size": 1.0}}, OCI_MANIFEST, "size", id="size with a point"),
        pytest.param(
            {**IMAGE, "config": {**CONFIG, "digest": "sha256:../../etc/passwd"}},
            OCI_MANIFEST,
            "points to",
            id="a digest that is a path, CVE-2024-3727",
        ),
        pytest.param({**IMAGE, "config": {**CONFIG, "digest": None}}, OCI_MANIFEST, "points to", id="no digest"),
        pytest.param({**IMAGE, "config": {**CONFIG, "mediaType": "x"}}, OCI_MANIFEST, "media type", id="no type"),
    ],
)
def test_it_is_refused_with_a_reason_when_it_is_wrong(
    document: object, content_type: str | None, complaint: str
) -> None:
    with pytest.raises(InvalidManifestError, match=complaint):
        parse_manifest(as_bytes(document), content_type)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut short"),
        pytest.param(b'{"schemaVersion": 2, "layers": [], "layers": []}', id="a key twice"),
        pytest.param(b'{"schemaVersion": 2, "size": NaN}', id="NaN"),
        pytest.param(json.dumps(IMAGE).encode("utf-16"), id="UTF-16, which json would guess"),
        pytest.param(b"[" * 100_000, id="nested without end"),
        pytest.param(as_bytes({**IMAGE, "annotations": {"a": "\ud800"}}), id="half of a character"),
        pytest.param(as_bytes({**IMAGE, "\udc00": 1}), id="half of a character as a key"),
        pytest.param(b'{"schemaVersion": ' + b"9" * 5000 + b"}", id="a number of 5,000 digits"),
    ],
)
def test_it_is_refused_when_it_is_not_plain_json(content: bytes) -> None:
    with pytest.raises(InvalidManifestError):
        parse_manifest(content, OCI_MANIFEST)


def test_a_manifest_of_4_mib_is_read_and_one_byte_more_is_refused() -> None:
    frame = len(as_bytes({**IMAGE, "annotations": {"a": ""}}))
    largest = as_bytes({**IMAGE, "annotations": {"a": "x" * (MANIFEST_LIMIT - frame)}})

    assert parse_manifest(largest, OCI_MANIFEST).descriptor.size == MANIFEST_LIMIT
    with pytest.raises(InvalidManifestError, match="limit"):
        parse_manifest(largest + b" ", OCI_MANIFEST)


@pytest.mark.parametrize("more", [0, 1])
def test_a_manifest_of_so_many_values_is_read_and_one_more_is_refused(more: int) -> None:
    members = 5  # four commas between them, and what surrounds them
    document = {**INDEX, "manifests": [], "a": "[,{" * 250_000, "b": [1] * (limits.VALUES - members - 1 + more)}
    content = as_bytes(document)

    if more:
        with pytest.raises(InvalidManifestError, match="more than the limit of 250000 values"):
            parse_manifest(content)
    else:
        assert parse_manifest(content).children == ()


def test_an_index_of_1000_children_is_read_and_one_more_is_refused() -> None:
    most = {**INDEX, "manifests": [CHILD] * limits.CHILDREN}

    assert len(parse_manifest(as_bytes(most), OCI_INDEX).children) == limits.CHILDREN
    with pytest.raises(InvalidManifestError, match="limit"):
        parse_manifest(as_bytes({**INDEX, "manifests": [CHILD] * (limits.CHILDREN + 1)}), OCI_INDEX)


def test_referrers_are_refused_when_the_list_is_an_image() -> None:
    assert [referrer.digest.value for referrer in parse_referrers(as_bytes(INDEX))] == [DIGEST]
    for document in (IMAGE, {**INDEX, "layers": []}, without(INDEX, "manifests")):
        with pytest.raises(InvalidManifestError):
            parse_referrers(as_bytes(document))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
documents = st.fixed_dictionaries(
    {"schemaVersion": st.just(2)},
    optional=dict.fromkeys(("mediaType", "config", "layers", "manifests", "subject"), json_values),
)


@given(st.binary() | json_values.map(as_bytes) | documents.map(as_bytes), st.sampled_from([OCI_MANIFEST, OCI_INDEX]))
def test_nothing_but_our_own_error_comes_out_when_the_bytes_are_arbitrary(content: bytes, content_type: str) -> None:
    try:
        manifest = parse_manifest(content, content_type)
    except InvalidManifestError:
        return
    assert manifest.content == content
    assert not (manifest.blobs and manifest.children)


def test_a_list_of_referrers_refers_to_nothing_itself() -> None:
    image, signature = image_of(b"{}"), image_of(b"{}", b"signature", subject=image_of(b"{}"))
    listed = json.loads(index_of(image).content) | {"subject": as_json(image.descriptor)}

    content = with_referrer(json.dumps(listed).encode(), signature)

    assert "subject" not in json.loads(content)
    assert [child.digest for child in parse_manifest(content).children] == [image.digest, signature.digest]
    assert with_referrer(content, signature) == content
    with pytest.raises(InvalidManifestError):
        with_referrer(image.content, signature)
