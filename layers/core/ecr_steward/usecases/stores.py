"""Repositories as stores, in ECR or elsewhere."""

from ecr_steward.domain.names import AnyRepository, OtherRepository
from ecr_steward.ports.stores import ImageContent, ImageStore


def store_of(content: ImageContent, repository: AnyRepository) -> ImageStore:
    """The store of a repository. Raises AccessDeniedError and RegistryNotAllowedError."""
    return content.elsewhere(repository) if isinstance(repository, OtherRepository) else content.store(repository)
