"""Images as people write them: as clients pull them, or as the steward prints them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ecr_steward.domain.names import (
    Digest,
    ImageRef,
    ImageTag,
    RegistryRef,
    RepositoryRef,
    host_of,
    image_tag,
    registry_at,
)
from ecr_steward.errors import InvalidNameError


@dataclass(frozen=True)
class ImageName:
    """A repository, and which of its images is meant."""

    repository: RepositoryRef
    image_tag: ImageTag | None
    digest: Digest | None


def parse_image(text: str, own: Callable[[], RegistryRef]) -> ImageName:
    """Read ``HOST/REPOSITORY:TAG``, ``ACCOUNT/REGION/REPOSITORY:TAG`` or ``REPOSITORY:TAG``, or ``@DIGEST`` each.

    ``own`` answers with the caller's registry where a name does not say which. Of tag and digest the digest counts, as
    everywhere. Raises InvalidNameError.
    """
    name, at, digest = text.partition("@")
    name, colon, tag = _split_tag(name)
    if not at and not colon:
        raise InvalidNameError(f"`{text}` names no image: add :TAG or @sha256:DIGEST")
    registry, repository = _registry(name, own)
    return ImageName(
        RepositoryRef(registry, repository),
        image_tag(tag) if colon else None,
        Digest(digest) if at else None,
    )


def resolve(name: ImageName, holders: Callable[[RepositoryRef], dict[ImageTag, Digest]]) -> ImageRef:
    """The image that is meant at this moment. Raises InvalidNameError for an image tag that nobody holds."""
    if name.digest:
        return ImageRef(name.repository, name.digest)
    held = holders(name.repository)
    if name.image_tag not in held:
        raise InvalidNameError(f"no image of {name.repository} holds the image tag {name.image_tag}")
    return ImageRef(name.repository, held[name.image_tag])


def _split_tag(name: str) -> tuple[str, str, str]:
    """A colon before a slash belongs to a port."""
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    return head + slash + last, colon, tag


def _registry(name: str, own: Callable[[], RegistryRef]) -> tuple[RegistryRef, str]:
    host, _, rest = name.partition("/")
    if "." in host or ":" in host:
        if registry := registry_at(host_of(host)):
            return registry, rest
        raise InvalidNameError(
            f"`{host}` is no host of an ECR registry, such as 111122223333.dkr.ecr.us-east-1.amazonaws.com; "
            "111122223333/us-east-1/REPOSITORY means the same wherever it is"
        )
    account, region, *path = [*name.split("/", 2), ""]
    with suppress(InvalidNameError):
        return RegistryRef(account, region), path[0]
    return own(), name
