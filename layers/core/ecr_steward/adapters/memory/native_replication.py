"""ECR's own replication in memory."""

from ecr_steward.adapters.memory.registry import InMemoryRegistry
from ecr_steward.domain.names import ImageRef
from ecr_steward.domain.native_copies import NativeCopy
from ecr_steward.errors import ImageNotFoundError


class InMemoryNativeCopies:
    """A ``NativeCopies`` over the images of a registry, none of which ECR was asked to copy at first."""

    def __init__(self, registry: InMemoryRegistry) -> None:
        self.calls = registry.calls
        self._registry = registry
        self._copies: dict[ImageRef, tuple[NativeCopy, ...]] = {}

    def say(self, image: ImageRef, *copies: NativeCopy) -> None:
        """Have ECR say this about its copies of an image."""
        self._copies[image] = copies

    def of(self, image: ImageRef) -> tuple[NativeCopy, ...]:
        with self.calls.record("native_copies", image):
            self._registry.settings_of(image.repository)
            if not self._registry.holds(image):
                raise ImageNotFoundError(f"there is no image {image}")
            return self._copies.get(image, ())
