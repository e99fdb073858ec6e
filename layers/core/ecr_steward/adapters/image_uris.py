"""Images as workloads write them down."""

import re

from ecr_steward.domain.names import Digest, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.usage import UsedImage
from ecr_steward.errors import InvalidNameError

_HOST = re.compile(
    r"(?P<account>[0-9]{12})\.(dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z0-9.]+"
    r"|dkr-ecr(-fips)?\.(?P<dual>[a-z0-9-]+)\.on\.[a-z0-9.-]+)"
)
"""Of both kinds of addresses that ECR has (ECR user guide, "Making requests to Amazon ECR")."""


def used_image(uri: str, by: str, digest: str | None = None) -> UsedImage | None:
    """The image that a URI means; ``None`` for one that no ECR registry holds.

    Without a tag and without a digest it means the tag ``latest``. A digest beside a tag is all that is pulled by.
    """
    host, _, rest = uri.removeprefix("https://").partition("/")
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    named, _, by_digest = rest.partition("@")
    name, _, tag = named.partition(":")
    by_digest = digest or by_digest
    try:
        repository = RepositoryRef(RegistryRef(found["account"], found["region"] or found["dual"]), name)
        if by_digest:
            return UsedImage(repository, by, digest=Digest(by_digest))
        return UsedImage(repository, by, image_tag=image_tag(tag or "latest"))
    except InvalidNameError:
        return None  # nobody could ever have pulled it
