"""Replication: what a registry copies where, and how far each image has come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler, image_id
from local_ecr.control.images import find_asked_image
from local_ecr.images.selection import ImageId
from local_ecr.replication.rules import check_configuration
from local_ecr.state import registries, replications


def put_replication_configuration(call: Call) -> Mapping[str, Any]:
    """Replaces the whole; a configuration without rules ends replication. What is on its way arrives nevertheless."""
    configuration = call.input["replicationConfiguration"]
    check_configuration(call.registry, configuration)
    with call.store.changing() as change:
        registries.put(change.connection, call.registry, registries.REPLICATION, configuration)
    return {"replicationConfiguration": configuration}


def describe_image_replication_status(call: Call) -> Mapping[str, Any]:
    """How the latest copy went, once per destination; nothing of one that was never asked for.

    With a tag it is told of the copy with that tag, else of the image's latest. What a rule asked for while it was
    there is told of after it is gone.
    """
    wanted = image_id(call.input["imageId"])
    with call.store.reading() as connection:
        image = find_asked_image(call, connection, wanted)
        found = replications.statuses(connection, image, wanted.image_tag)
    return {
        "repositoryName": call.repository_name,
        "imageId": ImageId(image.digest, wanted.image_tag).as_json(),
        "replicationStatuses": [
            {
                "region": one.destination.region,
                "registryId": one.destination.account,
                "status": one.status,
                "failureCode": one.failure_code,
            }
            for one in found
        ],
    }


OPERATIONS: dict[str, Handler] = {
    "PutReplicationConfiguration": put_replication_configuration,
    "DescribeImageReplicationStatus": describe_image_replication_status,
}
