"""A scanner in memory."""

from collections.abc import Iterable

from ecr_steward.adapters.memory.registry import InMemoryRegistry
from ecr_steward.domain.names import ImageRef
from ecr_steward.domain.scans import Finding, Scan, ScanStatus
from ecr_steward.errors import ImageNotFoundError


class InMemoryScans:
    """A ``Scans`` over the images of a registry, of which at first none was ever scanned."""

    def __init__(self, registry: InMemoryRegistry) -> None:
        self.calls = registry.calls
        self._registry = registry
        self._scans: dict[ImageRef, Scan] = {}

    def end(
        self,
        image: ImageRef,
        status: ScanStatus = ScanStatus.COMPLETE,
        findings: Iterable[Finding] = (),
        said: str | None = None,
    ) -> None:
        """Have the latest scan of an image end so, or be under way."""
        self._scans[image] = Scan(image.digest, status, tuple(findings), said)

    def scan(self, image: ImageRef) -> Scan:
        with self.calls.record("scan", image):
            self._registry.settings_of(image.repository)
            if not self._registry.holds(image):
                raise ImageNotFoundError(f"there is no image {image}")
            return self._scans.get(image, Scan(image.digest, ScanStatus.MISSING))
