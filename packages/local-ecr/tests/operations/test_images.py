"""Images: put, listed, described, read and deleted."""

import hashlib
import json
from typing import Any

import pytest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(manifest: str) -> str:
    return f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"


def pull(account: Any, name: str, reference: str) -> Any:
    return account.http("GET", f"/v2/{name}/manifests/{reference}", headers={"Accept": OCI_MANIFEST})


@pytest.mark.operation("PutImage")
def test_an_image_that_was_put_is_pulled_by_its_tag_and_is_what_its_digest_says(account: Any) -> None:
    name = account.create_repository()
    manifest = account.manifest(name, "put")

    put = account.ecr.put_image(repositoryName=name, imageManifest=manifest, imageTag="1.0")["image"]

    assert put["imageId"] == {"imageDigest": digest_of(manifest), "imageTag": "1.0"}
    pulled = pull(account, name, "1.0")
    assert pulled.data.decode() == manifest
    assert pulled.headers["Docker-Content-Digest"] == digest_of(manifest)


@pytest.mark.operation("BatchGetImage")
def test_an_image_that_was_pushed_through_the_other_face_is_got_as_it_was_sent(account: Any) -> None:
    name = account.create_repository()
    manifest = account.manifest(name, "pushed")
    sent = account.http(
        "PUT", f"/v2/{name}/manifests/1.0", body=manifest.encode(), headers={"Content-Type": OCI_MANIFEST}
    )
    assert sent.status == 201

    answer = account.ecr.batch_get_image(repositoryName=name, imageIds=[{"imageTag": "1.0"}, {"imageTag": "2.0"}])

    [image] = answer["images"]
    assert image["imageManifest"] == manifest
    assert image["imageManifestMediaType"] == OCI_MANIFEST
    assert [one["failureCode"] for one in answer["failures"]] == ["ImageNotFound"]


@pytest.mark.operation("DescribeImages")
def test_images_are_described_with_all_tags_and_their_size(account: Any) -> None:
    name = account.create_repository()
    digest = account.push_image(name, "described", "1.0", "latest")

    [detail] = account.ecr.describe_images(repositoryName=name)["imageDetails"]

    assert detail["imageDigest"] == digest
    assert sorted(detail["imageTags"]) == ["1.0", "latest"]
    assert detail["imageManifestMediaType"] == OCI_MANIFEST
    manifest = json.loads(pull(account, name, "latest").data)
    assert detail["imageSizeInBytes"] >= sum(layer["size"] for layer in manifest["layers"])
    assert detail["artifactMediaType"] == manifest["config"]["mediaType"]


@pytest.mark.operation("ListImages")
def test_images_are_listed_once_for_each_tag_as_the_other_face_lists_the_tags(account: Any) -> None:
    name = account.create_repository()
    digest = account.push_image(name, "listed", "1.0", "latest")
    untagged = account.push_image(name, "untagged")

    found = account.ecr.list_images(repositoryName=name)["imageIds"]

    assert sorted((one["imageDigest"], one.get("imageTag", "")) for one in found) == sorted(
        [(digest, "1.0"), (digest, "latest"), (untagged, "")]
    )
    tags = json.loads(account.http("GET", f"/v2/{name}/tags/list").data)["tags"]
    assert sorted(tags) == ["1.0", "latest"]


@pytest.mark.operation("BatchDeleteImage")
def test_a_deleted_tag_is_gone_and_with_the_last_one_the_image(account: Any) -> None:
    name = account.create_repository()
    digest = account.push_image(name, "deleted", "1.0", "latest")

    first = account.ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "1.0"}])
    assert first["imageIds"] == [{"imageDigest": digest, "imageTag": "1.0"}]
    assert pull(account, name, "1.0").status == 404
    assert pull(account, name, digest).status == 200

    account.ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "latest"}])
    assert pull(account, name, digest).status == 404


@pytest.mark.operation("BatchDeleteImage")
def test_an_image_that_is_deleted_by_digest_and_tag_keeps_the_tags_that_are_not_named(account: Any) -> None:
    name = account.create_repository()
    digest = account.push_image(name, "kept", "1.0", "latest")
    account.push_image(name, "another", "1.0")
    pairs = [{"imageDigest": digest, "imageTag": tag} for tag in ("1.0", "1.1")]

    answer = account.ecr.batch_delete_image(repositoryName=name, imageIds=pairs)

    codes = {one["imageId"]["imageTag"]: one["failureCode"] for one in answer["failures"]}
    assert codes["1.0"] == "ImageTagDoesNotMatchDigest"
    assert answer["imageIds"] == []
    assert pull(account, name, "latest").status == 200
    assert pull(account, name, "1.0").status == 200


@pytest.mark.operation("ListImageReferrers")
def test_referrers_are_those_that_the_other_face_lists(account: Any) -> None:
    name = account.create_repository()
    manifest = account.manifest(name, "subject")
    account.ecr.put_image(repositoryName=name, imageManifest=manifest, imageTag="1.0")
    subject = {"mediaType": OCI_MANIFEST, "digest": digest_of(manifest), "size": len(manifest)}
    sbom = account.push_image(name, "sbom", artifactType="application/spdx+json", subject=subject)

    answer = account.ecr.list_image_referrers(repositoryName=name, subjectId={"imageDigest": digest_of(manifest)})

    [found] = answer["referrers"]
    assert (found["digest"], found["artifactType"]) == (sbom, "application/spdx+json")
    index = json.loads(account.http("GET", f"/v2/{name}/referrers/{digest_of(manifest)}").data)
    assert [one["digest"] for one in index["manifests"]] == [sbom]
