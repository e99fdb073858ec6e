"""Manifests and indexes as bytes: read strictly, or refused with a reason.

Two readers that understand the same bytes differently are how an image passes one check and runs as another
(CVE-2021-41190), so whatever could be read in two ways is refused.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ecr_steward.adapters import limits
from ecr_steward.adapters.strict_json import misspelt, read_object, texts, values_of
from ecr_steward.domain.images import INDEX_MEDIA_TYPES, MANIFEST_MEDIA_TYPES, OCI_INDEX, Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageTag, image_tag
from ecr_steward.errors import ImageNotFoundError, InvalidManifestError, InvalidNameError, RefusedByRegistryError

_MEDIA_TYPE = re.compile(r"[\x21-\x7e]+/[\x20-\x7e]+")
_KEYS = ("mediaType", "config", "layers", "manifests", "subject", "fsLayers", "annotations", "artifactType")
_LARGEST_SIZE = 2**63 - 1


def digest_of(content: bytes, algorithm: str = "sha256") -> Digest:
    """The digest of these bytes."""
    return Digest(f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}")


def parse_manifest(content: bytes, content_type: str | None = None, algorithm: str = "sha256") -> Manifest:
    """Read a manifest or index. ``content_type`` is what the registry called it.

    Raises InvalidManifestError: too large, no JSON, of a kind that ECR does not store, or to be read in two ways.
    """
    if len(content) > limits.MANIFEST_BYTES:
        raise InvalidManifestError(f"a manifest of {len(content)} bytes is over the limit of {limits.MANIFEST_BYTES}")
    digest = digest_of(content, algorithm)
    document = _document(content, f"manifest {digest}")
    media_type = _media_type(document, content_type, digest)
    subject = document.get("subject")
    is_index = media_type in INDEX_MEDIA_TYPES
    wanted, unwanted = (("manifests",), ("layers", "config")) if is_index else (("config", "layers"), ("manifests",))
    for key in (*unwanted, "fsLayers"):
        if key in document:
            raise InvalidManifestError(f"{digest} says that it is a {media_type}, but has {key!r}")
    for key in wanted:
        if key not in document:
            raise InvalidManifestError(f"{digest} says that it is a {media_type}, but has no {key!r}")
    listed = _descriptors(document["manifests" if is_index else "layers"], limits.CHILDREN)
    if is_index:
        blobs = tuple(each for each in listed if each.is_blob)
        artifact_type = _text(document, "artifactType")
    else:
        blobs = (_descriptor(document["config"]), *listed)
        artifact_type = _text(document, "artifactType") or blobs[0].media_type
    return Manifest(
        Descriptor(media_type, digest, len(content), artifact_type=artifact_type),
        content,
        blobs=blobs,
        children=tuple(each for each in listed if not each.is_blob) if is_index else (),
        subject=None if subject is None else _descriptor(subject),
        annotations=_annotations(document, digest),
    )


def parse_referrers(content: bytes) -> tuple[Descriptor, ...]:
    """Read one page of referrers: an index whose manifests refer to an image. Raises InvalidManifestError."""
    document = _document(content, "the list of referrers")
    if document.get("mediaType", OCI_INDEX) != OCI_INDEX or "layers" in document:
        raise InvalidManifestError(f"the list of referrers is no index: {str(document.get('mediaType'))[:100]!r}")
    return _descriptors(document.get("manifests"), limits.REFERRERS)


def with_referrer(listed: bytes | None, referrer: Manifest) -> bytes:
    """The index that lists an image's referrers, with this one, too; the same bytes where it lists it already.

    Raises InvalidManifestError where what is listed so far is no index.
    """
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    if listed:
        parse_manifest(listed, OCI_INDEX)
        document = json.loads(listed)
        document.pop("subject", None)  # or the list would have to be listed, too
    known = [each for each in document["manifests"] if each["digest"] == str(referrer.digest)]
    if listed and known:
        return listed
    about = referrer.descriptor
    entry = {"mediaType": about.media_type, "digest": str(about.digest), "size": about.size}
    entry |= {"artifactType": about.artifact_type} if about.artifact_type else {}
    entry |= {"annotations": dict(referrer.annotations)} if referrer.annotations else {}
    return json.dumps({**document, "manifests": [*document["manifests"], entry]}, separators=(",", ":")).encode()


def parse_image_tags(content: bytes) -> tuple[ImageTag, ...]:
    """Read one page of image tags. Raises RefusedByRegistryError where it is none."""
    try:
        tags = read_object(content).get("tags") or ()
        if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
            raise InvalidNameError("the tags are no list of texts")
        return tuple(image_tag(tag) for tag in tags)
    except ValueError as cause:
        raise RefusedByRegistryError(f"a page of image tags cannot be read: {cause}") from cause


def subset(manifest: Manifest, platforms: Sequence[str]) -> Manifest | Digest:
    """What stands for an image when only some of its platforms are wanted, each written ``os/architecture[/variant]``.

    For one platform it is the image that the index lists for it. For several it is a new index, which lists these alone
    and so has another digest; what refers to the old index, such as a signature, does not refer to it. An image that is
    no index is itself. Raises ImageNotFoundError for a platform that the index does not list.
    """
    if not manifest.is_index or not platforms:
        return manifest
    document = json.loads(manifest.content)
    entries: list[dict[str, Any]] = document["manifests"]
    listed = {
        platform: next((each for each in entries if is_for(each.get("platform"), platform)), None)
        for platform in platforms
    }
    if missing := [platform for platform, entry in listed.items() if entry is None]:
        raise ImageNotFoundError(f"{manifest.digest} lists no image for {', '.join(missing)}")
    found = [entry for entry in listed.values() if entry is not None]
    if len(found) == 1:
        return Digest(found[0]["digest"])
    content = json.dumps({**document, "manifests": found}, separators=(",", ":")).encode()
    return parse_manifest(content, manifest.descriptor.media_type, manifest.digest.algorithm)


def is_for(said: object, platform: str) -> bool:
    """Whether the platform of an index's entry, or an image's config, is this one; without a variant any will do."""
    if not isinstance(said, dict):
        return False
    names = ("os", "architecture", "variant")
    return all(said.get(name) == wanted for name, wanted in zip(names, platform.split("/"), strict=False))


def _document(content: bytes, what: str) -> Mapping[str, Any]:
    if len(content) > limits.VALUES and values_of(content) > limits.VALUES:
        raise InvalidManifestError(f"{what} has more than the limit of {limits.VALUES} values")
    try:
        document = read_object(content)
    except ValueError as cause:
        raise InvalidManifestError(f"{what} is no JSON object with schemaVersion 2: {cause}") from cause
    if document.get("schemaVersion") != 2:
        raise InvalidManifestError(f"{what} is no object with schemaVersion 2")
    if wrong := misspelt(document, *_KEYS):
        raise InvalidManifestError(f"{what} has {wrong!r}, which some clients read as another key")
    return document


def _annotations(document: Mapping[str, Any], digest: Digest) -> Mapping[str, str]:
    try:
        return texts(document.get("annotations"))
    except ValueError as cause:
        raise InvalidManifestError(f"the annotations of {digest} cannot be read: {cause}") from cause


def _text(document: Mapping[str, Any], key: str) -> str | None:
    value = document.get(key)
    return value if isinstance(value, str) and value else None


def _media_type(document: Mapping[str, Any], content_type: str | None, digest: Digest) -> str:
    own, called = document.get("mediaType"), (content_type or "").partition(";")[0].strip() or None
    if own is not None and called is not None and own != called:
        raise InvalidManifestError(f"{digest} says that it is a {own!r}, but the registry calls it a {called!r}")
    media_type = own if own is not None else called
    if media_type not in MANIFEST_MEDIA_TYPES:
        raise InvalidManifestError(f"{digest} is a {media_type!r}, not one of {', '.join(MANIFEST_MEDIA_TYPES)}")
    return str(media_type)


def _descriptors(entries: object, limit: int) -> tuple[Descriptor, ...]:
    if not isinstance(entries, list):
        raise InvalidManifestError(f"a list of descriptors is a {type(entries).__name__}")
    if len(entries) > limit:
        raise InvalidManifestError(f"a list of {len(entries)} descriptors is over the limit of {limit}")
    return tuple(_descriptor(entry) for entry in entries)


def _platform(entry: Mapping[str, Any]) -> str | None:
    """``os/architecture``; ``None`` where there is none, or where another reader could find another one there.

    Go's reader folds the case of keys, and an image that claims to run nowhere is not scanned.
    """
    if [key for key in entry if key.casefold() == "platform"] != ["platform"]:
        return None
    platform = entry["platform"]
    names = ("os", "architecture")
    if not isinstance(platform, dict) or sorted(key for key in platform if key.casefold() in names) != sorted(names):
        return None
    return "/".join(str(platform[name]) for name in names)


def _descriptor(entry: object) -> Descriptor:
    if not isinstance(entry, dict):
        raise InvalidManifestError(f"a descriptor is a {type(entry).__name__}")
    media_type, digest, size = entry.get("mediaType"), entry.get("digest"), entry.get("size")
    if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type):
        raise InvalidManifestError(f"a descriptor has the media type {str(media_type)[:100]!r}")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _LARGEST_SIZE:
        raise InvalidManifestError(f"a descriptor has the size {str(size)[:100]!r}")
    try:
        pointed_to = Digest(digest if isinstance(digest, str) else repr(digest))
    except InvalidNameError as cause:
        raise InvalidManifestError(f"a descriptor points to {str(digest)[:100]!r}") from cause
    return Descriptor(media_type, pointed_to, size, _platform(entry), _text(entry, "artifactType"))
