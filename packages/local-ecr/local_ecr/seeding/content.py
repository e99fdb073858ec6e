"""What seeded images are made of: manifests like no other, and a layer and a config that many share.

A client can pull and unpack them: the layer is a gzipped tar archive, and all digests are right.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_ecr.images.manifest import Descriptor, Manifest, read_manifest
from local_ecr.names import Digest

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Blob:
    """A layer or a config."""

    content: bytes
    descriptor: Descriptor


@dataclass(frozen=True)
class Parts:
    """What the images of one size are made of."""

    layer: Blob
    configs: Mapping[str, Blob]
    """By architecture."""

    @property
    def blobs(self) -> Sequence[Blob]:
        return (self.layer, *self.configs.values())


def parts(architectures: Sequence[str], layer_bytes: int, labels: Mapping[str, str]) -> Parts:
    """The same bytes for the same arguments."""
    archive = _archive(random.Random(layer_bytes).randbytes(layer_bytes))  # noqa: S311  not secret: incompressible
    layer = _blob(gzip.compress(archive, compresslevel=1, mtime=0), LAYER)
    rootfs = {"type": "layers", "diff_ids": [_digest(archive)]}
    config = {"Labels": dict(labels)} if labels else {}
    made = {
        one: _blob(_json({"architecture": one, "os": "linux", "config": config, "rootfs": rootfs}), CONFIG)
        for one in architectures
    }
    return Parts(layer, made)


def image(made_of: Parts, architecture: str, annotations: Mapping[str, str]) -> Manifest:
    """An image of one platform."""
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _shown(made_of.configs[architecture].descriptor),
        "layers": [_shown(made_of.layer.descriptor)],
        "annotations": annotations,
    }
    return read_manifest(_json(document), MANIFEST)


def index(images: Mapping[str, Manifest], annotations: Mapping[str, str]) -> Manifest:
    """An index of images by their architectures."""
    listed = [
        {
            **_shown(Descriptor(one.digest, MANIFEST, len(one.body))),
            "platform": {"architecture": architecture, "os": "linux"},
        }
        for architecture, one in images.items()
    ]
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed, "annotations": annotations}
    return read_manifest(_json(document), INDEX)


def _archive(content: bytes) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("seeded")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return written.getvalue()


def _blob(content: bytes, media_type: str) -> Blob:
    return Blob(content, Descriptor(_digest(content), media_type, len(content)))


def _shown(descriptor: Descriptor) -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


def _digest(content: bytes) -> Digest:
    return Digest(f"sha256:{hashlib.sha256(content).hexdigest()}")


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
