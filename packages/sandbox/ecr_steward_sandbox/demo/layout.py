"""OCI image layouts on disk: the demo's own image, written here, or one that a user names."""

import gzip
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ecr_steward.adapters.manifests import digest_of, parse_manifest
from ecr_steward.domain.images import INDEX_MEDIA_TYPES, OCI_INDEX, OCI_MANIFEST, Manifest
from ecr_steward.domain.names import Digest
from ecr_steward_sandbox.oci_layout import Layout

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Release:
    """One version of the image: an index of its platforms, and an SBOM that refers to it."""

    version: str
    index: Manifest
    children: tuple[Manifest, ...]
    sbom: Manifest
    documents: dict[Digest, bytes]
    """The blobs of the SBOM, which no layout holds."""

    @property
    def platforms(self) -> list[Digest]:
        """What a scanner scans of it: the images that run somewhere, neither indexes nor attestations."""
        pointed_to = [child for manifest in (self.index, *self.children) for child in manifest.children]
        images = (child for child in pointed_to if child.media_type not in INDEX_MEDIA_TYPES)
        return list(dict.fromkeys(child.digest for child in images if not child.runs_nowhere))

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """All of them, what is pointed to first and the referrer last."""
        return (*self.children, self.index, self.sbom)

    def open(self, layout: Layout, digest: Digest) -> BinaryIO:
        """The bytes of a blob, from the layout or from the SBOM's own documents."""
        return io.BytesIO(self.documents[digest]) if digest in self.documents else layout.path(digest).open("rb")


def release(layout: Layout, version: str) -> Release:
    """The layout's image as one version of its own: the index says which, so its digest is unlike the others'.

    An image for a single platform is an index of one child. Raises LayoutError.
    """
    index = _document(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": layout.entries(),
            "annotations": {"org.opencontainers.image.version": version},
        }
    )
    packages = [{"name": "api", "versionInfo": version, "SPDXID": "SPDXRef-api", "downloadLocation": "NOASSERTION"}]
    spdx = json.dumps({"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "packages": packages}).encode()
    empty = b"{}"
    sbom = _document(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": "application/spdx+json",
            "config": _entry("application/vnd.oci.empty.v1+json", empty),
            "layers": [_entry("application/spdx+json", spdx)],
            "subject": _entry(OCI_INDEX, index.content),
        }
    )
    documents = {digest_of(empty): empty, digest_of(spdx): spdx}
    return Release(version, index, tuple(layout.manifests()), sbom, documents)


def write_layout(root: Path) -> Layout:
    """Write a small image for two platforms, which share a layer, as an OCI image layout."""
    blobs = root / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def keep(content: bytes) -> None:
        (blobs / digest_of(content).hex).write_bytes(content)

    shared = _layer("etc/motd", b"Kept to its rulebook by ECR Steward.\n" * 4096)
    entries = []
    for architecture in ("amd64", "arm64"):
        own = _layer(f"usr/share/api/{architecture}", f"built for {architecture}\n".encode() * 1024)
        config = json.dumps(
            {
                "architecture": architecture,
                "os": "linux",
                "config": {"Cmd": ["/bin/api"]},
                "rootfs": {"type": "layers", "diff_ids": [str(digest_of(gzip.decompress(c))) for c in (shared, own)]},
            }
        ).encode()
        manifest = _document(
            {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": _entry(_CONFIG, config),
                "layers": [_entry(_LAYER, shared), _entry(_LAYER, own)],
            }
        )
        for content in (shared, own, config, manifest.content):
            keep(content)
        platform = {"architecture": architecture, "os": "linux"}
        entries.append({**_entry(OCI_MANIFEST, manifest.content), "platform": platform})
    index = _document({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
    keep(index.content)
    top = {"schemaVersion": 2, "manifests": [_entry(OCI_INDEX, index.content)]}
    (root / "index.json").write_text(json.dumps(top))
    (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return Layout(root)


def _document(document: dict[str, Any]) -> Manifest:
    return parse_manifest(json.dumps(document).encode())


def _entry(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(digest_of(content)), "size": len(content)}


def _layer(name: str, content: bytes) -> bytes:
    """A layer with one file; the same bytes each time, so that the demo's digests can be quoted."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(archive.getvalue(), mtime=0)
