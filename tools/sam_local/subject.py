"""What a sample event speaks of: which image, where, and of which kind."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

IMAGE_TAG = "1.4.2"
"""Of the image, where an event speaks of none."""


class Kind(Enum):
    """What an event's digest is."""

    IMAGE = auto()
    """An image for one platform."""
    INDEX = auto()
    CHILD = auto()
    """An image that a tagged index points to, and nothing else."""


@dataclass(frozen=True)
class Subject:
    """An image. An event without a digest is about all that there is: a whole release."""

    account: str
    digest: str | None
    image_tag: str
    """Empty for an image that is pushed by its digest only."""
    kind: Kind


def subject_of(event: Any) -> Subject:
    """Read a sample; of a batch, its first message that is JSON."""
    if "Records" in event:
        event = _first_readable(event["Records"])
    detail = event["detail"]
    match event["detail-type"], detail:
        case "ECR Image Action", {"image-digest": str(digest)}:
            is_index = str(detail.get("manifest-media-type", "")).endswith("index.v1+json")
            kind = Kind.INDEX if is_index else Kind.IMAGE
            return Subject(event["account"], digest, detail.get("image-tag", ""), kind)
        case "ECR Replication Action" | "ECR Pull Through Cache Action", {"image-digest": str(digest)}:
            return Subject(event["account"], digest, detail["image-tag"], Kind.IMAGE)
        case "ECR Image Scan" | "Inspector2 Scan", {"image-digest": str(digest), "image-tags": [*image_tags]}:
            # ECR scans no index, and what an index points to has seldom a tag of its own.
            kind = Kind.IMAGE if image_tags else Kind.CHILD
            return Subject(event["account"], digest, IMAGE_TAG, kind)
        case "Replication Requested" | "Image Verdict", {"image-digest": str(digest), "account": str(account)}:
            return Subject(account, digest, IMAGE_TAG, Kind.INDEX)
    return Subject(event["account"], None, IMAGE_TAG, Kind.INDEX)


def _first_readable(records: Sequence[Mapping[str, Any]]) -> Any:
    for record in records:
        try:
            return json.loads(record["body"])
        except ValueError:
            continue  # the poison of poison_and_good
    raise ValueError("no message of the batch can be read")
