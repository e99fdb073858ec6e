"""Small manifests that a job has read: what a digest says never changes, and a copy puts what its plan has read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import ImageRef

LARGEST = 64 * 1024
"""Bytes of one manifest that is kept: most have a few KiB, and ECR takes 4 MiB."""
MOST = 64
"""Manifests that are kept: those that were read last."""


@dataclass(frozen=True)
class KeptManifests:
    """Of one job, by image; used by several threads. Whether an image is still there they do not say."""

    _kept: dict[ImageRef, Manifest] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, image: ImageRef, read: Callable[[], Manifest]) -> Manifest:
        """The manifest of an image, read now where it is not kept."""
        with self._lock:
            found = self._kept.get(image)
        if found is not None:
            return found
        manifest = read()
        if len(manifest.content) <= LARGEST:
            with self._lock:
                if len(self._kept) >= MOST:
                    del self._kept[next(iter(self._kept))]
                self._kept[image] = manifest
        return manifest
