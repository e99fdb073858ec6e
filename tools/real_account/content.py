"""Tiny images and their way into a registry: by ECR's API, and by the registry's own HTTP API."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import urllib3

from real_account.run import Run

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
_BLOCK: Final = 1 << 20


def digest_of(content: bytes) -> str:
    """The sha256 digest of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    """An OCI descriptor of some bytes."""
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def push_image(run: Run, repository: str, text: str, *image_tags: str, layer: bytes = b"", **members: Any) -> str:
    """Push an image of one layer by ECR's API, under each tag or by digest alone; its manifest."""
    ecr = run.client("ecr")
    config = json.dumps({"architecture": "amd64", "os": "linux", "text": text}).encode()
    content = layer or text.encode()
    for blob in (config, content):
        upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
        ecr.upload_layer_part(
            repositoryName=repository,
            uploadId=upload,
            partFirstByte=0,
            partLastByte=len(blob) - 1,
            layerPartBlob=blob,
        )
        ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[digest_of(blob)])
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, config),
            "layers": [descriptor(LAYER, content)],
            **members,
        }
    )
    for named in [{"imageTag": image_tag} for image_tag in image_tags] or [{}]:
        ecr.put_image(repositoryName=repository, imageManifest=manifest, **named)
    return manifest


@dataclass(frozen=True)
class RegistryLogin:
    """A login to a registry, as `docker login` has it. `basic` is a secret for 12 hours."""

    endpoint: str
    basic: str

    @classmethod
    def fetch(cls, ecr: Any) -> RegistryLogin:
        """Needs ecr:GetAuthorizationToken."""
        data = ecr.get_authorization_token()["authorizationData"][0]
        return cls(data["proxyEndpoint"], data["authorizationToken"])

    def ask(self, method: str, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
        """One request; a path, or the whole address of a `Location`."""
        headers = {"Authorization": f"Basic {self.basic}", **options.pop("headers", {})}
        url = path if path.startswith("http") else f"{self.endpoint}/v2/{path}"
        with urllib3.PoolManager(retries=False, timeout=options.pop("timeout", 60)) as pool:
            return pool.request(method, url, headers=headers, redirect=False, **options)

    def pull(self, repository: str, image_tag: str) -> str:
        """The status of a manifest's GET, as text."""
        return str(self.ask("GET", f"{repository}/manifests/{image_tag}", headers={"Accept": MANIFEST}).status)

    @property
    def password(self) -> str:
        """The password alone."""
        return base64.b64decode(self.basic).decode().partition(":")[2]


def random_layer(size: int, hasher: Callable[[bytes], object]) -> Iterator[bytes]:
    """So many bytes, block by block, each shown to `hasher`. A block is random once and numbered afterwards."""
    filler = os.urandom(_BLOCK)
    for number, start in enumerate(range(0, size, _BLOCK)):
        block = (number.to_bytes(8) + filler)[: min(_BLOCK, size - start)]
        hasher(block)
        yield block


def pushed_headers(length: int) -> Mapping[str, str]:
    """Of a PATCH that sends a whole layer."""
    return {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
