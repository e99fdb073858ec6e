"""Calls that are answered in the event loop: nobody else waits longer for it than a call takes."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local_ecr import LocalEcr, LocalEcrServer
from local_ecr.control.operations import HANDLERS, QUICK

BLOB = b"the config, and the only layer"
DIGEST = f"sha256:{hashlib.sha256(BLOB).hexdigest()}"
PART = {"digest": DIGEST, "size": len(BLOB)}
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **PART},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **PART}],
    }
)
NAMED = {"repositoryName": "team/app"}


def client_of(server: LocalEcrServer) -> Any:
    config = Config(retries={"total_max_attempts": 1}, read_timeout=10)
    return boto3.client("ecr", "us-east-1", endpoint_url=server.endpoint_url, config=config)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")


@pytest.fixture
def server(account: None, tmp_path: Path) -> Iterator[LocalEcrServer]:
    """Of a LocalEcr that was given nothing to call, with the layer of an image."""
    with LocalEcrServer(LocalEcr(tmp_path)) as server:
        push_blob(client_of(server))
        yield server


def push_blob(ecr: Any) -> None:
    ecr.create_repository(**NAMED)
    upload = {**NAMED, "uploadId": ecr.initiate_layer_upload(**NAMED)["uploadId"]}
    ecr.upload_layer_part(**upload, partFirstByte=0, partLastByte=len(BLOB) - 1, layerPartBlob=BLOB)
    ecr.complete_layer_upload(**upload, layerDigests=[DIGEST])


def test_others_are_served_while_a_push_waits_for_another_change(server: LocalEcrServer) -> None:
    with ThreadPoolExecutor() as pool:
        with server.ecr.store.changing():
            pushed = pool.submit(client_of(server).put_image, **NAMED, imageManifest=MANIFEST, imageTag="1.0")

            seen = client_of(server).describe_repositories()["repositories"]

            assert [one["repositoryName"] for one in seen] == ["team/app"]
            assert not pushed.done()
        assert pushed.result(10)["image"]["imageId"]["imageTag"] == "1.0"


def test_a_receiver_of_events_may_ask_about_what_it_is_told(account: None, tmp_path: Path) -> None:
    heard: list[Any] = []

    def receive(account: str, region: str, event: dict[str, Any]) -> None:
        if event["detail-type"] == "ECR Image Action":
            heard.extend(client_of(server).describe_images(**NAMED)["imageDetails"])

    with LocalEcrServer(LocalEcr(tmp_path, on_event=receive)) as server:
        ecr = client_of(server)
        push_blob(ecr)

        ecr.put_image(**NAMED, imageManifest=MANIFEST, imageTag="1.0")

    assert [one["imageTags"] for one in heard] == [["1.0"]]


def test_only_operations_that_are_done_are_quick() -> None:
    assert set(HANDLERS) >= QUICK
