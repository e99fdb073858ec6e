"""BatchDeleteImage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.control.images import failure_entry
from local_ecr.images.removal import remove_image
from local_ecr.images.selection import ImageFailureError, ImageId
from local_ecr.state import repositories


def batch_delete_image(call: Call) -> Mapping[str, Any]:
    """Each image is removed or fails on its own, in the order given: an index must come before what it lists."""
    removed: list[ImageId] = []
    failures: dict[ImageId, ImageFailureError] = {}
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        for wanted in dict.fromkeys(call.image_ids):
            try:
                removed += remove_image(change, repository, wanted, call.now())
            except ImageFailureError as failure:
                failures[wanted] = failure
    return {
        "imageIds": [image.as_json() for image in removed],
        "failures": [failure_entry(wanted, failure) for wanted, failure in failures.items()],
    }


OPERATIONS: dict[str, Handler] = {"BatchDeleteImage": batch_delete_image}
