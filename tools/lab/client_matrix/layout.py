"""A folder in OCI image layout form, written without any client, so that every byte and digest is known beforehand."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

type Descriptor = dict[str, Any]


@dataclass(frozen=True)
class Layer:
    """A layer as a manifest names it, and the digest of its tar as a config names it."""

    descriptor: Descriptor
    diff_id: str


@dataclass(frozen=True)
class Layout:
    """An image layout; what is put into it is a blob, and what is tagged is an image that clients find by name."""

    folder: Path

    def put(self, data: bytes, media_type: str, **members: Any) -> Descriptor:
        """Add a blob, and return its descriptor with these further members."""
        encoded = hashlib.sha256(data).hexdigest()
        self.blob_path(encoded).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{encoded}", "size": len(data), **members}

    def put_json(self, document: Mapping[str, Any], media_type: str, **members: Any) -> Descriptor:
        return self.put(json.dumps(document).encode(), media_type, **members)

    def put_layer(self, tar: bytes) -> Layer:
        diff_id = f"sha256:{hashlib.sha256(tar).hexdigest()}"
        return Layer(self.put(gzip.compress(tar, compresslevel=1, mtime=0), OCI_LAYER), diff_id)

    def put_image(
        self, architecture: str, layers: Sequence[Layer], config: Mapping[str, Any] | None = None
    ) -> Descriptor:
        """One platform of these layers; `config` says how it is run."""
        platform = {"architecture": architecture, "os": "linux"}
        document = {
            **platform,
            "config": config or {},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
            "history": [{"created_by": f"layer {number}"} for number, _ in enumerate(layers)],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.put_json(document, OCI_CONFIG),
            "layers": [layer.descriptor for layer in layers],
        }
        return self.put_json(manifest, OCI_MANIFEST, platform=platform)

    def put_index(self, platforms: Sequence[Descriptor]) -> Descriptor:
        return self.put_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": platforms}, OCI_INDEX)

    def tag(self, image_tag: str, image: Descriptor) -> None:
        """Make an image the one that `oci:FOLDER:TAG` means."""
        named = {**image, "annotations": {"org.opencontainers.image.ref.name": image_tag}}
        self.folder.joinpath("oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
        index = {"schemaVersion": 2, "manifests": [*self._tagged(), named]}
        self._index_path.write_text(json.dumps(index), encoding="utf-8")

    def digest(self, image_tag: str) -> str:
        """The digest of the image that a tag means."""
        (found,) = (
            image["digest"]
            for image in self._tagged()
            if image["annotations"]["org.opencontainers.image.ref.name"] == image_tag
        )
        return str(found)

    def read(self, digest: str) -> bytes:
        return self.blob_path(digest.removeprefix("sha256:")).read_bytes()

    def read_json(self, digest: str) -> Any:
        return json.loads(self.read(digest))

    def platforms(self, image_tag: str) -> dict[str, str]:
        """The digest of each platform of an index, by architecture."""
        index = self.read_json(self.digest(image_tag))
        return {one["platform"]["architecture"]: one["digest"] for one in index["manifests"]}

    def blobs(self) -> dict[str, bytes]:
        """Every blob by its encoded digest; not for large ones."""
        return {path.name: path.read_bytes() for path in self._blob_folder.iterdir()}

    def blob_path(self, encoded: str) -> Path:
        self._blob_folder.mkdir(parents=True, exist_ok=True)
        return self._blob_folder / encoded

    @property
    def _blob_folder(self) -> Path:
        return self.folder / "blobs" / "sha256"

    @property
    def _index_path(self) -> Path:
        return self.folder / "index.json"

    def _tagged(self) -> list[Descriptor]:
        if not self._index_path.exists():
            return []
        found: list[Descriptor] = json.loads(self._index_path.read_text(encoding="utf-8"))["manifests"]
        return found
