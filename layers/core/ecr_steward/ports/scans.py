"""The port to the scanner."""

from typing import Protocol

from ecr_steward.domain.names import ImageRef
from ecr_steward.domain.scans import Scan


class Scans(Protocol):
    """What ECR's basic scanner or Amazon Inspector has found, whichever the registry is set to."""

    def scan(self, image: ImageRef) -> Scan:
        """Read the latest scan of one image, all pages; one that was never scanned is MISSING.

        An index is no image that can be scanned: ask for its children. Needs ecr:DescribeImageScanFindings; where the
        registry is set to enhanced scanning also inspector2:ListFindings and inspector2:ListCoverage, since the
        findings are Inspector's ("IAM permissions required for enhanced scanning", ECR user guide). Raises
        ImageNotFoundError, RepositoryNotFoundError, AccessDeniedError, ThrottledError and RegistryUnavailableError.
        """
        ...
