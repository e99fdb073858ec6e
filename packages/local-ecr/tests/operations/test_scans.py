"""Basic scans of images: begun, and read."""

import gzip
import hashlib
import io
import json
import tarfile
from typing import Any

import pytest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def tar_of(path: str, data: bytes) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        member = tarfile.TarInfo(path)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return written.getvalue()


def push_layer(account: Any, name: str, data: bytes, media_type: str) -> dict[str, Any]:
    """Upload a layer through the API; its descriptor."""
    upload = account.ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
    account.ecr.upload_layer_part(
        repositoryName=name, uploadId=upload, partFirstByte=0, partLastByte=len(data) - 1, layerPartBlob=data
    )
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    account.ecr.complete_layer_upload(repositoryName=name, uploadId=upload, layerDigests=[digest])
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


@pytest.fixture
def image(account: Any) -> tuple[str, str]:
    """Repository and digest of an image that says that it is Debian 13 and has no packages."""
    name = account.create_repository("app")
    layer = tar_of("etc/os-release", b'ID=debian\nVERSION_ID="13"\n')
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": push_layer(account, name, json.dumps(config).encode(), OCI_CONFIG),
        "layers": [push_layer(account, name, gzip.compress(layer, mtime=0), OCI_LAYER)],
    }
    answer = account.ecr.put_image(repositoryName=name, imageManifest=json.dumps(manifest), imageTag="1.0")
    return name, answer["image"]["imageId"]["imageDigest"]


@pytest.mark.operation("StartImageScan")
@pytest.mark.operation("DescribeImageScanFindings")
def test_a_scan_is_found_by_digest_when_it_was_begun_by_tag(account: Any, image: tuple[str, str]) -> None:
    name, digest = image
    asked = {"repositoryName": name, "imageId": {"imageDigest": digest}}
    with pytest.raises(account.ecr.exceptions.ScanNotFoundException):
        account.ecr.describe_image_scan_findings(**asked)

    account.ecr.start_image_scan(repositoryName=name, imageId={"imageTag": "1.0"})

    found = account.ecr.describe_image_scan_findings(**asked)
    assert found["imageId"]["imageDigest"] == digest
    assert found["imageScanStatus"]["status"] in {"IN_PROGRESS", "COMPLETE", "FAILED", "UNSUPPORTED_IMAGE"}
