"""The ``Scans`` port over DescribeImageScanFindings, which answers for ECR's basic scanner and for Amazon Inspector."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.paging import whole_pages
from ecr_steward.adapters.translation import code_of, translated
from ecr_steward.domain.names import ImageRef
from ecr_steward.domain.scans import Finding, Scan, ScanStatus, Severity

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import EnhancedImageScanFindingTypeDef, ImageScanFindingTypeDef

PAGE_SIZE = 1000  # the largest that ECR takes (DescribeImageScanFindings API reference)

_STATUSES: Mapping[str, ScanStatus] = {
    "COMPLETE": ScanStatus.COMPLETE,
    "ACTIVE": ScanStatus.COMPLETE,  # enhanced: scanned, and watched from now on
    "IN_PROGRESS": ScanStatus.PENDING,
    "PENDING": ScanStatus.PENDING,
    "UNSUPPORTED_IMAGE": ScanStatus.UNSCANNABLE,
    "FAILED": ScanStatus.FAILED,
    "FINDINGS_UNAVAILABLE": ScanStatus.FAILED,
    "IMAGE_ARCHIVED": ScanStatus.FAILED,
    "SCAN_ELIGIBILITY_EXPIRED": ScanStatus.EXPIRED,
    "LIMIT_EXCEEDED": ScanStatus.LIMIT_EXCEEDED,
    "IMAGE_SIZE_EXCEEDED": ScanStatus.LIMIT_EXCEEDED,
}
"""All of ``ScanStatus`` of the API reference. Another word is kept, and judged as UNKNOWN."""
_UNSUPPORTED = "UnsupportedImageError"
"""How the description of a FAILED scan begins where the scanner does not know the image's operating system
("Troubleshooting image scanning", ECR user guide; aws/containers-roadmap#2066)."""
_CLOSED = "CLOSED"
"""State of an Inspector finding that is mended."""
_SUPPRESSED = "SUPPRESSED"
"""State of an Inspector finding that a suppression rule hides, and that the image still has."""
_NAMELESS = "a finding without a name"


class EcrScans:
    """A ``Scans``, whichever scanner the registry is set to."""

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients

    def scan(self, image: ImageRef) -> Scan:
        repository = image.repository
        with translated("ecr:DescribeImageScanFindings", image):
            pages = whole_pages(
                self._clients.ecr(repository.registry),
                "describe_image_scan_findings",
                page_size=PAGE_SIZE,
                registryId=repository.registry.account,
                repositoryName=repository.name,
                imageId={"imageDigest": image.digest.value},
            )
            try:
                return _scan(image, pages)
            except ClientError as cause:
                if code_of(cause) != "ScanNotFoundException":
                    raise
                return Scan(image.digest, ScanStatus.MISSING)


def _scan(image: ImageRef, pages: Iterator[Mapping[str, Any]]) -> Scan:
    said: dict[str, str | None] = {}
    findings: set[Finding] = set()
    for page in pages:
        status = page.get("imageScanStatus", {})
        said[status.get("status", "")] = status.get("description")
        found = page.get("imageScanFindings", {})
        findings.update(_basic(entry) for entry in found.get("findings", []))
        for enhanced in found.get("enhancedFindings", []):
            findings.update(_enhanced(enhanced))
    if len(said) > 1:
        return Scan(image.digest, ScanStatus.PENDING, said="it was scanned anew while its findings were read")
    ((word, description),) = said.items()
    status = _STATUSES.get(word, ScanStatus.UNKNOWN if word else ScanStatus.FAILED)
    if word == "FAILED" and (description or "").startswith(_UNSUPPORTED):
        status = ScanStatus.UNSCANNABLE
    words = ": ".join(filter(None, (word, description)))
    return Scan(
        image.digest,
        status,
        tuple(sorted(findings, key=_order)),
        said=None if status is ScanStatus.COMPLETE else words or "ECR does not say what became of it",
    )


def _order(finding: Finding) -> tuple[str, int, str, str, bool]:
    package, word = finding.package or "", finding.severity_word or ""
    return finding.name, finding.severity, package, word, finding.is_suppressed


def _basic(entry: "ImageScanFindingTypeDef") -> Finding:
    attributes = {attribute["key"]: attribute.get("value", "") for attribute in entry.get("attributes", [])}
    package = _joined(attributes.get("package_name"), attributes.get("package_version"))
    severity, word = _severity(entry.get("severity"))
    return Finding(entry.get("name") or _NAMELESS, severity, package, word)


def _enhanced(entry: "EnhancedImageScanFindingTypeDef") -> Iterator[Finding]:
    """One finding for each package that has it; none where it is mended."""
    status = entry.get("status", "").upper()
    if status == _CLOSED:
        return
    details = entry.get("packageVulnerabilityDetails", {})
    name = details.get("vulnerabilityId") or entry.get("title") or entry.get("findingArn") or _NAMELESS
    severity, word = _severity(entry.get("severity"))
    for package in details.get("vulnerablePackages") or [{}]:
        yield Finding(name, severity, _joined(package.get("name"), package.get("version")), word, status == _SUPPRESSED)


def _severity(text: str | None) -> tuple[Severity, str | None]:
    """The severity, and the scanner's word where that is not one of ours: UNTRIAGED of Inspector, or a later one."""
    severity = Severity.__members__.get((text or "").upper(), Severity.UNDEFINED)
    return severity, None if not text or text.upper() == severity.name else text


def _joined(name: str | None, version: str | None) -> str | None:
    return " ".join(filter(None, (name, version))) or None
