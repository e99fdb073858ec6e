"""Images as workloads write them down."""

from ecr_steward.domain.names import Digest, RepositoryRef, host_of, image_tag, registry_at
from ecr_steward.domain.usage import UsedImage
from ecr_steward.errors import InvalidNameError


def used_image(uri: str, by: str, digest: str | None = None) -> UsedImage | None:
    """The image that a URI means; ``None`` for one that no ECR registry holds.

    Without a tag and without a digest it means the tag ``latest``. A digest beside a tag is all that is pulled by.
    """
    host, _, rest = uri.removeprefix("https://").partition("/")
    named, _, by_digest = rest.partition("@")
    name, _, tag = named.partition(":")
    by_digest = digest or by_digest
    try:
        registry = registry_at(host_of(host))
        if registry is None:
            return None
        repository = RepositoryRef(registry, name)
        if by_digest:
            return UsedImage(repository, by, digest=Digest(by_digest))
        return UsedImage(repository, by, image_tag=image_tag(tag or "latest"))
    except InvalidNameError:
        return None  # nobody could ever have pulled it
