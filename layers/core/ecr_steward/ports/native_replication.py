"""The port to what ECR says about its own replication."""

from typing import Protocol

from ecr_steward.domain.names import ImageRef
from ecr_steward.domain.native_copies import NativeCopy


class NativeCopies(Protocol):
    """The copies that ECR itself makes."""

    def of(self, image: ImageRef) -> tuple[NativeCopy, ...]:
        """Read how far the latest copy of an image is, once for each destination; none that nobody asked ECR for.

        Needs ecr:DescribeImageReplicationStatus. Raises ImageNotFoundError, RepositoryNotFoundError,
        AccessDeniedError, ThrottledError and RegistryUnavailableError.
        """
        ...
