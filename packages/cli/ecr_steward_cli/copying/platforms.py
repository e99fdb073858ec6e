"""The platforms of an image that are to be copied: of an index by its list, of a single image by its config."""

import re
from collections.abc import Sequence
from typing import Any, Final

from ecr_steward.adapters import limits
from ecr_steward.adapters.blobs import Verified
from ecr_steward.adapters.manifests import is_for, subset
from ecr_steward.adapters.strict_json import read_object
from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import Digest
from ecr_steward.errors import ImageNotFoundError, InvalidImageConfigError
from ecr_steward.ports.stores import ImageStore

_PLATFORM: Final = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?")


def is_platform(text: str) -> bool:
    """Whether a text is ``os/architecture[/variant]``, with the words of Go, as the OCI image specification has it."""
    return _PLATFORM.fullmatch(text) is not None


def selected(manifest: Manifest, store: ImageStore, platforms: Sequence[str]) -> Manifest | Digest:
    """What of an image these platforms are; an image that is no index has to be for each of them.

    Raises ImageNotFoundError for a platform that is not there, and what ``ImageStore.read_blob`` raises.
    """
    if manifest.is_index:
        return subset(manifest, platforms)
    said = _platform_of(manifest, store)
    if missing := [platform for platform in platforms if not is_for(said, platform)]:
        names = (said.get(key) for key in ("os", "architecture", "variant"))
        own = "/".join(name for name in names if isinstance(name, str)) or "no platform"
        raise ImageNotFoundError(f"{manifest.digest} is an image for {own}, and not for {', '.join(missing)}")
    return manifest


def _platform_of(manifest: Manifest, store: ImageStore) -> dict[str, Any]:
    """The config of an image, which says os, architecture and variant; nothing of what cannot run, such as a chart."""
    if not manifest.can_run:
        return {}
    config = manifest.blobs[0]
    if config.size > limits.CONFIG_BYTES:
        raise InvalidImageConfigError(
            f"the image config {config.digest} has {config.size} bytes, over the limit of {limits.CONFIG_BYTES}"
        )
    with store.read_blob(config) as chunks:
        content = b"".join(Verified(chunks, config))
    try:
        return dict(read_object(content))
    except ValueError as cause:
        raise InvalidImageConfigError(f"the image config {config.digest} cannot be read: {cause}") from cause
