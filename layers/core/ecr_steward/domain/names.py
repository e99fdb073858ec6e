"""Names as the field writes them, parsed once into types: registry, repository, image tag, digest.

The forms are ECR's: repository names and image tags from the CreateRepository and PutImage API reference,
digests from the OCI image specification.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NewType, Self

from ecr_steward.errors import InvalidNameError

ImageTag = NewType("ImageTag", str)

_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_HOST = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_ECR_HOST = re.compile(
    r"(?P<account>[0-9]{12})\.(dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)"
    r"\.(amazonaws\.com(\.cn)?|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|csp\.hci\.ic\.gov|cloud\.adc-e\.uk)"
    r"|dkr-ecr(-fips)?\.(?P<dual>[a-z0-9-]+)\.on"
    r"\.(aws|amazonwebservices\.(com\.cn|eu)|aws\.ic\.gov|aws\.scloud|cloud-aws\.adc-e\.uk|aws\.hci\.ic\.gov))"
)
"""The whole host, with every ending that AWS owns (partitions.json of botocore): what only begins so is not ECR's."""
DOCKER_HUB = "registry-1.docker.io"
_DOCKER_HUB_NAMES = ("docker.io", "index.docker.io")
_IMAGE_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,299}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)


def image_tag(text: str) -> ImageTag:
    """Check an image tag. ECR allows up to 300 characters, not the 128 of the OCI specification."""
    if not _IMAGE_TAG.fullmatch(text):
        raise InvalidNameError(f"{text!r} is not an image tag")
    return ImageTag(text)


def is_repository_name(text: str) -> bool:
    """Whether a registry may have a repository of this name (distribution specification); ECR's limits are narrower."""
    return _REPOSITORY.fullmatch(text) is not None


@dataclass(frozen=True, order=True)
class Digest:
    """What an image is: the hash of its manifest's bytes, written ``sha256:<64 hex digits>``."""

    value: str

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.value):
            raise InvalidNameError(f"{self.value!r} is not a digest such as sha256:<64 hex digits>")

    def __str__(self) -> str:
        return self.value

    @property
    def algorithm(self) -> str:
        return self.value.partition(":")[0]

    @property
    def hex(self) -> str:
        """The hex digits alone."""
        return self.value.partition(":")[2]


@dataclass(frozen=True, order=True)
class RegistryRef:
    """One ECR registry: an account in a region."""

    account: str
    region: str

    def __post_init__(self) -> None:
        if not _ACCOUNT.fullmatch(self.account):
            raise InvalidNameError(f"{self.account!r} is not an account id of twelve digits")
        if not _REGION.fullmatch(self.region):
            raise InvalidNameError(f"{self.region!r} is not a region such as eu-west-1")

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"


@dataclass(frozen=True, order=True)
class RepositoryRef:
    """A named collection of images in a registry."""

    registry: RegistryRef
    name: str

    def __post_init__(self) -> None:
        if not 2 <= len(self.name) <= 256 or not _REPOSITORY.fullmatch(self.name):
            raise InvalidNameError(f"{self.name!r} is not a repository name")

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}"

    def in_registry(self, registry: RegistryRef) -> Self:
        """The repository of the same name in another registry."""
        return type(self)(registry, self.name)


@dataclass(frozen=True, order=True)
class OtherRepository:
    """A repository of a registry that is not ECR."""

    host: str
    """With its port, where that is not 443; as ``host_of`` answers."""
    name: str
    login: str | None = None
    """Name of the secret that holds the login; ``None``: none is needed."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= 255 or not is_repository_name(self.name):
            raise InvalidNameError(f"{self.name!r} is not a repository name")

    def __str__(self) -> str:
        return f"{self.host}/{self.name}"


type AnyRepository = RepositoryRef | OtherRepository


@dataclass(frozen=True, order=True)
class ImageRef:
    """One image, by digest. Image tags move; this does not."""

    repository: RepositoryRef
    digest: Digest

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}"

    def in_repository(self, repository: RepositoryRef) -> Self:
        """The same image in another repository."""
        return type(self)(repository, self.digest)


def host_of(text: str) -> str:
    """The address under which a registry is spoken to, such as ``ghcr.io`` or ``registry.example.com:5000``."""
    host = text.lower()
    if not _HOST.fullmatch(host) or not ("." in host or ":" in host or host == "localhost"):
        raise InvalidNameError(f"{text!r} is not the host of a registry, such as ghcr.io or registry.example.com:5000")
    host = host.removesuffix(":443")
    return DOCKER_HUB if host in _DOCKER_HUB_NAMES else host


def hosts_in(text: str) -> Mapping[str, str | None]:
    """The registries in a list such as ``ghcr.io,registry.example.com=auth.example.com``, with their token servers.

    So a parameter of the template has it. ``None``: it gives out tokens itself, or its server is known. What is no host
    names no registry.
    """
    found: dict[str, str | None] = {}
    for each in filter(None, text.split(",")):
        registry, _, token_server = each.partition("=")
        with suppress(InvalidNameError):
            found[host_of(registry)] = host_of(token_server) if token_server else None
    return found


def registry_at(host: str) -> RegistryRef | None:
    """The registry whose address a host is, where that is one of ECR."""
    found = _ECR_HOST.fullmatch(host)
    return RegistryRef(found["account"], found["region"] or found["dual"]) if found else None


def partition_of(region: str) -> str:
    """The partition of a region, as ARNs name it."""
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")
