"""Which images a seeded repository gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from local_ecr.images.push import MAX_IMAGES
from local_ecr.names import MAX_IMAGE_TAG, is_image_tag

ARCHITECTURES = ("amd64", "arm64", "386", "ppc64le", "riscv64", "s390x")
"""Of the platforms of an index, in this order; the first is that of an image without an index."""

NUMBER = "{}"
"""Where the number is put in, in the pattern of a name."""

MAX_LAYER_BYTES = 1 << 30  # a layer is made in memory
MAX_AGE = timedelta(days=36_500)


@dataclass(frozen=True, kw_only=True)
class SeededImages:
    """The images that each repository of one seeding gets, numbered from 0. Raises ValueError.

    Each has a manifest of its own, and the layer and config of all others of its size and platform.
    """

    count: int = 0
    """Images, or with `platforms` indexes."""
    platforms: int = 0
    """How many images each index lists, one for each platform; 0: images without an index."""
    image_tag: str | None = f"v{NUMBER}"
    """Tag of the image or index, with its number in place of `{}`; None leaves them untagged."""
    age: timedelta = timedelta()
    """How long ago the first was pushed. The last is pushed now, and the others evenly between them."""
    layer_bytes: Sequence[int] = (1_000,)
    """Sizes of the file that the one layer holds, which compression does not shrink: the images have them in turn."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels in the config of all images."""

    def __post_init__(self) -> None:
        if not 0 <= self.platforms <= len(ARCHITECTURES):
            raise ValueError(f"an index is seeded with 0 to {len(ARCHITECTURES)} platforms, not {self.platforms}")
        if not 0 <= self.digests <= MAX_IMAGES:
            raise ValueError(f"a repository has 0 to {MAX_IMAGES:,} images and indexes, not {self.digests:,}")
        longest = self.tag_of(self.count)
        if longest is not None and not is_image_tag(longest):
            raise ValueError(
                f"{self.image_tag!r} makes no image tag: at most {MAX_IMAGE_TAG} letters, digits, '_', '.' and '-', "
                "not beginning with '.' or '-'"
            )
        if longest is not None and self.count > 1 and longest == self.image_tag:
            raise ValueError(f"{self.image_tag!r} has no {NUMBER}: {self.count:,} images need tags of their own")
        if not timedelta() <= self.age <= MAX_AGE:
            raise ValueError(f"the first push is 0 to {MAX_AGE.days:,} days ago, not {self.age}")
        if not self.layer_bytes or not all(0 <= size <= MAX_LAYER_BYTES for size in self.layer_bytes):
            raise ValueError(f"a layer is seeded with 0 to {MAX_LAYER_BYTES:,} bytes, not {list(self.layer_bytes)}")

    @property
    def digests(self) -> int:
        """Images as ECR counts them: an index, and each that it lists."""
        return self.count * (self.platforms + 1)

    @property
    def architectures(self) -> Sequence[str]:
        """Of the images, with or without an index."""
        return ARCHITECTURES[: self.platforms or 1]

    def tag_of(self, number: int) -> str | None:
        """Tag of the image or index of this number."""
        return self.image_tag.replace(NUMBER, str(number)) if self.image_tag is not None else None

    def size_of(self, number: int) -> int:
        """`layer_bytes` of the image or index of this number."""
        return self.layer_bytes[number % len(self.layer_bytes)]

    def age_of(self, number: int) -> timedelta:
        """How long ago the image or index of this number was pushed."""
        return self.age * ((self.count - 1 - number) / max(self.count - 1, 1))
