"""Images to move about: a large one of random bytes, which nothing can make smaller, and any number of small ones."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
BLOB = b"a config, and the only layer"
BLOB_DIGEST = f"sha256:{hashlib.sha256(BLOB).hexdigest()}"
_BLOCK = 1 << 20


def small_manifest(number: int) -> str:
    """The manifest of an image like no other, made of BLOB alone."""
    blob = {"digest": BLOB_DIGEST, "size": len(BLOB)}
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, **blob},
            "layers": [{"mediaType": LAYER, **blob}],
            "annotations": {"number": str(number)},
        }
    )


def write_layout(folder: Path, *, layers: int, layer_bytes: int) -> None:
    """Write an OCI layout with an image of `layers` uncompressed layers with `layer_bytes` each."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}', encoding="utf-8")
    written = [_random_blob(blobs, layer_bytes) for _ in range(layers)]
    config = _blob(
        blobs,
        {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in written]},
        },
        CONFIG,
    )
    manifest = _blob(
        blobs,
        {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": written},
        MANIFEST,
    )
    index = {"schemaVersion": 2, "manifests": [manifest]}
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")


def _random_blob(blobs: Path, size: int) -> dict[str, Any]:
    hasher, made = hashlib.sha256(), blobs / "under-way"
    with made.open("wb") as file:
        left = size
        while left > 0:
            block = os.urandom(min(left, _BLOCK))
            hasher.update(block)
            file.write(block)
            left -= len(block)
    made.rename(blobs / hasher.hexdigest())
    return {"mediaType": LAYER, "digest": f"sha256:{hasher.hexdigest()}", "size": size}


def _blob(blobs: Path, document: dict[str, Any], media_type: str) -> dict[str, Any]:
    data = json.dumps(document).encode()
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}
