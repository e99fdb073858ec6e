"""Push manifests: what is taken, what is refused, and what is said of it."""

import json

import pytest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
NOWHERE = "sha256:" + "0" * 64
MISSING = {"mediaType": OCI_MANIFEST, "digest": NOWHERE, "size": 7}


def codes_of(answer):
    return {error["code"] for error in answer.json()["errors"]}


@pytest.mark.spec(
    "MUST: The `<reference>` MUST be either (a) the digest of the manifest or (b) a tag. The `<reference>` MUST"
    " NOT be in any other format."
)
@pytest.mark.parametrize(
    "reference",
    ["sha256:short", "md5:" + "0" * 32, "a:b", ".tag", "-tag", "a%20b", "a%0a"],
    ids=["short-digest", "md5", "colon", "dot-first", "dash-first", "space", "line"],
)
def test_a_manifest_is_refused_when_its_reference_is_neither_digest_nor_tag(repository, expect, reference):
    expect(repository.put(reference, repository.image()), 400, 404)
    assert repository.send("GET", "tags/list").status == 404 or not repository.send("GET", "tags/list").json()["tags"]


@pytest.mark.spec(
    "MUST: Throughout this document, `<name>` MUST match the following regular expression:"
    " [a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*"
)
@pytest.mark.parametrize("tail", ["a", "a0", "a.b", "a_b", "a__b", "a-b", "a---b", "a/b/c", "0"])
def test_a_name_is_taken_when_it_matches(repository, expect, tail):
    expect(repository.at(f"{repository.name}/{tail}").send("POST", "blobs/uploads/"), 202)


@pytest.mark.spec("MUST: the same, from the other side")
@pytest.mark.parametrize("tail", ["A", "a..b", "a___b", "a.", "-a", "a//b", "a_-b", "%C3%A9", "a%20b"])
def test_a_name_is_refused_when_it_does_not_match(repository, expect, tail):
    expect(repository.at(f"{repository.name}/{tail}").send("POST", "blobs/uploads/"), 400, 404)


@pytest.mark.spec("MUST: the same, for a name of one component and one character")
def test_a_name_of_one_character_is_taken(repository, expect):
    expect(repository.at("r").send("POST", "blobs/uploads/"), 202)


@pytest.mark.spec(
    "MUST: Throughout this document, `<reference>` as a tag MUST be at most 128 characters in length and MUST"
    " match the following regular expression: [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}"
)
@pytest.mark.parametrize("tag", ["a", "_", "0.1", "A-b_c.D", "x" * 128], ids=lambda tag: tag[:8])
def test_a_tag_is_taken_when_it_matches(repository, expect, tag):
    digest = repository.push(repository.image(), tag)
    assert expect(repository.get(tag), 200).headers["Docker-Content-Digest"] == digest


@pytest.mark.spec("MUST: the same, from the other side")
@pytest.mark.parametrize("tag", ["x" * 129, "x" * 300], ids=["129", "300"])
def test_a_tag_is_refused_when_it_is_longer_than_128(repository, expect, tag):
    expect(repository.put(tag, repository.image()), 400, 404)
    expect(repository.get(tag), 404)


@pytest.mark.spec(
    "MUST: A registry MUST initially accept an otherwise valid manifest with a `subject` field that references a"
    " manifest that does not exist in the repository"
)
def test_a_manifest_is_taken_before_its_subject(repository, expect, digest_of):
    subject = repository.image("subject")
    body = json.dumps(subject).encode()
    descriptor = {"mediaType": OCI_MANIFEST, "digest": digest_of(body), "size": len(body)}
    referrer = repository.push(repository.image("referrer", subject=descriptor))
    repository.push(subject, "late")
    expect(repository.get(referrer), 200)


@pytest.mark.spec(
    "MUST: When a manifest is rejected for this reason, it MUST result in one or more `MANIFEST_BLOB_UNKNOWN` errors"
)
@pytest.mark.parametrize("part", ["config", "layer", "index"])
def test_a_manifest_is_refused_when_a_part_of_it_is_unknown(repository, expect, part):
    descriptor = {"mediaType": OCI_LAYER, "digest": NOWHERE, "size": 3}
    document = {
        "config": lambda: repository.image(config=descriptor),
        "layer": lambda: repository.image(layers=[descriptor, descriptor]),
        "index": lambda: {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [MISSING]},
    }[part]()
    answer = expect(repository.put("1.0", document), 400, 404)
    assert codes_of(answer) == {"MANIFEST_BLOB_UNKNOWN"}, f"has {answer.data!r}"


@pytest.mark.spec(
    "MUST: If a manifest includes a `mediaType` field, clients MUST set the `Content-Type` header to the value"
    " specified by the `mediaType` field."
)
@pytest.mark.parametrize("sent_as", [DOCKER_MANIFEST, OCI_INDEX], ids=["docker", "index"])
def test_a_manifest_is_refused_when_it_says_that_it_is_something_else_CVE_2021_41190(repository, expect, sent_as):
    expect(repository.put("1.0", repository.image(), sent_as), 400)
    expect(repository.get("1.0"), 404)


@pytest.mark.spec("GHSA-mc8v-mgrf-8f4m of the specification: what has both layers and manifests is refused")
@pytest.mark.parametrize("media_type", [OCI_MANIFEST, OCI_INDEX], ids=["manifest", "index"])
def test_a_manifest_is_refused_when_it_is_an_index_as_well_CVE_2021_41190(repository, expect, media_type):
    both = {**repository.image(), "mediaType": media_type, "manifests": []}
    expect(repository.put("1.0", both), 400)


@pytest.mark.spec(
    "MUST: The uploaded manifest MUST reference any blobs that make up the object. However, the list of blobs MAY"
    " be empty."
)
def test_a_manifest_is_taken_when_it_has_no_layers(repository, expect):
    digest = repository.push(repository.image(layers=[]), "1.0")
    assert expect(repository.get("1.0"), 200).headers["Docker-Content-Digest"] == digest


@pytest.mark.spec("MUST: The registry MUST store the manifest in the exact byte representation provided by the client.")
def test_a_manifest_is_stored_byte_for_byte(repository, expect):
    image = repository.image(annotations={"ünïcode": "\u2028 \\/ \u00e9"})
    for tag, body in {
        "indented": json.dumps(image, indent=3, ensure_ascii=False).encode() + b"\n\n",
        "escaped": json.dumps(image, ensure_ascii=True).replace("/", "\\/").encode(),
        "backwards": json.dumps(dict(reversed(image.items())), separators=(" , ", " : ")).encode(),
    }.items():
        expect(repository.put(tag, body), 201)
        assert repository.get(tag).data == body


@pytest.mark.spec(
    "MUST: Upon a successful upload, the registry MUST return response code `201 Created`, and MUST have the"
    " following header: Location"
)
@pytest.mark.parametrize("algorithm", ["tag", "sha256", "sha512"])
def test_a_pushed_manifest_has_a_location(repository, expect, digest_of, algorithm):
    body = json.dumps(repository.image()).encode()
    reference = "1.0" if algorithm == "tag" else digest_of(body, algorithm)
    answer = expect(repository.put(reference, body), 201)
    assert (
        expect(repository.send("GET", answer.headers["Location"], headers={"Accept": OCI_MANIFEST}), 200).data == body
    )


@pytest.mark.spec(
    "MUST: The Docker-Content-Digest header returns the canonical digest of the uploaded blob, and MUST be equal"
    " to the client provided digest."
)
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_manifest_has_the_digest_that_it_was_pushed_under(repository, expect, digest_of, algorithm):
    body = json.dumps(repository.image()).encode()
    digest = digest_of(body, algorithm)
    assert expect(repository.put(digest, body), 201).headers["Docker-Content-Digest"] == digest
    for method in ("GET", "HEAD"):
        assert expect(repository.get(digest, method), 200).headers["Docker-Content-Digest"] == digest


@pytest.mark.spec("MUST: the same: another digest is refused")
@pytest.mark.parametrize("digest", [NOWHERE, "sha512:" + "0" * 128], ids=["sha256", "sha512"])
def test_a_manifest_is_refused_when_it_has_another_digest(repository, expect, digest):
    expect(repository.put(digest, repository.image()), 400)
    expect(repository.get(digest), 404)


@pytest.mark.spec(
    "MUST: a registry implementation that supports the referrers API MUST respond with the response header"
    " `OCI-Subject: <subject digest>`"
)
@pytest.mark.parametrize("kind", [OCI_MANIFEST, OCI_INDEX], ids=["manifest", "index"])
def test_the_subject_is_acknowledged(repository, expect, kind):
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "subject": MISSING}
    document = repository.image(subject=MISSING) if kind == OCI_MANIFEST else index
    answer = expect(repository.put("1.0", document), 201)
    assert answer.headers.get("OCI-Subject") == NOWHERE, "no OCI-Subject"
    plain = expect(repository.put("2.0", repository.image()), 201)
    assert "OCI-Subject" not in plain.headers


@pytest.mark.spec(
    "SHOULD: The registry SHOULD ignore parameters on the `Content-Type` header, and SHOULD NOT include parameters."
)
def test_parameters_of_a_content_type_are_ignored(repository, expect):
    expect(repository.put("1.0", repository.image(), f"{OCI_MANIFEST}; charset=utf-8"), 201)
    assert repository.get("1.0").headers["Content-Type"] == OCI_MANIFEST


@pytest.mark.spec(
    "SHOULD: Client and registry implementations SHOULD expect to be able to support manifest pushes of at least"
    " 4 megabytes."
)
def test_a_manifest_of_four_megabytes_is_taken(repository, expect):
    repository.push(repository.image(annotations={str(number): "x" * 9_900 for number in range(400)}), "large")
    assert len(expect(repository.get("large"), 200).data) > 3_960_000


@pytest.mark.spec(
    "SHOULD: A registry that enforces this limit SHOULD respond to a request to push a manifest over this limit"
    " with a response code `413 Payload Too Large`."
)
def test_a_manifest_is_refused_with_413_when_it_is_too_large(repository, expect):
    expect(repository.put("huge", repository.image(annotations={"x": "y" * 4_194_304})), 413)
