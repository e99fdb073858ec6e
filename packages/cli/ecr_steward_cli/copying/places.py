"""Where to copy from and to, as people write it: ``host/repository:tag``, ``@sha256:...``, ``oci:FOLDER:tag``."""

from dataclasses import dataclass
from pathlib import Path

from ecr_steward.domain.names import (
    Digest,
    ImageTag,
    RegistryRef,
    RepositoryRef,
    host_of,
    image_tag,
    is_repository_name,
    registry_at,
)
from ecr_steward.errors import InvalidNameError


class PlaceError(ValueError):
    """What is no place; the message says why, and what one looks like."""


@dataclass(frozen=True)
class RegistryPlace:
    """A repository of a registry."""

    host: str
    repository_name: str
    reference: Digest | ImageTag | None = None
    image_tag: ImageTag | None = None
    """That stands beside a digest."""

    @property
    def registry(self) -> RegistryRef | None:
        """Account and region, where this is an address of ECR."""
        return registry_at(self.host)

    def __str__(self) -> str:
        return f"{self.host}/{self.repository_name}"


@dataclass(frozen=True)
class FolderPlace:
    """An OCI image layout."""

    folder: Path
    reference: Digest | ImageTag | None = None
    image_tag: ImageTag | None = None

    def __str__(self) -> str:
        return f"oci:{self.folder}"


type Place = RegistryPlace | FolderPlace


def read_place(text: str) -> Place:
    """Read a place. Raises PlaceError."""
    try:
        return _folder(text.removeprefix("oci:")) if text.startswith("oci:") else _registry(text)
    except InvalidNameError as cause:
        raise PlaceError(f"{text}: {cause}") from cause


def _folder(text: str) -> FolderPlace:
    folder, at, digest = text.partition("@")
    if not at:
        folder, _, tag = text.partition(":")
        return FolderPlace(_path(folder), image_tag(tag) if tag else None)
    return FolderPlace(_path(folder), Digest(digest))


def _path(folder: str) -> Path:
    if not folder:
        raise PlaceError("oci: needs a folder, such as oci:images/api:1.0.0")
    return Path(folder)


def _registry(text: str) -> RegistryPlace:
    named, at, digest = text.removeprefix("docker://").partition("@")
    host, _, rest = named.partition("/")
    try:
        host = host_of(host)
    except InvalidNameError as cause:
        raise _no_registry(text) from cause
    if not rest:
        raise _no_registry(text)
    name, _, tag = rest.partition(":")
    if not is_repository_name(name):
        raise PlaceError(f"{name!r} in {text!r} is no name of a repository")
    if (registry := registry_at(host)) is not None:
        RepositoryRef(registry, name)  # ECR's names are narrower
    named_tag = image_tag(tag) if tag else None
    return RegistryPlace(host, name, Digest(digest), named_tag) if at else RegistryPlace(host, name, named_tag)


def _no_registry(text: str) -> PlaceError:
    example = "host/repository:tag, such as docker.io/library/busybox:1.37, or oci:FOLDER:tag"
    return PlaceError(f"{text!r} names no registry: write {example}")
