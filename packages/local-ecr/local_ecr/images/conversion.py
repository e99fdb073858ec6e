"""Convert an image's manifest between OCI and Docker schema 2, for a client that takes only the other one. Pure.

The config and the layers stay as they are; their media types, and with them the manifest's digest, become others.
Source: AmazonECR/latest/userguide/image-manifest-formats.html, which converts single images only, and those to Docker
schema 1 as well, which is not simulated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local_ecr.images.media_types import DOCKER_MANIFEST, DOCKER_TO_OCI, OCI_MANIFEST, OCI_TO_DOCKER
from local_ecr.names import Digest

_DESCRIPTOR = ("mediaType", "size", "digest", "urls")  # what both formats know of a config or a layer
_NO_IMAGE = ("artifactType", "subject")


@dataclass(frozen=True)
class ConvertedManifest:
    body: bytes
    media_type: str

    @property
    def digest(self) -> Digest:
        return Digest(f"sha256:{hashlib.sha256(self.body).hexdigest()}")


def accepted_types(headers: Iterable[str]) -> frozenset[str]:
    """Media types of all `Accept` headers of a request; empty when anything is accepted."""
    ranges = [one.split(";") for header in headers for one in header.split(",") if one.strip()]
    accepted = {media_type.strip().lower() for media_type, *parameters in ranges if not _is_refused(parameters)}
    return frozenset() if any(one.endswith("/*") for one in accepted) else frozenset(accepted)


def convert_manifest(body: bytes, media_type: str, accepted: Collection[str]) -> ConvertedManifest | None:
    """The manifest as one of the `accepted` media types; None when it is accepted as it is or has no other form."""
    names = {DOCKER_MANIFEST: DOCKER_TO_OCI, OCI_MANIFEST: OCI_TO_DOCKER}.get(media_type)
    if names is None or not accepted or media_type in accepted or names[media_type] not in accepted:
        return None
    document = json.loads(body)
    parts = [document["config"], *document["layers"]]
    if any(name in document for name in _NO_IMAGE) or any(part["mediaType"] not in names for part in parts):
        return None
    config, *layers = [_renamed(part, names) for part in parts]
    converted = {"schemaVersion": 2, "mediaType": names[media_type], "config": config, "layers": layers}
    return ConvertedManifest(json.dumps(converted, separators=(",", ":")).encode(), names[media_type])


def _renamed(descriptor: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    kept = {key: descriptor[key] for key in _DESCRIPTOR if key in descriptor}
    return {**kept, "mediaType": names[descriptor["mediaType"]]}


def _is_refused(parameters: Iterable[str]) -> bool:
    """Whether a range has a weight of zero."""
    named = [one.partition("=") for one in parameters]
    weights = [value.strip() for name, _, value in named if name.strip().lower() == "q"]
    return any(weight.strip("0.") == "" and weight for weight in weights)
