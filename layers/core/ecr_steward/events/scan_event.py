"""What announces that a verdict may have changed: the end of a scan, a finding, and a push.

*ECR Image Scan* is of ECR's basic scanner and names the repository; two are Amazon Inspector's, of enhanced scanning.
*Inspector2 Scan* comes once, after the first scan, and gives the repository's ARN; after that only findings are
reported, each when it appears, changes or closes ("Amazon Inspector events", Inspector user guide). All three speak of
one platform's image, never of an index. Their counts are not read: they say nothing about waivers or other platforms.

*ECR Image Action* is a push. Where all platforms were scanned before an index or an image tag is put over them, no scan
follows that could announce the verdict.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef
from ecr_steward.domain.observations import Push, ScanEnded
from ecr_steward.errors import MalformedEventError
from ecr_steward.events.envelope import (
    AccountId,
    CamelModel,
    DigestText,
    Envelope,
    EventModel,
    ImageDetail,
    Region,
    RepositoryNameText,
    parse,
    parse_json,
)
from ecr_steward.events.image_action import ImageActionEvent

_REPOSITORY_ARN = re.compile(
    r"arn:aws[a-z-]*:ecr:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):repository/(?P<name>.+)"
)
_ECR_IMAGE = "AWS_ECR_CONTAINER_IMAGE"
"""What Inspector calls it; it also scans instances, functions and code."""


class ImageScanDetail(ImageDetail):
    """``detail`` of an ECR Image Scan."""

    scan_status: Annotated[str, Field(min_length=1)]
    """COMPLETE or FAILED: whichever, the verdict is derived from what ECR answers now."""


class ImageScanEvent(Envelope):
    """A basic scan ended."""

    source: Literal["aws.ecr"]
    detail_type: Literal["ECR Image Scan"]
    detail: ImageScanDetail

    def to_scans_ended(self) -> tuple[ScanEnded, ...]:
        """The scan that this event reports."""
        return (ScanEnded(self.detail.image_in(self.registry)),)


class InspectorScanDetail(EventModel):
    """``detail`` of an Inspector2 Scan. Those of other resources name neither repository nor digest."""

    repository_name: Annotated[str, Field(min_length=1)] | None = None
    """An ARN, or, if Inspector should come to write it as ECR does, a name."""
    image_digest: DigestText | None = None


class InspectorScanEvent(Envelope):
    """The first enhanced scan of a resource ended."""

    source: Literal["aws.inspector2"]
    detail_type: Literal["Inspector2 Scan"]
    detail: InspectorScanDetail

    def to_scans_ended(self) -> tuple[ScanEnded, ...]:
        """The scan that this event reports; none of another resource than an image. Raises InvalidNameError."""
        name, digest = self.detail.repository_name, self.detail.image_digest
        if name is None and digest is None:
            return ()
        if name is None or digest is None:
            missing = "repository-name" if name is None else "image-digest"
            raise MalformedEventError(f"event {self.id} reports the scan of an image, but has no detail.{missing}")
        return (ScanEnded(ImageRef(_repository(name, self.registry), Digest(digest))),)


class ContainerImage(CamelModel):
    """An image as Inspector describes it: the same twice, once under ``awsEcrContainerImage``, once under ``image``."""

    repository_name: RepositoryNameText
    registry: AccountId
    image_hash: DigestText | None = None
    image_digest: DigestText | None = None


class ResourceDetails(CamelModel):
    """What a finding says about its resource."""

    aws_ecr_container_image: ContainerImage | None = None
    image: ContainerImage | None = None


class FindingResource(CamelModel):
    """What a finding was found in."""

    type: str
    region: Region | None = None
    details: ResourceDetails = ResourceDetails()

    def image(self, where: RegistryRef) -> ImageRef | None:
        """The image; ``None`` for another resource. Raises MalformedEventError."""
        if self.type != _ECR_IMAGE:
            return None
        image = self.details.aws_ecr_container_image or self.details.image
        digest = (image.image_hash or image.image_digest) if image else None
        if image is None or digest is None:
            raise MalformedEventError(
                f"a finding in an {_ECR_IMAGE} has neither details.awsEcrContainerImage.imageHash nor "
                "details.image.imageDigest: which image it means is not said"
            )
        registry = RegistryRef(image.registry, self.region or where.region)
        return ImageRef(RepositoryRef(registry, image.repository_name), Digest(digest))


class InspectorFindingDetail(CamelModel):
    """``detail`` of an Inspector2 Finding."""

    resources: tuple[FindingResource, ...] = Field(strict=False)


class InspectorFindingEvent(Envelope):
    """A finding appeared, changed or was closed."""

    source: Literal["aws.inspector2"]
    detail_type: Literal["Inspector2 Finding"]
    detail: InspectorFindingDetail

    def to_scans_ended(self) -> tuple[ScanEnded, ...]:
        """The images that the finding is about; none where it is about something else. Raises MalformedEventError."""
        images = [resource.image(self.registry) for resource in self.detail.resources]
        return tuple(ScanEnded(image) for image in images if image is not None)


def read_scan_event(body: str | bytes) -> tuple[ScanEnded | Push, ...]:
    """Read the body of a message of the scan queue: which images were scanned or pushed, or none.

    Raises MalformedEventError and InvalidNameError.
    """
    event = parse_json(body)
    kind = event.get("detail-type") if isinstance(event, Mapping) else None
    match kind:
        case "ECR Image Scan":
            return parse(ImageScanEvent, event).to_scans_ended()
        case "Inspector2 Scan":
            return parse(InspectorScanEvent, event).to_scans_ended()
        case "Inspector2 Finding":
            return parse(InspectorFindingEvent, event).to_scans_ended()
        case "ECR Image Action" | "ECR Referrer Action":
            return (parse(ImageActionEvent, event).to_push(),)
    raise MalformedEventError(
        "detail-type of a scan event is 'ECR Image Scan', 'Inspector2 Scan', 'Inspector2 Finding', "
        f"'ECR Image Action' or 'ECR Referrer Action', but found {kind!r}"
    )


def _repository(name: str, where: RegistryRef) -> RepositoryRef:
    """The repository of an ARN, which says for itself where it is, or of a name in the event's registry."""
    arn = _REPOSITORY_ARN.fullmatch(name)
    return RepositoryRef(RegistryRef(arn["account"], arn["region"]), arn["name"]) if arn else RepositoryRef(where, name)
