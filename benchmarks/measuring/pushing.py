"""Images of two platforms, pushed by requests to the API alone: of those a benchmark knows which are the pusher's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lab.peers import REGION
from measuring.houses import House
from measuring.layouts import CONFIG, INDEX, LAYER, MANIFEST
from measuring.reports import report_scans

SPDX = "application/spdx+json"


@dataclass
class Pusher:
    """A repository, made where it is not there, whose images share one config and one layer."""

    stage: House
    repository: str
    region: str = REGION

    def __post_init__(self) -> None:
        self.client = self.stage.sandbox.client("ecr", region=self.region)
        with suppress(self.client.exceptions.RepositoryAlreadyExistsException):
            self.client.create_repository(repositoryName=self.repository)
        self._config, self._layer = self._upload(CONFIG, b"{}"), self._upload(LAYER, b"a layer" * 1000)

    def push(self, image_tag: str, *, is_scanned: bool = True, of: str = "") -> None:
        """Put an image of two platforms under a tag."""
        platforms = [self._put(self._manifest(f"{of or image_tag} {name}")) for name in ("amd64", "arm64")]
        self._put({"schemaVersion": 2, "mediaType": INDEX, "manifests": platforms}, image_tag)
        if is_scanned:
            self.scan([each["digest"] for each in platforms])

    def leave_behind(self, image_tag: str) -> None:
        """Move a tag to another image; the one before stays without any."""
        self.push(image_tag, of=f"another {image_tag}")

    def attach(self, digest: str, media_type: str) -> None:
        """Put an SBOM of an image."""
        subject = {"mediaType": media_type, "digest": digest, "size": 1}
        self._put({**self._manifest(f"SBOM of {digest}"), "artifactType": SPDX, "subject": subject})

    def _manifest(self, name: str) -> dict[str, Any]:
        head = {"schemaVersion": 2, "mediaType": MANIFEST, "annotations": {"name": name}}
        return {**head, "config": self._config, "layers": [self._layer]}

    def _upload(self, media_type: str, content: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        upload = self.client.initiate_layer_upload(repositoryName=self.repository)["uploadId"]
        last = len(content) - 1
        self.client.upload_layer_part(
            repositoryName=self.repository, uploadId=upload, partFirstByte=0, partLastByte=last, layerPartBlob=content
        )
        self.client.complete_layer_upload(repositoryName=self.repository, uploadId=upload, layerDigests=[digest])
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def _put(self, manifest: Mapping[str, Any], image_tag: str | None = None) -> dict[str, Any]:
        text = json.dumps(manifest)
        tag = {"imageTag": image_tag} if image_tag else {}
        put = self.client.put_image(
            repositoryName=self.repository, imageManifest=text, imageManifestMediaType=manifest["mediaType"], **tag
        )
        digest = put["image"]["imageId"]["imageDigest"]
        return {"mediaType": manifest["mediaType"], "digest": digest, "size": len(text.encode())}

    def scan(self, digests: list[str]) -> None:
        """Let basic scans end without a finding."""
        report_scans(self.stage, ((self.repository, digest) for digest in digests), region=self.region)
