"""Images put into the archive and taken out again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler, image_id
from local_ecr.control.images import find_image
from local_ecr.errors import EcrError
from local_ecr.images.selection import ImageFailureError, ImageId
from local_ecr.images.storage_class import archive_image, begin_restore
from local_ecr.state import images, repositories


def update_image_storage_class(call: Call) -> Mapping[str, Any]:
    """Archive an image, or begin to restore it: then the answer says ACTIVATING, and ACTIVE follows by itself.

    What is already so stays so. Refused: to archive what an index lists that is not archived, or what is being
    restored.
    """
    wanted = image_id(call.input["imageId"])
    target = call.input["targetStorageClass"]
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        image = find_image(call, change.connection, repository, wanted)
        status = image.status
        if target == "STANDARD" and status == images.ARCHIVED:
            begin_restore(change, image)
            status = images.ACTIVATING
        elif target == "ARCHIVE" and status == images.ACTIVATING:
            raise _not_supported(image.digest, "it is being restored")
        elif target == "ARCHIVE" and status == images.ACTIVE:
            try:
                archive_image(change, repository, image, call.now())
            except ImageFailureError as failure:
                raise _not_supported(image.digest, failure.reason) from failure
            status = images.ARCHIVED
    named = ImageId(image.digest, wanted.image_tag)
    return call.in_repository(imageId=named.as_json(), imageStatus=status)


def _not_supported(digest: str, why: str) -> EcrError:
    return EcrError(
        "ImageStorageClassUpdateNotSupportedException",
        f"The storage class of the image with digest '{digest}' cannot be updated: {why}",
    )


OPERATIONS: dict[str, Handler] = {"UpdateImageStorageClass": update_image_storage_class}
