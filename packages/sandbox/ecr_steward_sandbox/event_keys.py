"""The condition keys of PutEvents: from which sources the entries come that a call puts on a bus, and of which types.

Source: EventBridge user guide, "Using IAM policy conditions in Amazon EventBridge" and "Example policy: Send events to
a custom bus in a different account", whose policy of a bus has the key with a set operator: a call has several entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecr_steward_sandbox.api_calls import ApiCall, HttpRequest
from ecr_steward_sandbox.permissions import asked_parameters
from local_ecr.iam import Context, Permission

SOURCE, DETAIL_TYPE = "events:source", "events:detail-type"


def event_keys(request: HttpRequest, call: ApiCall, permission: Permission) -> Context:
    """The keys, as a call has them for one permission that it needs; nothing where it has none."""
    if (call.service, call.operation) != ("events", "PutEvents"):
        return {}
    bus_arn = permission.resource
    bus_name = bus_arn.rpartition(":event-bus/")[2]
    entries = [
        entry
        for entry in asked_parameters(request, call).get("Entries") or ()
        if (entry.get("EventBusName") or "default") in (bus_name, bus_arn)
    ]
    named = {SOURCE: "Source", DETAIL_TYPE: "DetailType"}
    found = {key: [entry[name] for entry in entries if entry.get(name)] for key, name in named.items()}
    return {key: values for key, values in found.items() if values}


def keys_of_event(event: Mapping[str, Any]) -> Context:
    """The keys, as EventBridge has them where a rule forwards one event to a bus."""
    named = {SOURCE: "source", DETAIL_TYPE: "detail-type"}
    return {key: [event[name]] for key, name in named.items() if name in event}
