"""Read a manifest: what it is, what it is made of, what it refers to. Pure; refuses what could be read in two ways."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local_ecr.images import media_types
from local_ecr.names import Digest, InvalidNameError, parse_digest
from local_ecr.strict_json import InvalidJsonError, read_json

MAX_MANIFEST_BYTES = 4_194_304  # PutImage's model: imageManifest has at most 4,194,304 characters
MAX_DESCRIPTORS = 10_000
MAX_MEDIA_TYPE = 1_024  # characters; type and subtype have at most 127 each (RFC 6838), the rest is for parameters


class InvalidManifestError(ValueError):
    """Not a manifest that we store, and why."""


@dataclass(frozen=True)
class Descriptor:
    digest: Digest
    media_type: str
    size: int


@dataclass(frozen=True)
class Manifest:
    body: bytes
    digest: Digest
    media_type: str
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    images: tuple[Descriptor, ...] = ()
    """What an index lists."""
    subject: Digest | None = None
    artifact_type: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def artifact_media_type(self) -> str | None:
        """What DescribeImages and events call so: the artifact's own type, else its config's; an index has none."""
        if self.media_type in media_types.INDEXES:
            return None
        return self.artifact_type or (self.config.media_type if self.config else None)

    @property
    def referrer_type(self) -> str | None:
        """`artifactType` as the referrers API shows it: the config's media type when the manifest names none."""
        return self.artifact_type or (self.config.media_type if self.config else None)

    @property
    def required_layers(self) -> tuple[Digest, ...]:
        """Config and layers that the repository must have."""
        config = (self.config,) if self.config else ()
        here = (one for one in (*config, *self.layers) if one.media_type not in media_types.FOREIGN_LAYERS)
        return tuple(dict.fromkeys(one.digest for one in here))

    @property
    def media_types(self) -> tuple[str, ...]:
        """Of the artifact, its config and its layers."""
        config = (self.config,) if self.config else ()
        artifact = (self.artifact_type,) if self.artifact_type else ()
        return (*artifact, *(one.media_type for one in (*config, *self.layers)))

    @property
    def has_media_type_parameters(self) -> bool:
        """Whether one of them has parameters, as in `;version=0.2`."""
        return any(";" in one for one in self.media_types)


def read_manifest(body: bytes, media_type: str | None, algorithm: str = "sha256") -> Manifest:
    """Read a manifest that was sent as `media_type` (None: it says itself what it is).

    One body under two algorithms is two images: an image is what its digest names, and nothing else ties them.
    Raises InvalidManifestError; its text is fit for the sender.
    """
    if len(body) > MAX_MANIFEST_BYTES:
        raise InvalidManifestError(f"the manifest has {len(body)} bytes, more than the {MAX_MANIFEST_BYTES} allowed")
    document = _read_json(body)
    kind = _media_type(document, media_type)
    is_index = kind in media_types.INDEXES
    if ("manifests" in document) if not is_index else ("layers" in document or "config" in document):
        raise InvalidManifestError(f"a document with both layers and manifests, or of the other kind than {kind}")
    subject = document.get("subject")
    artifact_type = document.get("artifactType")
    if not isinstance(artifact_type, str | None):
        raise InvalidManifestError("artifactType is not a string")
    if len(artifact_type or "") > MAX_MEDIA_TYPE:
        raise InvalidManifestError(f"artifactType has more than {MAX_MEDIA_TYPE} characters")
    return Manifest(
        body=body,
        digest=Digest(f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"),
        media_type=kind,
        config=_descriptor(document.get("config"), "config") if kind in media_types.IMAGES else None,
        layers=_layers(document, kind),
        images=_descriptors(document, "manifests") if is_index else (),
        subject=_descriptor(subject, "subject").digest if subject is not None else None,
        artifact_type=artifact_type or None,
        annotations=_annotations(document),
    )


def _layers(document: dict[str, Any], kind: str) -> tuple[Descriptor, ...]:
    if kind in media_types.IMAGES:
        return _descriptors(document, "layers")
    if kind in media_types.ARTIFACTS and "blobs" in document:
        return _descriptors(document, "blobs")
    return ()


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        document = read_json(body)
    except InvalidJsonError as cause:
        raise InvalidManifestError(str(cause)) from cause
    if not isinstance(document, dict):
        raise InvalidManifestError("Invalid JSON syntax")
    version = document.get("schemaVersion")
    if version == 1:
        raise InvalidManifestError("image manifest version 2, schema 1 is not supported here")
    return document


def _media_type(document: dict[str, Any], given: str | None) -> str:
    own = document.get("mediaType")
    if not isinstance(own, str | None):
        raise InvalidManifestError("mediaType is not a string")
    if given and own and given != own:
        raise InvalidManifestError(f"the manifest says it is {own}, but it was sent as {given}")
    kind = own or given
    if not kind:
        raise InvalidManifestError("the manifest has no mediaType, and none was given with it")
    if kind not in media_types.MANIFESTS:
        raise InvalidManifestError(f"unsupported manifest media type {kind}")
    if document.get("schemaVersion") != 2 and kind not in media_types.ARTIFACTS:
        raise InvalidManifestError("schemaVersion is not 2")
    return kind


def _descriptors(document: dict[str, Any], key: str) -> tuple[Descriptor, ...]:
    found = document.get(key)
    if not isinstance(found, list):
        raise InvalidManifestError(f"{key} is missing or not a list")
    if len(found) > MAX_DESCRIPTORS:
        raise InvalidManifestError(f"more than {MAX_DESCRIPTORS} {key}")
    return tuple(_descriptor(one, f"{key}[{position}]") for position, one in enumerate(found))


def _descriptor(found: Any, where: str) -> Descriptor:
    if not isinstance(found, dict):
        raise InvalidManifestError(f"{where} is missing or not a descriptor")
    digest, media_type, size = found.get("digest"), found.get("mediaType"), found.get("size")
    if not isinstance(digest, str):
        raise InvalidManifestError(f"{where} has no digest")
    if not isinstance(media_type, str) or not media_type:
        raise InvalidManifestError(f"{where} has no mediaType")
    if len(media_type) > MAX_MEDIA_TYPE:
        raise InvalidManifestError(f"the mediaType of {where} has more than {MAX_MEDIA_TYPE} characters")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 63:
        raise InvalidManifestError(f"{where} has no valid size")
    try:
        return Descriptor(parse_digest(digest), media_type, size)
    except InvalidNameError as cause:
        raise InvalidManifestError(f"{where}: {cause}") from cause


def _annotations(document: dict[str, Any]) -> Mapping[str, str]:
    found = document.get("annotations")
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InvalidManifestError("annotations are not a map of strings")
    return found
