"""Content discovery: tags in pages, referrers with filter and in pages."""

import json
import re

import pytest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
SBOM, SIGNATURE = "application/vnd.example.sbom.v1", "application/vnd.example.signature.v1"
NOWHERE = "sha256:" + "0" * 64
SUBJECT = {"mediaType": OCI_MANIFEST, "digest": NOWHERE, "size": 7}
TAGS = ["b", "a", "v10", "v9", "B", "_", "1", "a.b", "a-b", "latest"]
NEXT = re.compile(r'<([^>]+)>; *rel="?next"?')


def tags_of(repository, expect, **query):
    return expect(repository.send("GET", "tags/list", **query), 200).json()["tags"]


def shows(found, wanted):
    """Fail with how many there are, and whether they are in order."""
    order = "in order" if found == sorted(found) else "out of order"
    assert found == wanted, f"lists {len(found)} tags {order}: {found}"


def next_page(answer):
    """Where the header says that it goes on; None at the end."""
    link = answer.headers.get("Link")
    if link is None:
        return None
    match = NEXT.fullmatch(link)
    assert match, f"no RFC 5988 link to the next page: {link!r}"
    return match[1]


@pytest.fixture
def tagged(repository):
    """A repository with all of TAGS on one image."""
    image = repository.image()
    for tag in TAGS:
        repository.push(image, tag)
    return repository


@pytest.fixture
def referrers(repository, expect):
    """Ask for the referrers of a digest."""

    def ask(digest=NOWHERE, **query):
        return expect(repository.send("GET", f"referrers/{digest}", **query), 200)

    return ask


@pytest.mark.spec("MUST: Assuming a repository is found, this request MUST return a `200 OK` response code.")
def test_the_tags_of_a_repository_are_listed_though_there_are_none(repository, expect):
    repository.push(repository.image())
    assert not tags_of(repository, expect)


@pytest.mark.spec(
    "MUST: If the list is not empty, the tags MUST be in lexical order (i.e. case-insensitive alphanumeric order)."
)
def test_tags_are_listed_in_lexical_order(tagged, expect):
    shows(tags_of(tagged, expect), sorted(TAGS))


@pytest.mark.spec("MUST: Upon success, the response MUST be a json body in the following format")
def test_the_list_of_tags_has_the_form_of_the_specification(tagged, expect):
    answer = expect(tagged.send("GET", "tags/list"), 200)
    assert "json" in answer.headers["Content-Type"]
    assert set(answer.json()) == {"name", "tags"}
    assert answer.json()["name"] == tagged.name
    assert set(answer.json()["tags"]) == set(TAGS)


@pytest.mark.spec(
    "MUST: The response to such a request MAY return fewer than `<int>` results, but only when the total number"
    " of tags attached to the repository is less than `<int>` or a `Link` header is provided. Otherwise, the"
    " response MUST include `<int>` results."
)
@pytest.mark.parametrize("n", [1, 3, len(TAGS), 50, 5000])
def test_as_many_tags_are_listed_as_are_asked_for(tagged, expect, n):
    answer = expect(tagged.send("GET", "tags/list", n=n), 200)
    shown = answer.json()["tags"]
    is_all = len(shown) == min(n, len(TAGS))
    assert is_all or (len(shown) < n and "Link" in answer.headers), f"lists {len(shown)} tags"


@pytest.mark.spec(
    'MUST: If included, the `Link` header MUST be set according to RFC5988 with the Relation Type `rel="next"`.'
)
def test_every_tag_is_listed_once_when_the_links_are_followed(tagged, expect):
    path, found = "tags/list?n=3", []
    while path is not None:
        answer = expect(tagged.send("GET", path), 200)
        found += answer.json()["tags"]
        path = next_page(answer)
        assert len(found) <= len(TAGS), f"goes on: {found}"
    shows(found, sorted(TAGS))


@pytest.mark.spec(
    "MUST: When `n` is zero, this endpoint MUST return an empty list, and MUST NOT include a `Link` header."
)
def test_no_tag_is_listed_and_no_link_given_when_none_is_asked_for(tagged, expect):
    answer = expect(tagged.send("GET", "tags/list", n=0), 200)
    shows(answer.json()["tags"], [])
    assert "Link" not in answer.headers


@pytest.mark.spec(
    "MUST: Without the `last` query parameter, the list returned will start at the beginning of the list and"
    " include `<int>` results. As above, the tags MUST be in lexical order."
)
def test_the_first_tags_are_listed_when_some_are_asked_for(tagged, expect):
    shows(tags_of(tagged, expect, n=4), sorted(TAGS)[:4])


@pytest.mark.spec("MUST: `<tagname>` MUST NOT be a numerical index, but rather it MUST be a proper tag.")
@pytest.mark.parametrize("last", ["a", "v9", "1", "aa", "zzz"])
def test_tags_are_listed_behind_the_last_one(tagged, expect, last):
    shows(tags_of(tagged, expect, last=last), [tag for tag in sorted(TAGS) if tag > last])


@pytest.mark.spec(
    "MUST: A request of this sort will return up to `<int>` tags, beginning non-inclusively with `<tagname>`. The"
    " tags MUST be in lexical order."
)
def test_so_many_tags_are_listed_behind_the_last_one(tagged, expect):
    shows(tags_of(tagged, expect, last="a", n=2), [tag for tag in sorted(TAGS) if tag > "a"][:2])


@pytest.mark.spec("MUST: Assuming a repository is found, this request MUST return a `200 OK` response code.")
def test_referrers_are_listed_when_the_repository_is_there(repository, referrers):
    digest = repository.push(repository.image(), "1.0")
    assert referrers(digest).json()["manifests"] == []


@pytest.mark.spec(
    "MUST NOT: If the registry supports the referrers API, the registry MUST NOT return a `404 Not Found` to a"
    " referrers API requests."
)
@pytest.mark.parametrize("digest", [NOWHERE, "sha512:" + "0" * 128], ids=["sha256", "sha512"])
def test_nothing_is_not_found_by_the_referrers_api(referrers, digest):
    assert referrers(digest).json()["manifests"] == []


@pytest.mark.spec(
    "MUST: If the request is invalid, such as a `<digest>` with an invalid syntax, a `400 Bad Request` MUST be"
    " returned."
)
@pytest.mark.parametrize(
    "digest", ["latest", "sha256:short", "sha256", "sha256:" + "G" * 64], ids=["tag", "short", "algorithm", "no-hex"]
)
def test_referrers_of_no_digest_are_a_bad_request(repository, expect, digest):
    repository.push(repository.image(), "1.0")
    expect(repository.send("GET", f"referrers/{digest}"), 400)


@pytest.mark.spec(
    "MUST: Upon success, the response MUST be a JSON body with an image index containing a list of descriptors."
)
def test_referrers_are_an_index_of_descriptors(repository, referrers):
    image = repository.image("referrer", subject=SUBJECT)
    digest = repository.push(image)
    repository.push(repository.image("other", subject={**SUBJECT, "digest": "sha256:" + "1" * 64}))
    index = referrers().json()
    assert (index["schemaVersion"], index["mediaType"]) == (2, OCI_INDEX)
    [descriptor] = index["manifests"]
    assert descriptor["digest"] == digest
    assert descriptor["mediaType"] == OCI_MANIFEST
    assert descriptor["size"] == len(json.dumps(image))


@pytest.mark.spec("MUST: The `Content-Type` header MUST be set to `application/vnd.oci.image.index.v1+json`.")
def test_referrers_have_the_content_type_of_an_index(referrers):
    assert referrers().headers["Content-Type"] == OCI_INDEX


@pytest.mark.spec(
    "MUST: The descriptors MUST include an `artifactType` field that is set to the value of the `artifactType` in"
    " the image manifest or index, if present."
)
@pytest.mark.parametrize("kind", [OCI_MANIFEST, OCI_INDEX], ids=["manifest", "index"])
def test_a_referrer_has_its_own_artifact_type(repository, referrers, kind):
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    document = repository.image() if kind == OCI_MANIFEST else index
    repository.push({**document, "artifactType": SBOM, "subject": SUBJECT})
    assert [one["artifactType"] for one in referrers().json()["manifests"]] == [SBOM]


@pytest.mark.spec(
    "MUST: If the `artifactType` is empty or missing in the image manifest, the value of `artifactType` MUST be"
    " set to the config descriptor `mediaType` value."
)
@pytest.mark.parametrize("members", [{}, {"artifactType": ""}], ids=["missing", "empty"])
def test_a_referrer_has_the_type_of_its_config_when_it_names_none(repository, referrers, members):
    repository.push(repository.image(subject=SUBJECT, **members))
    assert [one["artifactType"] for one in referrers().json()["manifests"]] == [OCI_CONFIG]


@pytest.mark.spec("MUST: If the `artifactType` is empty or missing in an index, the `artifactType` MUST be omitted.")
@pytest.mark.parametrize("members", [{}, {"artifactType": ""}], ids=["missing", "empty"])
def test_an_index_that_refers_has_no_type_when_it_names_none(repository, referrers, members):
    repository.push({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "subject": SUBJECT, **members})
    [descriptor] = referrers().json()["manifests"]
    assert "artifactType" not in descriptor


@pytest.mark.spec("MUST: The descriptors MUST include annotations from the image manifest or index.")
def test_a_referrer_has_its_annotations(repository, referrers):
    annotations = {"org.example.a": "1", "org.example.b": "ü"}
    repository.push(repository.image(subject=SUBJECT, annotations=annotations))
    assert [one["annotations"] for one in referrers().json()["manifests"]] == [annotations]


@pytest.mark.spec("MUST: If a query results in no matching referrers, an empty manifest list MUST be returned.")
def test_no_referrers_are_an_empty_list(repository, referrers):
    repository.push(repository.image(subject=SUBJECT, artifactType=SBOM))
    assert referrers(artifactType=SIGNATURE).json()["manifests"] == []
    assert referrers("sha256:" + "2" * 64).json()["manifests"] == []


@pytest.mark.spec(
    "MUST: A `Link` header MUST be included in the response when the descriptor list cannot be returned in a"
    " single manifest. Each response is an image index with different descriptors."
)
def test_every_referrer_is_listed_once_when_the_links_are_followed(repository, expect):
    image = repository.image(subject=SUBJECT)
    pushed = {repository.push({**image, "annotations": {"number": str(number)}}) for number in range(60)}
    path, found = f"referrers/{NOWHERE}", []
    while path is not None:
        answer = expect(repository.send("GET", path), 200)
        found += [one["digest"] for one in answer.json()["manifests"]]
        path = next_page(answer)
    assert len(found) == 60
    assert set(found) == pushed


@pytest.mark.spec('MUST: The `Link` header MUST be set according to RFC5988 with the Relation Type `rel="next"`.')
def test_a_link_to_more_referrers_keeps_the_filter(repository, referrers, expect):
    image = repository.image(subject=SUBJECT)
    for number in range(60):
        kind = SBOM if number % 10 else SIGNATURE
        repository.push({**image, "artifactType": kind, "annotations": {"number": str(number)}})
    answer = referrers(artifactType=SBOM)
    found = answer.json()["manifests"]
    while (path := next_page(answer)) is not None:
        answer = expect(repository.send("GET", path), 200)
        found += answer.json()["manifests"]
    assert [one["artifactType"] for one in found] == [SBOM] * 54


@pytest.mark.spec(
    "MUST: If filtering is requested and applied, the response MUST include a header `OCI-Filters-Applied:"
    " artifactType` denoting that an `artifactType` filter was applied."
)
def test_a_filter_that_was_applied_is_named(repository, referrers):
    digest = repository.push(repository.image("sbom", subject=SUBJECT, artifactType=SBOM))
    repository.push(repository.image("signature", subject=SUBJECT, artifactType=SIGNATURE))
    answer = referrers(artifactType=SBOM)
    assert [one["digest"] for one in answer.json()["manifests"]] == [digest]
    assert answer.headers["OCI-Filters-Applied"] == "artifactType"
    assert "OCI-Filters-Applied" not in referrers().headers


@pytest.mark.spec(
    "MUST: If multiple filters are applied, the header MUST contain a comma separated list of applied filters."
)
def test_only_filters_that_were_applied_are_named(referrers):
    answer = referrers(artifactType=SBOM, size="7")
    assert answer.headers["OCI-Filters-Applied"].split(",") == ["artifactType"]


@pytest.mark.spec(
    "MUST: Registries MUST include preexisting image manifests that are listed in an image index tagged with the"
    " referrers tag schema and have a valid `subject` field in the referrers API response."
)
def test_a_referrer_is_listed_once_when_a_tag_of_the_tag_schema_lists_it_as_well(repository, referrers):
    image = repository.image(subject=SUBJECT)
    digest = repository.push(image)
    entry = {"mediaType": OCI_MANIFEST, "digest": digest, "size": len(json.dumps(image))}
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
    repository.push(index, NOWHERE.replace(":", "-"))
    assert [one["digest"] for one in referrers().json()["manifests"]] == [digest]


@pytest.mark.spec(
    "MUST: After the referrers API is enabled, Registries MUST include all newly pushed image manifests with a"
    " valid `subject` field in the referrers API response."
)
def test_a_referrer_is_listed_as_soon_as_it_is_pushed_by_digest_or_tag(repository, referrers):
    by_digest = repository.push(repository.image("one", subject=SUBJECT))
    by_tag = repository.push(repository.image("two", subject=SUBJECT), "two")
    assert {one["digest"] for one in referrers().json()["manifests"]} == {by_digest, by_tag}
