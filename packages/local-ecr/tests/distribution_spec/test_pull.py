"""Pull: manifests by tag and by digest, blobs, and whether they are there."""

import json

import pytest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
ARTIFACT = "application/vnd.example.sbom.v1"
NOWHERE = "sha256:" + "0" * 64
MISSING = {"mediaType": OCI_MANIFEST, "digest": NOWHERE, "size": 7}


def image(repository):
    return repository.image("image", annotations={"org.example.key": "value"})


def docker_image(repository):
    return {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": repository.descriptor(b"{}", "application/vnd.docker.container.image.v1+json"),
        "layers": [repository.descriptor(b"layer", "application/vnd.docker.image.rootfs.diff.tar.gzip")],
    }


def index(repository, media_type=OCI_INDEX, child=image, **members):
    document = child(repository)
    body = json.dumps(document).encode()
    entry = {"mediaType": document["mediaType"], "digest": repository.push(document), "size": len(body)}
    platform = {"os": "linux", "architecture": "amd64"}
    return {"schemaVersion": 2, "mediaType": media_type, "manifests": [{**entry, "platform": platform}], **members}


def docker_list(repository):
    return index(repository, DOCKER_LIST, docker_image)


def nested_index(repository):
    return index(repository, child=index)


def empty_index(repository):
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}


def artifact(repository):
    """What is no image: an artifact type, and the empty JSON blob as config and as its only layer."""
    empty = repository.descriptor(b"{}", OCI_EMPTY)
    return {**repository.image(), "artifactType": ARTIFACT, "config": empty, "layers": [empty]}


def artifact_index(repository):
    return index(repository, artifactType=ARTIFACT)


def image_with_subject(repository):
    return repository.image("referrer", subject=MISSING)


def index_with_subject(repository):
    return index(repository, subject=MISSING)


def image_without_layers(repository):
    return repository.image("no layers", layers=[])


def image_of_an_empty_layer(repository):
    return repository.image("empty", layers=[repository.descriptor(b"", "application/vnd.oci.image.layer.v1.tar")])


def image_with_data(repository):
    config = repository.descriptor(b"{}", "application/vnd.oci.image.config.v1+json", data="e30=")
    return repository.image("data", config=config)


def image_with_fields_of_its_own(repository):
    return repository.image("own", **{"org.example.field": {"any": ["thing", 1, None, True]}})


def image_of_foreign_layers(repository):
    foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    urls = ["https://store.example.com/layer"]
    return repository.image("foreign", layers=[{"mediaType": foreign, "digest": NOWHERE, "size": 9, "urls": urls}])


def image_with_sha512_layers(repository):
    layer = repository.descriptor(b"layer", "application/vnd.oci.image.layer.v1.tar", "sha512")
    return repository.image("sha512", layers=[layer])


def image_with_media_types_that_have_parameters(repository):
    kind = "application/vnd.dev.sigstore.bundle+json;version=0.2"
    return repository.image("parameters", artifactType=kind, layers=[repository.descriptor(b"bundle", kind)])


KINDS = [
    image, docker_image, index, docker_list, nested_index, empty_index, artifact, artifact_index, image_with_subject,
    index_with_subject, image_without_layers, image_of_an_empty_layer, image_with_data, image_with_fields_of_its_own,
    image_of_foreign_layers, image_with_sha512_layers, image_with_media_types_that_have_parameters,
]  # fmt: skip


@pytest.mark.spec(
    "MUST: A GET request to an existing manifest URL MUST provide the expected manifest, with a response code"
    " that MUST be `200 OK`."
)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_manifest_is_pulled_as_it_was_pushed(repository, expect, kind):
    document = kind(repository)
    digest = repository.push(document, "pushed")
    for reference in ("pushed", digest):
        pulled = expect(repository.get(reference), 200)
        assert pulled.data == json.dumps(document).encode()
        assert pulled.headers["Content-Type"] == document["mediaType"]
        assert pulled.headers["Docker-Content-Digest"] == digest


@pytest.mark.spec("MUST: If the manifest is not found in the repository, the response code MUST be `404 Not Found`.")
@pytest.mark.parametrize("reference", ["none", NOWHERE, "sha512:" + "0" * 128], ids=["tag", "sha256", "sha512"])
def test_a_manifest_is_not_found_when_it_was_not_pushed(repository, expect, reference):
    repository.push(repository.image(), "other")
    expect(repository.get(reference), 404)


@pytest.mark.spec(
    "MUST: A GET request to an existing blob URL MUST provide the expected blob, with a response code that MUST"
    " be `200 OK`."
)
@pytest.mark.parametrize("data", [b"hello", b"", b"{}", b"x" * 3_000_000], ids=["text", "empty", "json", "3-MB"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_blob_is_pulled_as_it_was_pushed(repository, expect, data, algorithm):
    digest = repository.push_blob(data, algorithm)
    assert expect(repository.send("GET", f"blobs/{digest}"), 200).data == data


@pytest.mark.spec("MUST: If present, the value of this header MUST be a digest matching that of the response body.")
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_blob_has_its_own_digest_in_the_header(repository, digest_of, algorithm):
    digest = repository.push_blob(b"hello", algorithm)
    pulled = repository.send("GET", f"blobs/{digest}")
    told = pulled.headers["Docker-Content-Digest"]
    assert told == digest_of(pulled.data, told.partition(":")[0])


@pytest.mark.spec("MUST: If the blob is not found in the repository, the response code MUST be `404 Not Found`.")
def test_a_blob_is_not_found_when_another_repository_has_it(repository, expect):
    repository.push_blob(b"here")
    digest = repository.at(f"{repository.name}/other").push_blob(b"there")
    expect(repository.send("GET", f"blobs/{digest}"), 404)
    expect(repository.send("GET", f"blobs/{NOWHERE}"), 404)


@pytest.mark.spec("MUST: A HEAD request to an existing blob or manifest URL MUST return `200 OK`.")
def test_head_finds_what_is_there(repository, expect):
    digest = repository.push(repository.image(), "here")
    blob = repository.push_blob(b"hello")
    for reference in ("here", digest):
        found = expect(repository.get(reference, "HEAD"), 200)
        assert found.headers["Docker-Content-Digest"] == digest
        assert found.headers["Content-Length"] == str(len(repository.get(reference).data))
    found = expect(repository.send("HEAD", f"blobs/{blob}"), 200)
    assert (found.headers["Docker-Content-Digest"], found.headers["Content-Length"]) == (blob, "5")


@pytest.mark.spec(
    "MUST: If the blob or manifest is not found in the repository, the response code MUST be `404 Not Found`."
)
@pytest.mark.parametrize(
    "path", ["manifests/none", f"manifests/{NOWHERE}", f"blobs/{NOWHERE}"], ids=["tag", "digest", "blob"]
)
def test_head_does_not_find_what_is_not_there(repository, expect, path):
    repository.push(repository.image(), "here")
    expect(repository.send("HEAD", path), 404)


@pytest.mark.spec("MUST: An attempt to pull a nonexistent repository MUST return response code `404 Not Found`.")
@pytest.mark.parametrize(
    "path", ["manifests/latest", f"manifests/{NOWHERE}", f"blobs/{NOWHERE}"], ids=["tag", "digest", "blob"]
)
def test_nothing_is_found_in_a_repository_that_is_not_there(repository, expect, path):
    expect(repository.send("GET", path), 404)


@pytest.mark.spec(
    "MUST: All registries conforming to this specification MUST support, at a minimum, all APIs in the **Pull**"
    " category."
)
def test_all_that_pull_needs_is_there(repository, expect):
    expect(repository.send("GET", "/v2/"), 200)
    digest = repository.push(repository.image(), "latest")
    blob = repository.push_blob(b"hello")
    for method in ("GET", "HEAD"):
        expect(repository.get("latest", method), 200)
        expect(repository.get(digest, method), 200)
        expect(repository.send(method, f"blobs/{blob}"), 200)


@pytest.mark.spec("SHOULD: A registry SHOULD support the `Range` request header in accordance with RFC 9110.")
@pytest.mark.parametrize(
    ("asked", "status", "shown"),
    [
        ("bytes=0-0", 206, ("bytes 0-0/5", b"h")),
        ("bytes=1-3", 206, ("bytes 1-3/5", b"ell")),
        ("bytes=2-", 206, ("bytes 2-4/5", b"llo")),
        ("bytes=-2", 206, ("bytes 3-4/5", b"lo")),
        ("bytes=3-99", 206, ("bytes 3-4/5", b"lo")),
        ("bytes=5-9", 416, ("bytes */5", None)),
    ],
)
def test_a_part_of_a_blob_is_pulled_when_a_range_is_asked_for(repository, expect, asked, status, shown):
    digest = repository.push_blob(b"hello")
    pulled = expect(repository.send("GET", f"blobs/{digest}", headers={"Range": asked}), status)
    assert (pulled.headers["Content-Range"], pulled.data if status == 206 else None) == shown
