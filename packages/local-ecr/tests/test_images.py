"""Images through the API: the digest is the manifest's, tags move, what is referenced stays."""

import json
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
NOWHERE = "sha256:" + "0" * 64


def ids(ecr, **filters):
    return ecr.list_images(repositoryName="team/app", **filters)["imageIds"]


def manifest_of(ecr, image_id):
    found = ecr.batch_get_image(repositoryName="team/app", imageIds=[image_id])["images"]
    return found[0]["imageManifest"]


def test_an_image_is_described_with_its_own_digest_when_it_was_pushed(ecr, team_app):
    before = datetime.now(UTC)
    digest = team_app.push_image("hello", "1.0")

    [detail] = ecr.describe_images(repositoryName="team/app")["imageDetails"]

    assert detail.pop("imagePushedAt") >= before.replace(microsecond=0)
    assert detail == {
        "registryId": "111122223333",
        "repositoryName": "team/app",
        "imageDigest": digest,
        "imageTags": ["1.0"],
        "imageSizeInBytes": len("hello"),
        "imageManifestMediaType": OCI_MANIFEST,
        "artifactMediaType": "application/vnd.oci.image.config.v1+json",
        "imageStatus": "ACTIVE",
    }


def test_the_old_image_stays_untagged_when_its_only_tag_moves(ecr, team_app):
    first, second = team_app.push_image("one", "latest"), team_app.push_image("two", "latest")
    assert ids(ecr) == [{"imageDigest": first}, {"imageDigest": second, "imageTag": "latest"}]
    assert ids(ecr, filter={"tagStatus": "UNTAGGED"}) == [{"imageDigest": first}]
    tagged = ecr.describe_images(repositoryName="team/app", filter={"tagStatus": "TAGGED"})["imageDetails"]
    assert [one["imageDigest"] for one in tagged] == [second]


def test_a_tag_is_added_by_writing_the_manifest_back(ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    manifest = manifest_of(ecr, {"imageDigest": digest})
    put = ecr.put_image(repositoryName="team/app", imageManifest=manifest, imageTag="latest", imageDigest=digest)
    assert put["image"]["imageId"] == {"imageDigest": digest, "imageTag": "latest"}
    assert put["image"]["imageManifest"] == manifest
    [detail] = ecr.describe_images(repositoryName="team/app")["imageDetails"]
    assert detail["imageTags"] == ["1.0", "latest"]


@pytest.mark.parametrize("tagged", [True, False])
def test_an_image_already_exists_when_it_is_put_again(ecr, team_app, tagged):
    digest = team_app.push_image("one", "1.0")
    named = {"imageTag": "1.0"} if tagged else {}
    with pytest.raises(ClientError, match="ImageAlreadyExistsException"):
        ecr.put_image(repositoryName="team/app", imageManifest=manifest_of(ecr, {"imageDigest": digest}), **named)


def test_a_tag_cannot_move_when_the_repository_is_immutable(ecr, team_app):
    first, second = team_app.push_image("one", "1.0"), team_app.push_image("two")
    ecr.put_image_tag_mutability(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    with pytest.raises(ClientError, match="ImageTagAlreadyExistsException"):
        ecr.put_image(
            repositoryName="team/app", imageManifest=manifest_of(ecr, {"imageDigest": second}), imageTag="1.0"
        )
    assert ids(ecr, filter={"tagStatus": "TAGGED"}) == [{"imageDigest": first, "imageTag": "1.0"}]


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("imageDigest", NOWHERE, "ImageDigestDoesNotMatchException"),
        ("imageDigest", "latest", "InvalidParameterException"),
        ("imageTag", "../x", "InvalidParameterException"),
        ("imageManifestMediaType", "application/vnd.oci.image.index.v1+json", "InvalidParameterException"),
    ],
)
def test_an_image_is_refused_when_what_is_said_of_it_is_not_so(ecr, team_app, member, value, code):
    manifest = json.dumps(team_app.image("one"))
    with pytest.raises(ClientError, match=code):
        ecr.put_image(repositoryName="team/app", imageManifest=manifest, **{member: value})
    assert ids(ecr) == []


def test_an_image_is_refused_when_its_layers_are_only_in_another_repository(stand, ecr, team_app):
    manifest = json.dumps(team_app.image("one"))
    ecr.create_repository(repositoryName="team/other")
    with pytest.raises(ClientError, match=r"LayersNotFoundException.*sha256:"):
        ecr.put_image(repositoryName="team/other", imageManifest=manifest)


def test_an_index_is_refused_when_an_image_that_it_lists_is_missing(ecr, team_app):
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{"mediaType": OCI_MANIFEST, "digest": NOWHERE, "size": 3}],
    }
    with pytest.raises(ClientError, match=f"ReferencedImagesNotFoundException.*{NOWHERE}"):
        ecr.put_image(repositoryName="team/app", imageManifest=json.dumps(index))


def test_an_index_has_the_size_of_its_largest_image(ecr, team_app):
    small, large = team_app.push_image("x"), team_app.push_image("a larger one")
    digest = team_app.push_index("1.0", [small, large])
    [detail] = ecr.describe_images(repositoryName="team/app", imageIds=[{"imageDigest": digest}])["imageDetails"]
    assert detail["imageSizeInBytes"] == len("a larger one")
    assert "artifactMediaType" not in detail


def test_an_index_of_indexes_has_the_size_of_the_largest_image_below_it(ecr, team_app):
    inner = team_app.push_index("inner", [team_app.push_image("the largest of them all"), team_app.push_image("x")])
    outer = team_app.push_index("outer", [team_app.push_image("larger"), inner])
    [detail] = ecr.describe_images(repositoryName="team/app", imageIds=[{"imageDigest": outer}])["imageDetails"]
    assert detail["imageSizeInBytes"] == len("the largest of them all")


def test_an_image_of_an_index_goes_only_after_the_index(ecr, team_app):
    child = team_app.push_image("one")
    index = team_app.push_index("1.0", [child])

    refused = ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": child}])
    assert refused["imageIds"] == []
    assert refused["failures"][0]["failureCode"] == "ImageReferencedByManifestList"
    assert index in refused["failures"][0]["failureReason"]

    both = ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageTag": "1.0"}, {"imageDigest": child}])
    assert both["failures"] == []
    assert ids(ecr) == []


def test_one_tag_goes_and_the_image_stays_when_it_has_another(ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    team_app.push_image("one", "latest")
    answer = ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageTag": "latest"}])
    assert answer["imageIds"] == [{"imageDigest": digest, "imageTag": "latest"}]
    assert ids(ecr) == [{"imageDigest": digest, "imageTag": "1.0"}]


def test_the_image_goes_when_its_last_tag_is_removed(ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    answer = ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageTag": "1.0", "imageDigest": digest}])
    assert answer["imageIds"] == [{"imageDigest": digest, "imageTag": "1.0"}]
    assert ids(ecr) == []


def test_all_tags_go_when_an_image_is_deleted_by_digest(ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    team_app.push_image("one", "latest")
    answer = ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": digest}])
    assert answer["imageIds"] == [
        {"imageDigest": digest, "imageTag": "1.0"},
        {"imageDigest": digest, "imageTag": "latest"},
    ]
    assert ids(ecr) == []


@pytest.mark.parametrize("operation", ["batch_get_image", "batch_delete_image"])
def test_each_wrong_image_id_fails_on_its_own_while_the_right_one_is_served(ecr, team_app, operation):
    digest = team_app.push_image("one", "1.0")
    other = team_app.push_image("two", "2.0")
    wrong = {
        "ImageNotFound": {"imageTag": "3.0"},
        "ImageTagDoesNotMatchDigest": {"imageTag": "2.0", "imageDigest": digest},
        "InvalidImageDigest": {"imageDigest": "latest"},
        "InvalidImageTag": {"imageTag": "a b"},
        "MissingDigestAndTag": {},
    }
    answer = getattr(ecr, operation)(repositoryName="team/app", imageIds=[*wrong.values(), {"imageDigest": other}])
    assert {one["failureCode"]: one["imageId"] for one in answer["failures"]} == wrong
    assert len(answer.get("images", answer.get("imageIds"))) == 1


@pytest.mark.parametrize("operation", ["describe_images", "describe_image_scan_findings", "put_image"])
@pytest.mark.parametrize(
    ("named", "form"),
    [
        ({"imageTag": "a b"}, "[a-zA-Z0-9-_.]+"),
        ({"imageDigest": "latest"}, "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+"),
    ],
)
def test_one_image_is_refused_in_ecrs_words_when_its_name_is_none(ecr, team_app, operation, named, form):
    asked = {
        "describe_images": {"imageIds": [named]},
        "describe_image_scan_findings": {"imageId": named},
        "put_image": {"imageManifest": json.dumps(team_app.image("one")), **named},
    }[operation]
    with pytest.raises(ClientError, match="InvalidParameterException") as refused:
        getattr(ecr, operation)(repositoryName="team/app", **asked)
    told, member = refused.value.response["Error"]["Message"], next(iter(named))
    constraint = f"must satisfy regular expression '{form}'"
    assert told == f"Invalid parameter at '{member}' failed to satisfy constraint: '{constraint}'"


@pytest.mark.parametrize("paging", [{"maxResults": 5}, {"nextToken": "x"}])
def test_named_images_are_not_paged(ecr, team_app, paging):
    digest = team_app.push_image("one", "1.0")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.describe_images(repositoryName="team/app", imageIds=[{"imageDigest": digest}], **paging)


def test_each_named_image_is_described_once_by_whichever_name(ecr, team_app):
    first, second = team_app.push_image("one", "1.0"), team_app.push_image("two")
    wanted = [{"imageDigest": second}, {"imageTag": "1.0"}, {"imageDigest": first, "imageTag": "1.0"}]
    found = ecr.describe_images(repositoryName="team/app", imageIds=wanted)["imageDetails"]
    assert [one["imageDigest"] for one in found] == [second, first]


def test_describing_fails_when_an_image_is_missing(ecr, team_app):
    with pytest.raises(ClientError, match=r"ImageNotFoundException.*imageTag:'1\.0'"):
        ecr.describe_images(repositoryName="team/app", imageIds=[{"imageTag": "1.0"}])


def test_every_image_and_tag_is_listed_once_when_pages_are_small(ecr, team_app):
    expected = []
    for number in range(5):
        digest = team_app.push_image(f"image {number}", f"v{number}")
        team_app.push_image(f"image {number}", f"w{number}")
        expected += [(digest, f"v{number}"), (digest, f"w{number}")]
    expected.append((team_app.push_image("untagged"), None))

    def listed(name, key, size):
        pages = ecr.get_paginator(name).paginate(repositoryName="team/app", PaginationConfig={"PageSize": size})
        found = [page[key] for page in pages]
        assert all(len(page) <= size for page in found)
        return [one for page in found for one in page]

    for size in (1, 2, 3, 100):
        assert [
            (one["imageDigest"], one.get("imageTag")) for one in listed("list_images", "imageIds", size)
        ] == expected
        described = listed("describe_images", "imageDetails", size)
        assert [one["imageDigest"] for one in described] == list(dict.fromkeys(digest for digest, _ in expected))


def test_referrers_are_listed_before_and_after_their_subject_exists(ecr, team_app):
    subject = team_app.image("subject")
    body = json.dumps(subject).encode()
    descriptor = {"mediaType": OCI_MANIFEST, "digest": team_app.digest_of(body), "size": len(body)}
    sbom = team_app.push_image("sbom", artifactType="application/spdx+json", subject=descriptor, annotations={"a": "b"})
    signature = team_app.push_image("signature", artifactType="application/x.sig", subject=descriptor)

    def referrers(**members):
        wanted = {"imageDigest": descriptor["digest"]}
        return ecr.list_image_referrers(repositoryName="team/app", subjectId=wanted, **members)

    assert [one["digest"] for one in referrers()["referrers"]] == [sbom, signature]
    assert team_app.push_manifest("1.0", body).status == 201
    [found] = referrers(filter={"artifactTypes": ["application/spdx+json"]})["referrers"]
    assert found["digest"] == sbom
    assert found["artifactType"] == "application/spdx+json"
    assert found["annotations"] == {"a": "b"}
    first = referrers(maxResults=1)
    second = referrers(maxResults=1, nextToken=first["nextToken"])
    assert [first["referrers"][0]["digest"], second["referrers"][0]["digest"]] == [sbom, signature]
    assert "nextToken" not in second
    described = ecr.describe_images(repositoryName="team/app", imageIds=[{"imageDigest": sbom}])["imageDetails"][0]
    assert described["subjectManifestDigest"] == descriptor["digest"]
    assert described["artifactMediaType"] == "application/spdx+json"
