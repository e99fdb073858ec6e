"""Images of bytes that nothing compresses, as OCI image layouts."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Image:
    """What an image is made of. Layers of equal size differ only in images of different seed, or by their place."""

    name: str
    sizes: Sequence[int]
    """Bytes of each layer."""
    tag: str = "v1"
    seed: int = 0
    """Of its last layer; the others are the same in each image of these sizes."""

    @property
    def size(self) -> int:
        """Bytes of all layers."""
        return sum(self.sizes)


def write_layout(folder: Path, image: Image) -> None:
    """Write an image into a new folder."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    last = len(image.sizes) - 1
    layers = []
    for number, size in enumerate(image.sizes):
        layers.append(_write(folder, LAYER, size, random.Random(f"{number} {image.seed if number == last else 0}")))  # noqa: S311
    config = _put(folder, CONFIG, json.dumps({"seed": image.seed}).encode())
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
    _name(folder, _put(folder, MANIFEST, json.dumps(manifest).encode()), image.tag)


def write_large_manifests(folder: Path, count: int, tag: str = "v1") -> None:
    """Write an index of so many images without layers, whose manifests are as large as ECR takes them."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    config = _put(folder, CONFIG, b"{}")
    children = []
    for number in range(count):
        # A character beyond the first plane makes four bytes of each in memory.
        annotations = {"number": str(number), "padding": "\N{GRINNING FACE}" + "x" * (4 * MIB - 4096)}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
        content = json.dumps({**manifest, "annotations": annotations}, ensure_ascii=False).encode()
        children.append(_put(folder, MANIFEST, content))
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": children}
    _name(folder, _put(folder, INDEX, json.dumps(index).encode()), tag)


def _name(folder: Path, named: dict[str, object], tag: str) -> None:
    named["annotations"] = {"org.opencontainers.image.ref.name": tag}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [named]}
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}', encoding="utf-8")


def _write(folder: Path, media_type: str, size: int, chance: random.Random) -> dict[str, object]:
    hasher = hashlib.sha256()
    temporary = folder / "blobs" / "writing"
    with temporary.open("wb") as stream:
        left = size
        while left:
            data = chance.randbytes(min(left, MIB))
            hasher.update(data)
            stream.write(data)
            left -= len(data)
    temporary.rename(folder / "blobs" / "sha256" / hasher.hexdigest())
    return {"mediaType": media_type, "digest": f"sha256:{hasher.hexdigest()}", "size": size}


def _put(folder: Path, media_type: str, content: bytes) -> dict[str, object]:
    digest = hashlib.sha256(content).hexdigest()
    (folder / "blobs" / "sha256" / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}
