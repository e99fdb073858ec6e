"""What seeded images are made of: a layer and a config for each platform, shared by all, and manifests like no other.

A client can pull them: the layer is a tar archive, gzipped, and its digests are right.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from functools import cache
from typing import Any

from local_ecr.images.manifest import Manifest, read_manifest
from local_ecr.names import Digest

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

ARCHITECTURES = ("amd64", "arm64", "386", "ppc64le", "riscv64", "s390x")
"""Of the platforms of an index, in this order; the first is that of an image without an index."""


@cache
def layer() -> bytes:
    """One file in a gzipped tar archive."""
    return gzip.compress(_archive(), mtime=0)


@cache
def config(architecture: str) -> bytes:
    rootfs = {"type": "layers", "diff_ids": [_digest(_archive())]}
    return _json({"architecture": architecture, "os": "linux", "config": {}, "rootfs": rootfs})


def blobs(architectures: Sequence[str]) -> dict[Digest, bytes]:
    """What a repository needs for images of these platforms."""
    found = [layer(), *(config(architecture) for architecture in architectures)]
    return {_digest(blob): blob for blob in found}


def image(repository_name: str, version: str, architecture: str) -> Manifest:
    """An image of one platform."""
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(CONFIG, config(architecture)),
        "layers": [_descriptor(LAYER, layer())],
        "annotations": _annotations(repository_name, version),
    }
    return read_manifest(_json(document), MANIFEST)


def index(repository_name: str, version: str, images: Sequence[Manifest]) -> Manifest:
    """An index of images whose platforms are those of ARCHITECTURES."""
    listed = [
        {**_descriptor(MANIFEST, one.body), "platform": {"architecture": architecture, "os": "linux"}}
        for one, architecture in zip(images, ARCHITECTURES, strict=False)
    ]
    document = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": listed,
        "annotations": _annotations(repository_name, version),
    }
    return read_manifest(_json(document), INDEX)


def _annotations(repository_name: str, version: str) -> dict[str, str]:
    return {"org.opencontainers.image.title": repository_name, "org.opencontainers.image.version": version}


@cache
def _archive() -> bytes:
    written, content = io.BytesIO(), b"seeded\n"
    with tarfile.open(fileobj=written, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("seeded")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return written.getvalue()


def _descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> Digest:
    return Digest(f"sha256:{hashlib.sha256(blob).hexdigest()}")


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
