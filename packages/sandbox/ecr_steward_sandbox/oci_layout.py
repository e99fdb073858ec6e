"""OCI image layouts on disk, read and checked (OCI image layout specification 1.1)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecr_steward.adapters.manifests import digest_of, parse_manifest
from ecr_steward.domain.images import INDEX_MEDIA_TYPES, OCI_INDEX, Descriptor, Manifest
from ecr_steward.domain.names import Digest
from ecr_steward.errors import InvalidManifestError


class LayoutError(Exception):
    """A folder that is no OCI image layout, or one that lacks a part."""


@dataclass(frozen=True)
class Layout:
    """A folder with an ``index.json`` and content under ``blobs/`` (OCI image layout specification 1.1)."""

    root: Path

    def path(self, digest: Digest) -> Path:
        """Where the bytes of a digest are."""
        return self.root / "blobs" / digest.algorithm / digest.hex

    def read(self, digest: Digest) -> bytes:
        """The bytes of a digest, verified. Raises LayoutError."""
        try:
            content = self.path(digest).read_bytes()
        except OSError as cause:
            raise LayoutError(f"{self.root} points to {digest}, but {cause.strerror}: {self.path(digest)}") from cause
        if digest_of(content, digest.algorithm) != digest:
            raise LayoutError(f"{self.path(digest)} does not hold the bytes of {digest}")
        return content

    def _must_hold(self, blob: Descriptor) -> None:
        path = self.path(blob.digest)
        if not path.is_file() or path.stat().st_size != blob.size:
            raise LayoutError(f"{self.root} lacks the {blob.size} bytes of {blob.digest}")

    def entries(self) -> list[dict[str, Any]]:
        """The descriptors of the images for each platform, as the layout's documents spell them. Raises LayoutError."""
        entries = self._top()
        while len(entries) == 1 and entries[0]["mediaType"] in INDEX_MEDIA_TYPES:
            entries = _entries(self.read(Digest(entries[0]["digest"])), entries[0]["mediaType"])
        if not entries:
            raise LayoutError(f"{self.root} holds no image")
        return list(entries)

    def _top(self) -> list[dict[str, Any]]:
        try:
            entries = _entries((self.root / "index.json").read_bytes(), OCI_INDEX)
        except (OSError, InvalidManifestError) as cause:
            why = cause.strerror if isinstance(cause, OSError) else cause
            raise LayoutError(
                f"{self.root} is no folder with an OCI image layout: its index.json cannot be read ({why}). "
                "Make one with: skopeo copy --all docker://IMAGE oci:FOLDER"
            ) from cause
        if len(entries) > 1:
            raise LayoutError(
                f"{self.root} holds {len(entries)} images: copy the one that is meant to a folder alone, with: "
                f"skopeo copy --all oci:{self.root}:REFERENCE oci:FOLDER"
            )
        return entries

    @property
    def digest(self) -> Digest:
        """What the layout calls its image. Raises LayoutError."""
        return Digest(self._top()[0]["digest"])

    def manifests(self) -> list[Manifest]:
        """Every manifest and nested index under the entries, what is pointed to first. Raises LayoutError."""
        return self._below(self.entries())

    def graph(self) -> list[Manifest]:
        """The same with what the layout calls its image, which comes last. Raises LayoutError."""
        return self._below(self._top())

    def _below(self, entries: list[dict[str, Any]]) -> list[Manifest]:
        found: dict[Digest, Manifest] = {}

        def walk(descriptor: Descriptor) -> None:
            if descriptor.digest not in found:
                manifest = parse_manifest(self.read(descriptor.digest), descriptor.media_type)
                for child in manifest.children:
                    walk(child)
                for blob in manifest.stored_blobs:
                    self._must_hold(blob)
                found[descriptor.digest] = manifest

        for entry in entries:
            walk(Descriptor(entry["mediaType"], Digest(entry["digest"]), entry["size"]))
        return list(found.values())


def _entries(content: bytes, media_type: str) -> list[dict[str, Any]]:
    """The descriptors of an index with all their keys. Raises InvalidManifestError."""
    parse_manifest(content, media_type)
    entries: list[dict[str, Any]] = json.loads(content)["manifests"]
    return entries
