"""boto3: an image pushed and pulled by the calls of the API alone, as a program without a container client does."""

import hashlib
from itertools import batched

import pytest
import urllib3

from lab.client_matrix.images import put_large_layer
from lab.client_matrix.layout import OCI_INDEX, OCI_MANIFEST, Layout

pytestmark = pytest.mark.client

NAME = "team/app"
MIB = 1 << 20


def push_layer(ecr, data):
    """Upload in parts of the size that ECR asks for; the number of parts."""
    begun = ecr.initiate_layer_upload(repositoryName=NAME)
    upload = {"repositoryName": NAME, "uploadId": begun["uploadId"]}
    starts = range(0, len(data), begun["partSize"])
    for start in starts:
        part = data[start : start + begun["partSize"]]
        answer = ecr.upload_layer_part(
            **upload, partFirstByte=start, partLastByte=start + len(part) - 1, layerPartBlob=part
        )
        assert answer["lastByteReceived"] == start + len(part) - 1
    ecr.complete_layer_upload(**upload, layerDigests=[digest_of(data)])
    return len(starts)


def push_image(ecr, layout, digest, **named):
    """One platform, its layers first; the number of parts that they were pushed in."""
    manifest = layout.read_json(digest)
    blobs = {one["digest"] for one in (manifest["config"], *manifest["layers"])}
    asked = ecr.batch_check_layer_availability(repositoryName=NAME, layerDigests=sorted(blobs))["layers"]
    missing = [one["layerDigest"] for one in asked if one["layerAvailability"] == "UNAVAILABLE"]
    parts = [push_layer(ecr, layout.read(one)) for one in missing]
    put_manifest(ecr, layout, digest, OCI_MANIFEST, **named)
    return sum(parts)


def put_manifest(ecr, layout, digest, media_type, **named):
    ecr.put_image(
        repositoryName=NAME,
        imageManifest=layout.read(digest).decode(),
        imageManifestMediaType=media_type,
        imageDigest=digest,
        **named,
    )


def pull(ecr, into, image_id):
    """Read a manifest and all that it names into a layout."""
    accepted = [OCI_INDEX, OCI_MANIFEST]
    [image] = ecr.batch_get_image(repositoryName=NAME, imageIds=[image_id], acceptedMediaTypes=accepted)["images"]
    into.put(image["imageManifest"].encode(), image["imageManifestMediaType"])
    manifest = into.read_json(image["imageId"]["imageDigest"])
    for platform in manifest.get("manifests", ()):
        pull(ecr, into, {"imageDigest": platform["digest"]})
    for blob in (manifest["config"], *manifest["layers"]) if "layers" in manifest else ():
        url = ecr.get_download_url_for_layer(repositoryName=NAME, layerDigest=blob["digest"])["downloadUrl"]
        answer = urllib3.request("GET", url, timeout=30)
        assert answer.status == 200
        into.put(answer.data, blob["mediaType"])


def digest_of(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_an_index_comes_back_byte_for_byte_when_it_is_pushed_and_pulled_by_the_api(registry, layout, digest, tmp_path):
    registry.create(NAME)
    ecr = registry.client()
    for platform in layout.platforms("1.0").values():
        push_image(ecr, layout, platform)
    put_manifest(ecr, layout, digest, OCI_INDEX, imageTag="1.0")

    back = Layout(tmp_path / "back")
    pull(ecr, back, {"imageTag": "1.0"})

    assert back.blobs() == layout.blobs()
    assert registry.digests(NAME) == {"1.0": digest}


def test_a_layer_comes_back_when_it_is_pushed_in_several_parts(registry, tmp_path):
    registry.create(NAME)
    ecr = registry.client()
    layout = Layout(tmp_path / "image")
    put_large_layer(layout, "1.0", 25 * MIB)

    parts = push_image(ecr, layout, layout.digest("1.0"), imageTag="1.0")
    back = Layout(tmp_path / "back")
    pull(ecr, back, {"imageTag": "1.0"})

    assert parts > 2, "the config is one"
    assert back.blobs() == layout.blobs()


def test_a_layer_is_refused_when_its_digest_is_not_what_was_promised(registry):
    registry.create(NAME)
    ecr = registry.client()
    upload = {"repositoryName": NAME, "uploadId": ecr.initiate_layer_upload(repositoryName=NAME)["uploadId"]}
    ecr.upload_layer_part(**upload, partFirstByte=0, partLastByte=3, layerPartBlob=b"bits")
    with pytest.raises(ecr.exceptions.InvalidLayerException):
        ecr.complete_layer_upload(**upload, layerDigests=[digest_of(b"other bits")])


def test_all_images_are_deleted_in_batches_of_a_hundred(registry):
    registry.create(NAME)
    digest = registry.put_empty_image(NAME, "0")
    ecr = registry.client()
    [image] = ecr.batch_get_image(repositoryName=NAME, imageIds=[{"imageDigest": digest}])["images"]
    for number in range(1, 150):
        ecr.put_image(repositoryName=NAME, imageManifest=image["imageManifest"], imageTag=str(number))
    pages = ecr.get_paginator("list_images").paginate(repositoryName=NAME, PaginationConfig={"PageSize": 40})
    for batch in batched((one for page in pages for one in page["imageIds"]), 100, strict=False):
        assert ecr.batch_delete_image(repositoryName=NAME, imageIds=list(batch))["failures"] == []
    assert ecr.list_images(repositoryName=NAME)["imageIds"] == []
