"""What hostile registries hand out: blobs, manifests and indexes, as bytes under their digests."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
LAYER_BYTES = 200_000


@dataclass(frozen=True)
class Content:
    """Bytes of one media type."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        return digest_of(self.content)

    @property
    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


CONFIG = Content(OCI_CONFIG, b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')


def digest_of(content: bytes) -> str:
    """The digest of these bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(seed: int = 1, size: int = LAYER_BYTES) -> Content:
    """Bytes that cannot be compressed, always the same for a seed."""
    return Content(OCI_LAYER, random.Random(seed).randbytes(size))  # noqa: S311


def as_bytes(document: Mapping[str, Any]) -> bytes:
    """A document as it is sent."""
    return json.dumps(document, separators=(",", ":")).encode()


def manifest(layers: Sequence[Mapping[str, Any]], **more: Any) -> Content:
    """An image of these layers, each given as its descriptor."""
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": CONFIG.descriptor, "layers": list(layers)}
    return Content(OCI_MANIFEST, as_bytes(document | more))


def index(children: Sequence[Mapping[str, Any]], **more: Any) -> Content:
    """An index of these manifests, each given as its descriptor."""
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(children)}
    return Content(OCI_INDEX, as_bytes(document | more))
