"""Replication backfills: start one, stop it, and tell how far each is and how its images went."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.errors import EcrError, invalid_parameter
from local_ecr.images.selection import ImageId
from local_ecr.names import Registry
from local_ecr.replication.backfilling import MAX_UNDER_WAY, RETENTION, is_destination
from local_ecr.state import backfills
from local_ecr.state.backfills import Backfill, BackfillResult

DEFAULT_LIST_PAGE = 25


def start_replication_backfill(call: Call) -> Mapping[str, Any]:
    asked = call.input["destination"]
    destination = Registry(asked["registryId"], asked["region"])
    with call.store.changing() as change:
        if not is_destination(change.connection, call.registry, destination):
            raise invalid_parameter("destination", "it is in no rule of the registry's replication configuration")
        under_way = backfills.under_way(change.connection, call.registry)
        if any(one.destination.region == destination.region for one in under_way):
            raise EcrError(
                "ReplicationBackfillInProgressException",
                f"A replication backfill is already in progress for the destination region '{destination.region}' in "
                f"the registry with id '{call.registry.account}'",
            )
        if len(under_way) >= MAX_UNDER_WAY:
            raise EcrError(
                "LimitExceededException",
                f"The registry with id '{call.registry.account}' already has the maximum number of replication "
                f"backfills in progress which is '{MAX_UNDER_WAY}'",
            )
        started = backfills.start(change.connection, call.registry, destination, call.now().timestamp())
        change.has_work = True
    return _told(call, started)


def stop_replication_backfill(call: Call) -> Mapping[str, Any]:
    """One that is being prepared ends at once; else what is being copied at this moment comes first."""
    with call.store.changing() as change:
        connection = change.connection
        found = _asked(call, connection)
        if found.status == backfills.PREPARING:
            backfills.end(connection, found, backfills.STOPPED, call.now().timestamp())
        elif found.status == backfills.IN_PROGRESS:
            backfills.stop(connection, found)
            change.has_work = True
        else:
            raise EcrError(
                "ReplicationBackfillInvalidStatusException",
                f"The replication backfill with id '{found.id}' in the registry with id '{call.registry.account}' "
                f"cannot be stopped because its status is '{found.status}'",
            )
        stopped = backfills.by_number(connection, found.number)
    return _told(call, stopped)


def list_replication_backfills(call: Call) -> Mapping[str, Any]:
    """In the order in which they were started; ECR promises none."""
    size = call.input.get("maxResults", DEFAULT_LIST_PAGE)
    with call.store.reading() as connection:
        found = backfills.page(connection, call.registry, _kept_since(call), call.page_start(0), size + 1)
        shown, next_token = call.page(found, lambda one: one.number, size)
        told = [_described(connection, one) for one in shown]
    return {"registryId": call.registry.account, "backfills": told, "nextToken": next_token}


def describe_replication_backfill_results(call: Call) -> Mapping[str, Any]:
    """The results of a backfill are told once it is over."""
    wanted = call.input.get("resultStatusFilter")
    statuses = [wanted] if wanted else [backfills.COMPLETE, backfills.FAILED]
    with call.store.reading() as connection:
        found = _asked(call, connection)
        start = call.page_start(0)
        rows = [] if found.is_under_way else backfills.results(connection, found, statuses, start, call.page_size + 1)
        shown, next_token = call.page(rows, lambda row: row.position)
        told = _described(connection, found)
    results = None if found.is_under_way else [_result(one) for one in shown]
    return {"registryId": call.registry.account, **told, "results": results, "nextToken": next_token}


def _asked(call: Call, connection: sqlite3.Connection) -> Backfill:
    backfill_id = call.input["replicationBackfillId"]
    found = backfills.find(connection, call.registry, backfill_id, _kept_since(call))
    if found is None:
        raise EcrError(
            "ReplicationBackfillNotFoundException",
            f"The replication backfill with id '{backfill_id}' does not exist in the registry with id "
            f"'{call.registry.account}'",
        )
    return found


def _kept_since(call: Call) -> float:
    return (call.now() - RETENTION).timestamp()


def _told(call: Call, backfill: Backfill) -> dict[str, Any]:
    return {
        "registryId": call.registry.account,
        "replicationBackfillId": backfill.id,
        "destination": _destination(backfill),
        "status": backfill.status,
        "startedAt": backfill.started_at,
    }


def _described(connection: sqlite3.Connection, backfill: Backfill) -> dict[str, Any]:
    progress = {
        "totalReplicationCount": backfill.total,
        "completedReplicationCount": backfill.completed,
        "failedReplicationCount": backfill.failed,
        "failureCodes": backfills.failure_codes(connection, backfill),
    }
    return {
        "replicationBackfillId": backfill.id,
        "destination": _destination(backfill),
        "status": backfill.status,
        "failureCode": backfill.failure_code,
        "progress": progress if backfill.total is not None else None,
        "startedAt": backfill.started_at,
        "endedAt": backfill.ended_at,
    }


def _destination(backfill: Backfill) -> dict[str, str]:
    return {"region": backfill.destination.region, "registryId": backfill.destination.account}


def _result(result: BackfillResult) -> dict[str, Any]:
    """An index is copied with all that it lists or not at all, so its images failed with the same code."""
    failed = [result.failure_code] if result.failure_code else []
    return {
        "repositoryName": result.repository_name,
        "imageId": ImageId(result.digest, result.image_tag or None).as_json(),
        "status": result.status,
        "failureCode": result.failure_code,
        "subImageFailureCodes": failed if result.is_index else None,
    }


OPERATIONS: dict[str, Handler] = {
    "DescribeReplicationBackfillResults": describe_replication_backfill_results,
    "ListReplicationBackfills": list_replication_backfills,
    "StartReplicationBackfill": start_replication_backfill,
    "StopReplicationBackfill": stop_replication_backfill,
}
