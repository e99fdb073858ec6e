"""Images of two platforms, pushed by requests to the API alone: of those a benchmark knows which are the pusher's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import urllib3

from ecr_steward_sandbox.sandbox import Sandbox
from lab.peers import ACCOUNT
from measuring.layouts import CONFIG, INDEX, LAYER, MANIFEST


@dataclass
class Pusher:
    """A new repository, whose images share one config and one layer."""

    sandbox: Sandbox
    repository: str

    def __post_init__(self) -> None:
        self._ecr = self.sandbox.client("ecr")
        self._ecr.create_repository(repositoryName=self.repository)
        self._config, self._layer = self._upload(CONFIG, b"{}"), self._upload(LAYER, b"a layer" * 1000)

    def push(self, image_tag: str, *, is_scanned: bool = True, of: str = "") -> Sequence[str]:
        """Put an image of two platforms under a tag; answers the digests of its platforms."""
        platforms = [self._put(self._manifest(f"{of or image_tag} {name}")) for name in ("amd64", "arm64")]
        self._put({"schemaVersion": 2, "mediaType": INDEX, "manifests": platforms}, image_tag)
        digests = [each["digest"] for each in platforms]
        if is_scanned:
            self.scan(digests)
        return digests

    def leave_behind(self, image_tag: str) -> None:
        """Move a tag to another image; the one before stays without any."""
        self.push(image_tag, of=f"another {image_tag}")

    def scan(self, digests: Sequence[str]) -> None:
        """Let basic scans end without a finding."""
        of = {"account": ACCOUNT, "repository": self.repository}
        report = {**of, "type": "BASIC", "status": "COMPLETE", "findings": []}
        answer = urllib3.request(
            "POST",
            f"{self.sandbox.endpoint_url}/_sandbox/scans",
            body=json.dumps([{**report, "digest": digest} for digest in digests]),
            headers=self.sandbox.control_token.headers,
            retries=False,
        )
        if answer.status != 202:
            raise RuntimeError(f"the sandbox took no scan: {answer.data!r}")

    def _manifest(self, name: str) -> dict[str, Any]:
        head = {"schemaVersion": 2, "mediaType": MANIFEST, "annotations": {"name": name}}
        return {**head, "config": self._config, "layers": [self._layer]}

    def _upload(self, media_type: str, content: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        upload = self._ecr.initiate_layer_upload(repositoryName=self.repository)["uploadId"]
        last = len(content) - 1
        self._ecr.upload_layer_part(
            repositoryName=self.repository, uploadId=upload, partFirstByte=0, partLastByte=last, layerPartBlob=content
        )
        self._ecr.complete_layer_upload(repositoryName=self.repository, uploadId=upload, layerDigests=[digest])
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def _put(self, manifest: Mapping[str, Any], image_tag: str | None = None) -> dict[str, Any]:
        text = json.dumps(manifest)
        tag = {"imageTag": image_tag} if image_tag else {}
        put = self._ecr.put_image(
            repositoryName=self.repository, imageManifest=text, imageManifestMediaType=manifest["mediaType"], **tag
        )
        digest = put["image"]["imageId"]["imageDigest"]
        return {"mediaType": manifest["mediaType"], "digest": digest, "size": len(text.encode())}
