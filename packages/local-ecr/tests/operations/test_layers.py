"""Layers: uploaded in parts, asked about, fetched."""

import hashlib
import uuid
from typing import Any

import pytest
import urllib3


def content() -> bytes:
    """Bytes that no registry has seen."""
    return uuid.uuid4().hex.encode()


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.mark.operation("InitiateLayerUpload")
def test_an_upload_that_was_begun_takes_a_part(account: Any) -> None:
    named = {"repositoryName": account.create_repository()}
    data = content()

    begun = account.ecr.initiate_layer_upload(**named)

    assert begun["partSize"] > 0
    part = {"partFirstByte": 0, "partLastByte": len(data) - 1, "layerPartBlob": data}
    assert account.ecr.upload_layer_part(**named, uploadId=begun["uploadId"], **part)["uploadId"] == begun["uploadId"]


@pytest.mark.operation("UploadLayerPart")
def test_the_bytes_of_a_part_are_what_the_layer_is_made_of(account: Any) -> None:
    named = {"repositoryName": account.create_repository()}
    data = content()
    upload_id = account.ecr.initiate_layer_upload(**named)["uploadId"]

    answer = account.ecr.upload_layer_part(
        **named, uploadId=upload_id, partFirstByte=0, partLastByte=len(data) - 1, layerPartBlob=data
    )

    assert answer["lastByteReceived"] == len(data) - 1
    account.ecr.complete_layer_upload(**named, uploadId=upload_id, layerDigests=[digest_of(data)])
    [layer] = account.ecr.batch_check_layer_availability(**named, layerDigests=[digest_of(data)])["layers"]
    assert layer["layerSize"] == len(data)


@pytest.mark.operation("CompleteLayerUpload")
def test_a_completed_layer_is_found_through_the_other_face(account: Any) -> None:
    name = account.create_repository()
    data = content()

    assert account.push_blob(name, data) == digest_of(data)

    found = account.http("HEAD", f"/v2/{name}/blobs/{digest_of(data)}")
    assert (found.status, found.headers["Content-Length"]) == (200, str(len(data)))


@pytest.mark.operation("BatchCheckLayerAvailability")
def test_a_layer_is_available_when_it_was_pushed_through_the_other_face(account: Any) -> None:
    name = account.create_repository()
    data, unknown = content(), digest_of(content())
    begun = account.http("POST", f"/v2/{name}/blobs/uploads/")
    location = urllib3.util.parse_url(begun.headers["Location"])
    separator = "&" if location.query else "?"
    done = account.http("PUT", f"{location.request_uri}{separator}digest={digest_of(data)}", body=data)
    assert done.status == 201

    answer = account.ecr.batch_check_layer_availability(
        repositoryName=name, layerDigests=[digest_of(data), unknown, "none"]
    )

    found = {one["layerDigest"]: one["layerAvailability"] for one in answer["layers"]}
    assert found == {digest_of(data): "AVAILABLE", unknown: "UNAVAILABLE"}
    assert [one["failureCode"] for one in answer["failures"]] == ["InvalidLayerDigest"]


@pytest.mark.operation("GetDownloadUrlForLayer")
def test_a_layer_of_an_image_is_behind_its_url(account: Any) -> None:
    name = account.create_repository()
    text = uuid.uuid4().hex
    account.push_image(name, text, "1.0")

    answer = account.ecr.get_download_url_for_layer(repositoryName=name, layerDigest=digest_of(text.encode()))

    fetched = urllib3.PoolManager(timeout=30).request("GET", answer["downloadUrl"])
    assert fetched.data == text.encode()
