"""Content management: tags, manifests and blobs are deleted; and all APIs of a category are there."""

import json

import pytest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
NOWHERE = "sha256:" + "0" * 64


@pytest.mark.spec("MUST: (Deleting tags) Upon success, the registry MUST respond with a `202 Accepted` code.")
def test_a_tag_is_deleted_and_its_manifest_stays(repository, expect):
    digest = repository.push(repository.image(), "1.0")
    expect(repository.send("DELETE", "manifests/1.0"), 202)
    expect(repository.get("1.0"), 404)
    expect(repository.get(digest), 200)


@pytest.mark.spec(
    "MUST: If tag deletion is disabled, the registry MUST respond with either a `400 Bad Request` or a `405"
    " Method Not Allowed`. (The same for manifests, and for blobs.)"
)
@pytest.mark.parametrize("what", ["tag", "manifest", "blob"])
def test_a_deletion_is_done_or_said_to_be_disabled(repository, expect, what):
    digest = repository.push(repository.image(), "1.0")
    blob = repository.push_blob(b"alone")
    path = {"tag": "manifests/1.0", "manifest": f"manifests/{digest}", "blob": f"blobs/{blob}"}[what]
    answer = expect(repository.send("DELETE", path), 202, 400, 405)
    expect(repository.send("HEAD", path, headers={"Accept": OCI_MANIFEST}), 404 if answer.status == 202 else 200)


@pytest.mark.spec("MUST: (Deleting Manifests) Upon success, the registry MUST respond with a `202 Accepted` code.")
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_manifest_is_deleted(repository, expect, digest_of, algorithm):
    body = json.dumps(repository.image()).encode()
    digest = digest_of(body, algorithm)
    expect(repository.put(digest, body), 201)
    expect(repository.send("DELETE", f"manifests/{digest}"), 202)
    expect(repository.get(digest), 404)


@pytest.mark.spec(
    "Once deleted, a `GET` to `/v2/<name>/manifests/<digest>` and any tag pointing to that digest will return a 404."
)
def test_the_tags_of_a_manifest_go_with_it(repository, expect):
    image = repository.image()
    digest = repository.push(image, "1.0")
    repository.push(image, "latest")
    repository.push(repository.image("other"), "other")
    expect(repository.send("DELETE", f"manifests/{digest}"), 202)
    for reference in (digest, "1.0", "latest"):
        expect(repository.get(reference), 404)
    assert expect(repository.send("GET", "tags/list"), 200).json()["tags"] == ["other"]


@pytest.mark.spec("MUST: If the repository does not exist, the response MUST return `404 Not Found`.")
def test_no_manifest_is_deleted_in_a_repository_that_is_not_there(repository, expect):
    expect(repository.send("DELETE", f"manifests/{NOWHERE}"), 404)


@pytest.mark.spec("MUST: (Deleting Manifests) what an index lists may go before or after it")
@pytest.mark.parametrize("order", ["index-first", "image-first"])
def test_an_image_and_the_index_that_lists_it_are_deleted_in_either_order(repository, expect, order):
    image = repository.image()
    child = repository.push(image)
    entry = {"mediaType": OCI_MANIFEST, "digest": child, "size": len(json.dumps(image))}
    index = repository.push({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}, "1.0")
    for digest in (index, child) if order == "index-first" else (child, index):
        expect(repository.send("DELETE", f"manifests/{digest}"), 202)
        expect(repository.get(digest), 404)


@pytest.mark.spec("MUST: (Deleting Blobs) Upon success, the registry MUST respond with code `202 Accepted`.")
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_blob_is_deleted(repository, expect, algorithm):
    digest = repository.push_blob(b"hello", algorithm)
    other = repository.at(f"{repository.name}/other")
    other.push_blob(b"hello", algorithm)
    expect(repository.send("DELETE", f"blobs/{digest}"), 202)
    expect(repository.send("HEAD", f"blobs/{digest}"), 404)
    assert expect(other.send("GET", f"blobs/{digest}"), 200).data == b"hello"


@pytest.mark.spec("MUST: If the blob is not found, a `404 Not Found` code MUST be returned.")
def test_a_blob_is_not_found_when_it_was_deleted(repository, expect):
    digest = repository.push_blob(b"hello")
    expect(repository.send("DELETE", f"blobs/{digest}"), 202)
    expect(repository.send("DELETE", f"blobs/{digest}"), 404)
    expect(repository.send("DELETE", f"blobs/{NOWHERE}"), 404)


@pytest.mark.spec("A referrer that is deleted is no longer listed (end-9, end-12a)")
def test_a_referrer_is_not_listed_when_it_was_deleted(repository, expect):
    subject = {"mediaType": OCI_MANIFEST, "digest": NOWHERE, "size": 7}
    digest = repository.push(repository.image(subject=subject))
    expect(repository.send("DELETE", f"manifests/{digest}"), 202)
    assert expect(repository.send("GET", f"referrers/{NOWHERE}"), 200).json()["manifests"] == []


CATEGORIES = {
    "push": ["end-4a", "end-4b", "end-5", "end-6", "end-7", "end-11", "end-13", "end-14"],
    "discovery": ["end-8a", "end-8b", "end-12a", "end-12b"],
    "management": ["end-9-tag", "end-9", "end-10"],
}


@pytest.mark.spec(
    "MUST: A registry claiming conformance with one of these specification categories MUST implement all APIs in"
    " the claimed category."
)
@pytest.mark.parametrize("end", [end for ends in CATEGORIES.values() for end in ends])
def test_every_endpoint_of_every_category_is_there(repository, expect, digest_of, end):
    source = repository.at(f"{repository.name}/source")
    blob, image = source.push_blob(b"source"), repository.image()
    digest = repository.push(image, "1.0")
    hello = digest_of(b"hello")
    answer, status = {
        "end-4a": lambda: (repository.send("POST", "blobs/uploads/"), 202),
        "end-4b": lambda: (repository.send("POST", "blobs/uploads/", body=b"hello", digest=hello), 201),
        "end-5": lambda: (repository.patch(repository.begin(), b"hello", 0), 202),
        "end-6": lambda: (repository.send("PUT", repository.begin(), body=b"hello", digest=hello), 201),
        "end-7": lambda: (repository.put("2.0", image), 201),
        "end-8a": lambda: (repository.send("GET", "tags/list"), 200),
        "end-8b": lambda: (repository.send("GET", "tags/list", n=1, last="0"), 200),
        "end-9-tag": lambda: (repository.send("DELETE", "manifests/1.0"), 202),
        "end-9": lambda: (repository.send("DELETE", f"manifests/{digest}"), 202),
        "end-10": lambda: (repository.send("DELETE", f"blobs/{repository.push_blob(b'alone')}"), 202),
        "end-11": lambda: (repository.send("POST", "blobs/uploads/", **{"mount": blob, "from": source.name}), 201),
        "end-12a": lambda: (repository.send("GET", f"referrers/{digest}"), 200),
        "end-12b": lambda: (repository.send("GET", f"referrers/{digest}", artifactType="x/y"), 200),
        "end-13": lambda: (repository.send("GET", repository.begin()), 204),
        "end-14": lambda: (repository.send("DELETE", repository.begin()), 204),
    }[end]()
    expect(answer, status)
