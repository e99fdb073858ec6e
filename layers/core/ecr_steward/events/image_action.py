"""*ECR Image Action*: something happened to one image. One event per manifest and image tag.

*ECR Referrer Action* has the same fields, and is about a manifest with a subject: the ECR user guide ("Amazon ECR
events and EventBridge") has one of a restored image, and the events reference lists it beside *ECR Image Action*.

The shape is that of the EventBridge events reference for Amazon ECR; pushes seen in the wild have no
``artifact-media-type`` for an index, and say ``"image-tag": ""`` or nothing at all for a push by digest.
"""

from typing import Literal

from pydantic import AwareDatetime, Field

from ecr_steward.domain.observations import Push
from ecr_steward.errors import MalformedEventError
from ecr_steward.events.envelope import Envelope, ImageDetail, optional_image_tag


class ImageActionDetail(ImageDetail):
    """``detail`` of an ECR Image Action."""

    result: str
    action_type: Literal["PUSH", "DELETE", "UPDATE_STORAGE_CLASS"]
    image_tag: str | None = None
    manifest_media_type: str | None = None


class ImageActionEvent(Envelope):
    """An ECR Image Action, or an ECR Referrer Action."""

    source: Literal["aws.ecr"]
    detail_type: Literal["ECR Image Action", "ECR Referrer Action"]
    time: AwareDatetime | None = Field(default=None, strict=False)
    detail: ImageActionDetail

    def to_push(self) -> Push:
        """The push that this event reports.

        Raises MalformedEventError for any other action and for a push that failed: the rule's pattern lets neither
        through, so who gets one is wired wrongly. Raises InvalidNameError for an impossible image tag.
        """
        if (self.detail.action_type, self.detail.result) != ("PUSH", "SUCCESS"):
            raise MalformedEventError(
                f"event {self.id} reports {self.detail.action_type} with result {self.detail.result}, "
                "but only a PUSH with result SUCCESS is handled here; look at the rule's event pattern"
            )
        return Push(
            image=self.detail.image_in(self.registry),
            image_tag=optional_image_tag(self.detail.image_tag),
            media_type=self.detail.manifest_media_type or None,
            at=self.time,
        )
