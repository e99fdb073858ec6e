"""Find the image that an `imageId` (digest, tag, or both) means, or say in ECR's words why there is none."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from local_ecr.names import is_digest
from local_ecr.state import images
from local_ecr.state.images import Image

DIGEST_FORM = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+"
"""What ECR calls a digest (github.com/pulumi/pulumi-aws/issues/2466)."""
IMAGE_TAG_FORM = "[a-zA-Z0-9-_.]+"
"""What ECR calls an image tag (github.com/alexjurkiewicz/ecr-scan-image/issues/40)."""


@dataclass(frozen=True)
class ImageId:
    digest: str | None = None
    image_tag: str | None = None

    def as_json(self) -> dict[str, str]:
        members = {"imageDigest": self.digest, "imageTag": self.image_tag}
        return {name: value for name, value in members.items() if value is not None}


class ImageFailureError(Exception):
    """One entry of an answer's `failures`."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


def select_image(connection: sqlite3.Connection, repository_id: int, image_id: ImageId) -> Image:
    """The image that has the digest and the tag, whichever are given. Raises ImageFailureError."""
    digest, image_tag = image_id.digest, image_id.image_tag
    if digest is None and image_tag is None:
        raise ImageFailureError("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null")
    if digest is not None and not is_digest(digest):
        if re.fullmatch(DIGEST_FORM, digest):
            raise not_found()
        raise ImageFailureError(
            "InvalidImageDigest",
            f"Invalid request parameters: image digest should satisfy the regex '{DIGEST_FORM}'",
        )
    if image_tag is not None and not re.fullmatch(IMAGE_TAG_FORM, image_tag):
        raise ImageFailureError(
            "InvalidImageTag", f"Invalid request parameters: image tag should satisfy the regex '{IMAGE_TAG_FORM}'"
        )
    if image_tag is None:
        found = images.by_digest(connection, repository_id, digest or "")
    else:
        found = images.by_tag(connection, repository_id, image_tag)
    if found is None:
        raise not_found()
    if digest is not None and found.digest != digest:
        raise ImageFailureError(
            "ImageTagDoesNotMatchDigest", "Invalid request parameters: image tag does not match image digest"
        )
    return found


def require_active(image: Image) -> Image:
    """The image, if it can be pulled: not in the archive, nor on its way back. Raises ImageFailureError."""
    if image.status != images.ACTIVE:
        raise ImageFailureError("ImageInaccessible", "Requested image is archived and cannot be pulled")
    return image


def not_found() -> ImageFailureError:
    return ImageFailureError("ImageNotFound", "Requested image not found")
