"""Repositories as stores, in ECR or elsewhere."""

from collections.abc import Mapping

from ecr_steward.domain.names import AnyRepository, Digest, OtherRepository
from ecr_steward.ports.stores import ImageContent, ImageStore


def store_of(content: ImageContent, repository: AnyRepository) -> ImageStore:
    """The store of a repository. Raises AccessDeniedError and RegistryNotAllowedError."""
    return content.elsewhere(repository) if isinstance(repository, OtherRepository) else content.store(repository)


def is_held(blob: Digest, known: Mapping[Digest, bool], store: ImageStore) -> bool:
    """Whether a store has a blob; it is asked where its ``known_blobs`` did not tell."""
    return known[blob] if blob in known else store.has_blob(blob)
