"""Replication: what a registry copies where, and how far each image has come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.replication.rules import check_configuration
from local_ecr.state import registries


def put_replication_configuration(call: Call) -> Mapping[str, Any]:
    """Replaces the whole; a configuration without rules ends replication. What is on its way arrives nevertheless."""
    configuration = call.input["replicationConfiguration"]
    check_configuration(call.registry, configuration)
    with call.store.changing() as change:
        registries.put(change.connection, call.registry, registries.REPLICATION, configuration)
    return {"replicationConfiguration": configuration}


OPERATIONS: dict[str, Handler] = {"PutReplicationConfiguration": put_replication_configuration}
