"""The condition key dynamodb:LeadingKeys: the partition keys of the items that a call is about.

Source: DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control"; service authorization
reference, "Actions defined by Amazon DynamoDB". It has several values even where a call is about one item, so that it
needs a set operator. Scan does not have it, and neither has what is about a table as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from ecr_steward_sandbox.api_calls import ApiCall, HttpRequest
from ecr_steward_sandbox.delivery.stores import MOTO_LOCK
from ecr_steward_sandbox.permissions import TRANSACTION_ACTIONS, asked_parameters
from local_ecr.iam import UNKNOWN, Context, Permission

KEY = "dynamodb:LeadingKeys"

_ITEM_OPERATIONS = frozenset({"DeleteItem", "GetItem", "PutItem", "UpdateItem"})
_PARTIQL = frozenset({"BatchExecuteStatement", "ExecuteStatement", "ExecuteTransaction"})
_EQUALS = re.compile(r"(#?[\w.-]+)\s*=\s*(:\w+)")

type _Item = Mapping[str, Mapping[str, Any]]
"""Attributes as DynamoDB's API has them: ``{"pk": {"S": "lease#1"}}``."""


def leading_keys(request: HttpRequest, call: ApiCall, permission: Permission) -> Context:
    """The key, as a call has it for one permission that it needs; nothing where it has none.

    UNKNOWN where it has one that cannot be told here: PartiQL, and tables and items that DynamoDB would refuse anyway.
    """
    if call.service != "dynamodb" or call.operation == "Scan":
        return {}
    if call.operation in _PARTIQL:
        return {KEY: UNKNOWN}
    place = _Place.of(permission.resource)
    asked = asked_parameters(request, call)
    if call.operation == "Query":
        values = [place.queried(asked)]
    else:
        values = [place.value_of(item) for item in _items(call, permission, asked)]
    if not values:
        return {}
    known = [value for value in values if value is not None]
    return {KEY: known if len(known) == len(values) else UNKNOWN}


def _items(call: ApiCall, permission: Permission, asked: Mapping[str, Any]) -> Iterator[_Item]:
    """The items that a call is about, or their keys, as far as a permission is for them."""
    if call.operation in _ITEM_OPERATIONS:
        yield asked.get("Item") or asked.get("Key") or {}
    for name, wanted in asked.get("RequestItems", {}).items():
        if _is_table(name, permission.resource):
            if isinstance(wanted, Mapping):
                yield from wanted.get("Keys", ())
            else:
                for one in wanted:
                    yield from (each.get("Item") or each.get("Key") or {} for each in one.values())
    for one in asked.get("TransactItems", ()):
        for kind, each in one.items():
            action = f"dynamodb:{TRANSACTION_ACTIONS.get(kind, kind)}"
            if action == permission.action and _is_table(each["TableName"], permission.resource):
                yield each.get("Item") or each.get("Key") or {}


def _is_table(name: str, arn: str) -> bool:
    return arn == name or arn.endswith(f":table/{name}")


class _Place:
    """A table, or an index of one."""

    def __init__(self, attribute: str | None) -> None:
        self._attribute = attribute
        """By which it is partitioned; None where there is no such table."""

    @classmethod
    def of(cls, arn: str) -> _Place:
        region, account, resource = arn.split(":", 5)[3:] if arn.count(":") >= 5 else ("", "", "")
        _, _, name = resource.partition("/")
        table_name, _, index_name = name.partition("/index/")
        with MOTO_LOCK:
            table = dynamodb_backends[account][region].tables.get(table_name) if account else None
            if table is None:
                return cls(None)
            if not index_name:
                return cls(table.hash_key_attr)
            schemas = [one.schema for one in (*table.global_indexes, *table.indexes) if one.name == index_name]
        attributes = [key["AttributeName"] for schema in schemas for key in schema if key["KeyType"] == "HASH"]
        return cls(attributes[0] if attributes else None)

    def value_of(self, item: _Item) -> str | None:
        """The partition key of an item, as a text whatever its type is."""
        value = item.get(self._attribute) if self._attribute else None
        return str(next(iter(value.values()))) if value else None

    def queried(self, asked: Mapping[str, Any]) -> str | None:
        """The one partition key that a query is about."""
        if old := asked.get("KeyConditions", {}).get(self._attribute or ""):
            return self.value_of({self._attribute or "": old.get("AttributeValueList", [{}])[0]})
        names, values = asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {})
        found = [
            values.get(value)
            for name, value in _EQUALS.findall(asked.get("KeyConditionExpression", ""))
            if names.get(name, name) == self._attribute
        ]
        return self.value_of({self._attribute or "": found[0] or {}}) if len(found) == 1 else None
