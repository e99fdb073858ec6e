"""Releases: a person's word that an image may be as it is for a time, although a rule objects."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ecr_steward.domain.names import ImageRef, ImageTag

RELEASED_FOR: Final = timedelta(days=30)


@dataclass(frozen=True)
class Release:
    """What one image is released from.

    It is about exactly this image: the image tag on another image, or another image tag on this one, is a violation
    like any other.
    """

    image: ImageRef
    image_tag: ImageTag | None
    """The image tag that may stay; ``None`` is for what a rule has against the image as a whole."""
    who: str
    why: str
    until: datetime
