"""What the contracts of ``Registry`` name again and again."""

from typing import Any

from ecr_steward.domain.names import Digest, ImageRef, image_tag
from ecr_steward.domain.repositories import Mutability, TagMutability

RELEASE, LATEST, STABLE = image_tag("1.4.2"), image_tag("1-latest"), image_tag("stable")
NOWHERE = Digest(f"sha256:{'0' * 64}")
IMMUTABLE = TagMutability(Mutability.IMMUTABLE)
IMMUTABLE_BUT_LATEST = TagMutability(Mutability.IMMUTABLE_WITH_EXCLUSION, frozenset({"*-latest"}))
MUTABLE_BUT_RELEASES = TagMutability(Mutability.MUTABLE_WITH_EXCLUSION, frozenset({"1.*", "2.*"}))


def tags_of(world: Any, image: ImageRef) -> frozenset[str]:
    tags: frozenset[str] = world.registry.images(image.repository).tags_of(image.digest)
    return tags
