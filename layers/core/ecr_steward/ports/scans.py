"""The port to the scanner."""

from typing import Protocol

from ecr_steward.domain.names import ImageRef
from ecr_steward.domain.scans import Scan


class Scans(Protocol):
    """What ECR's basic scanner or Amazon Inspector has found, whichever the registry is set to."""

    def scan(self, image: ImageRef) -> Scan:
        """Read the latest scan of one image, all pages; one that was never scanned is MISSING.

        Needs ecr:DescribeImageScanFindings. Raises ImageNotFoundError and RepositoryNotFoundError.
        """
        ...
