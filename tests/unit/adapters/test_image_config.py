"""Reading the config of an image: its labels, or why nobody can tell them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.adapters import limits
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.image_config import parse_labels
from ecr_steward.adapters.manifests import digest_of, parse_manifest
from ecr_steward.domain.images import OCI_CONFIG, OCI_MANIFEST, Descriptor
from ecr_steward.errors import DigestMismatchError, InvalidImageConfigError, InvalidManifestError

type Reply = Callable[..., Any]

DIGEST = digest_of(b"the config")


@pytest.mark.parametrize(
    ("document", "labels"),
    [
        ({"config": {"Labels": {"team": "a", "empty": ""}}}, {"team": "a", "empty": ""}),
        ({"config": {"Labels": None}}, {}),
        ({"config": {"Env": ["A=b"]}}, {}),
        ({"config": None}, {}),
        ({"architecture": "arm64"}, {}),
    ],
)
def test_labels_are_those_of_the_config_when_it_has_some(document: Any, labels: dict[str, str]) -> None:
    assert parse_labels(json.dumps(document).encode(), DIGEST) == labels


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff", "codec"),
        (b"{", "Expecting"),
        (b"[]", "it is a list"),
        (b'{"config": {"Labels": {"team": "a", "team": "b"}}}', "a key occurs twice"),
        (b'{"config": {"Labels": ["team"]}}', "a list instead of keys and texts"),
        (b'{"config": {"Labels": {"team": 1}}}', "the value of 'team' is no text"),
        (b'{"config": [1]}', "`config` is a list"),
        (b'{"config": {"Labels": {}, "labels": {"team": "a"}}}', "'labels', which only some clients read"),
        (b'{"Config": {"Labels": {"team": "a"}}}', "'Config', which only some clients read"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_labels_are_refused_with_a_reason_when_readers_could_differ(content: bytes, reason: str) -> None:
    with pytest.raises(InvalidImageConfigError, match=reason) as refused:
        parse_labels(content, DIGEST)

    assert str(DIGEST) in str(refused.value)


@given(
    st.binary()
    | st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner)).map(
        lambda document: json.dumps({"config": document}).encode()
    )
)
def test_nothing_but_our_own_error_comes_out_when_the_bytes_are_arbitrary(content: bytes) -> None:
    try:
        labels = parse_labels(content, DIGEST)
    except InvalidImageConfigError:
        return
    assert all(isinstance(text, str) for text in labels.values())


def test_a_config_of_4_mib_is_read_and_one_byte_more_is_not_asked_for(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    content = b"x" * limits.CONFIG_BYTES
    config = Descriptor(OCI_CONFIG, digest_of(content), len(content))
    server.on("GET", f"/v2/team-a/api/blobs/{config.digest}", reply_with(200, content))

    assert client.get_config("team-a/api", config) == content
    with pytest.raises(InvalidImageConfigError, match="over the limit of 4194304"):
        client.get_config("team-a/api", Descriptor(OCI_CONFIG, config.digest, len(content) + 1))
    assert server.methods() == ["GET"]


def test_a_config_is_refused_when_its_bytes_are_not_those_of_its_digest(
    server: Any, client: DistributionClient, reply_with: Reply
) -> None:
    config = Descriptor(OCI_CONFIG, DIGEST, 10)
    server.on("GET", f"/v2/team-a/api/blobs/{DIGEST}", reply_with(200, b"the c0nfig"))

    with pytest.raises(DigestMismatchError, match=str(DIGEST)):
        client.get_config("team-a/api", config)


@pytest.mark.parametrize(
    ("keys", "annotations"), [({}, {}), ({"annotations": None}, {}), ({"annotations": {"a": "b"}}, {"a": "b"})]
)
def test_annotations_are_those_of_the_manifest_when_it_has_some(keys: Any, annotations: dict[str, str]) -> None:
    config = {"mediaType": OCI_CONFIG, "digest": DIGEST.value, "size": 10}
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [], **keys}

    manifest = parse_manifest(json.dumps(document).encode())

    assert manifest.annotations == annotations
    assert manifest.descriptor.artifact_type == OCI_CONFIG


@pytest.mark.parametrize("keys", [{"annotations": {"a": 1}}, {"annotations": []}, {"Annotations": {"a": "b"}}])
def test_a_manifest_is_refused_when_readers_could_differ_about_its_annotations(keys: Any) -> None:
    config = {"mediaType": OCI_CONFIG, "digest": DIGEST.value, "size": 10}
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [], **keys}

    with pytest.raises(InvalidManifestError, match="nnotations"):
        parse_manifest(json.dumps(document).encode())
