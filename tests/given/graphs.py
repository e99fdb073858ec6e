"""Images for stores: real bytes with real digests, as small as they can be."""

import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from ecr_steward.adapters.manifests import digest_of, parse_manifest
from ecr_steward.domain.images import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest
from ecr_steward.ports.stores import ImageStore

LAYER = "application/vnd.oci.image.layer.v1.tar"


def blob_of(content: bytes, media_type: str = LAYER) -> Descriptor:
    """What points to some content."""
    return Descriptor(media_type, digest_of(content), len(content))


def as_json(descriptor: Descriptor, **members: object) -> dict[str, Any]:
    """A descriptor as documents have it."""
    said = {"mediaType": descriptor.media_type, "digest": str(descriptor.digest), "size": descriptor.size}
    return {**said, **members}


def image_of(config: bytes, *layers: bytes, subject: Manifest | None = None) -> Manifest:
    """An image, or with a subject a referrer."""
    return _manifest(
        OCI_MANIFEST,
        config=as_json(blob_of(config, OCI_CONFIG)),
        layers=[as_json(blob_of(layer)) for layer in layers],
        **({"subject": as_json(subject.descriptor)} if subject else {}),
    )


def index_of(*children: Manifest, platforms: Sequence[str] = (), subject: Manifest | None = None) -> Manifest:
    """An index; each platform is that of the child in its place."""
    entries = []
    for number, child in enumerate(children):
        names = zip(("os", "architecture", "variant"), platforms[number].split("/"), strict=False) if platforms else ()
        entries.append(as_json(child.descriptor, **({"platform": dict(names)} if platforms else {})))
    refers = {"subject": as_json(subject.descriptor)} if subject else {}
    return _manifest(OCI_INDEX, manifests=entries, **refers)


def fill(store: ImageStore, manifests: Sequence[Manifest], contents: Sequence[bytes]) -> None:
    """Put blobs, and then manifests in this order."""
    for content in contents:
        store.write_blob(blob_of(content), store, partial(_opened, content))
    for manifest in manifests:
        store.put_manifest(manifest, None)


def _opened(content: bytes) -> AbstractContextManager[Iterable[bytes]]:
    return nullcontext([content])


def document_of(media_type: str, **members: object) -> bytes:
    """A manifest or index of these members."""
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, **members}).encode()


def _manifest(media_type: str, **members: object) -> Manifest:
    return parse_manifest(document_of(media_type, **members), media_type)
