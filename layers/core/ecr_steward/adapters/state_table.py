"""The state table of the steward, in DynamoDB: a few kinds of small items, each known by two keys.

What kinds there are says the adapter of each port; their partition keys begin with a word of their own.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from itertools import batched
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.paging import all_pages
from ecr_steward.adapters.translation import code_of, translated
from ecr_steward.errors import ThrottledError
from ecr_steward.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

BATCH_SIZE = 25
"""Items in one request of BatchWriteItem (its API reference)."""
_ROUNDS = 5
"""How often what BatchWriteItem did not take is offered."""
_EXPIRATION = "expiration"

type Attribute = str | int | bool | bytes | list[str] | None


@dataclass(frozen=True)
class Key:
    """What an item is known by."""

    pk: str
    sk: str


@dataclass(frozen=True)
class Item:
    """One item of the table, as it is or as it should be."""

    key: Key
    attributes: Mapping[str, Attribute]
    expires_at: datetime | None = None
    """From when on nobody reads it any more; DynamoDB deletes it within days."""

    def text(self, name: str) -> str:
        """A text that the item always has."""
        return str(self.attributes[name])

    def number(self, name: str) -> int:
        """A number; 0 where the item has none of that name."""
        value = self.attributes.get(name)
        return value if isinstance(value, int) else 0


class StateTable:
    """Typed access to the table. Reads are consistent; an item that has expired is never seen."""

    def __init__(self, clients: AwsClients, name: str, now: Clock) -> None:
        self._clients = clients
        self._name = name
        self._now = now

    def get(self, key: Key) -> Item | None:
        """Read an item. Needs dynamodb:GetItem."""
        with translated("dynamodb:GetItem", self._name):
            answer = self._client.get_item(TableName=self._name, Key=_written(_keys(key)), ConsistentRead=True)
        found = answer.get("Item")
        return self._alive(found) if found else None

    def query(self, pk: str, prefix: str = "", *, newest_first: bool = False) -> Iterator[Item]:
        """Read the items of a partition in the order of their sort keys, those that begin so. Needs dynamodb:Query."""
        condition, values = "pk = :pk", {":pk": pk}
        if prefix:
            condition, values = f"{condition} AND begins_with(sk, :prefix)", {**values, ":prefix": prefix}
        with translated("dynamodb:Query", self._name):
            for found in all_pages(
                self._client,
                "query",
                "Items",
                TableName=self._name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=_written(values),
                ConsistentRead=True,
                ScanIndexForward=not newest_first,
            ):
                if item := self._alive(found):
                    yield item

    def put(self, item: Item) -> None:
        """Write an item, whatever was there. Needs dynamodb:PutItem."""
        with translated("dynamodb:PutItem", self._name):
            self._client.put_item(TableName=self._name, Item=_whole(item))

    def put_new(self, item: Item, own: str | None = None) -> bool:
        """Write an item where there is none, or one that has expired; whether it was so. Needs dynamodb:PutItem.

        With the name of an attribute whose value nobody else writes, what we wrote there ourselves is ours: a call
        whose answer is lost is made again, and meets its own item.
        """
        condition, names = "attribute_not_exists(pk) OR #expiration <= :now", {"#expiration": _EXPIRATION}
        values: dict[str, Attribute] = {":now": int(self._now().timestamp())}
        if own is not None:
            condition, names["#own"], values[":own"] = f"{condition} OR #own = :own", own, item.attributes[own]
        with translated("dynamodb:PutItem", self._name):
            try:
                self._client.put_item(
                    TableName=self._name,
                    Item=_whole(item),
                    ConditionExpression=condition,
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=_written(values),
                )
            except ClientError as cause:
                return _was_met(cause)
        return True

    def put_later(self, item: Item, number: str) -> bool:
        """Write an item where there is none, or one whose number of this name is lower; whether it was so.

        Needs dynamodb:PutItem.
        """
        with translated("dynamodb:PutItem", self._name):
            try:
                self._client.put_item(
                    TableName=self._name,
                    Item=_whole(item),
                    ConditionExpression="attribute_not_exists(pk) OR #number < :number",
                    ExpressionAttributeNames={"#number": number},
                    ExpressionAttributeValues=_written({":number": item.attributes[number]}),
                )
            except ClientError as cause:
                return _was_met(cause)
        return True

    def put_all(self, items: Iterable[Item]) -> None:
        """Write many items, whatever was there, in no order. Needs dynamodb:BatchWriteItem."""
        for batch in batched(items, BATCH_SIZE, strict=False):
            left: list[Any] = [{"PutRequest": {"Item": _whole(item)}} for item in batch]
            for _ in range(_ROUNDS):
                with translated("dynamodb:BatchWriteItem", self._name):
                    answer = self._client.batch_write_item(RequestItems={self._name: left})
                left = answer.get("UnprocessedItems", {}).get(self._name, [])
                if not left:
                    break
            else:
                raise ThrottledError(f"dynamodb:BatchWriteItem on {self._name}: {len(left)} items were not taken")

    def set(self, key: Key, attributes: Mapping[str, Attribute]) -> bool:
        """Change attributes of an item; false, and nothing is written, where there is none.

        Needs dynamodb:UpdateItem.
        """
        names = {f"#a{n}": name for n, name in enumerate(attributes)}
        values = {f":a{n}": value for n, value in enumerate(attributes.values())}
        changes = ", ".join(f"#a{n} = :a{n}" for n in range(len(attributes)))
        return self._update(key, f"SET {changes}", "attribute_exists(pk)", names, values)

    def add(
        self,
        key: Key,
        amounts: Mapping[str, int],
        *,
        at_most: Mapping[str, int] | None = None,
        expires_at: datetime | None = None,
    ) -> bool:
        """Add to numbers, in one step for all who do so at the same time; a number that is not there is 0.

        All or nothing: false, and nothing is changed, where one of them would rise above ``at_most``.
        Needs dynamodb:UpdateItem. A call whose answer is lost is made again and counts twice.
        """
        at_most = at_most or {}
        if any(amounts.get(name, 0) > limit for name, limit in at_most.items()):
            return False
        names = {f"#a{n}": name for n, name in enumerate(amounts)}
        placeholder = {name: f"#a{n}" for n, name in enumerate(amounts)}
        values: dict[str, Attribute] = {f":a{n}": amount for n, amount in enumerate(amounts.values())}
        conditions = []
        for n, (name, limit) in enumerate(at_most.items()):
            conditions.append(f"(attribute_not_exists({placeholder[name]}) OR {placeholder[name]} <= :m{n})")
            values[f":m{n}"] = limit - amounts[name]
        change = "ADD " + ", ".join(f"{placeholder[name]} :a{n}" for n, name in enumerate(amounts))
        if expires_at:
            change += " SET #expiration = :expiration"
            values[":expiration"] = int(expires_at.timestamp())
            names["#expiration"] = _EXPIRATION
        return self._update(key, change, " AND ".join(conditions) or None, names, values)

    def delete(self, key: Key, *, only: Mapping[str, Attribute] | None = None) -> bool:
        """Delete an item, or only one with these attributes; whether there was one. Needs dynamodb:DeleteItem."""
        names = {f"#a{n}": name for n, name in enumerate(only or {})}
        values = {f":a{n}": value for n, value in enumerate((only or {}).values())}
        condition: Any = {
            "ConditionExpression": " AND ".join(f"#a{n} = :a{n}" for n in range(len(names))),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": _written(values),
        }
        with translated("dynamodb:DeleteItem", self._name):
            try:
                answer = self._client.delete_item(
                    TableName=self._name,
                    Key=_written(_keys(key)),
                    ReturnValues="ALL_OLD",
                    **(condition if only else {}),
                )
            except ClientError as cause:
                return _was_met(cause)
        found = answer.get("Attributes")
        return bool(found) and self._alive(found) is not None

    def _update(
        self, key: Key, change: str, condition: str | None, names: dict[str, str], values: Mapping[str, Attribute]
    ) -> bool:
        conditional: Any = {"ConditionExpression": condition} if condition else {}
        with translated("dynamodb:UpdateItem", self._name):
            try:
                self._client.update_item(
                    TableName=self._name,
                    Key=_written(_keys(key)),
                    UpdateExpression=change,
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=_written(values),
                    **conditional,
                )
            except ClientError as cause:
                return _was_met(cause)
        return True

    def _alive(self, found: Mapping[str, Any]) -> Item | None:
        """The item, unless it has expired: DynamoDB deletes those only within days."""
        item = _item(found)
        return None if item.expires_at and item.expires_at <= self._now() else item

    @cached_property
    def _client(self) -> "DynamoDBClient":
        return self._clients.dynamodb


def _was_met(cause: ClientError) -> bool:
    """False for an unmet condition; all else is an error."""
    if code_of(cause) != "ConditionalCheckFailedException":
        raise cause
    return False


def _keys(key: Key) -> dict[str, Attribute]:
    return {"pk": key.pk, "sk": key.sk}


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in values.items()}


def _whole(item: Item) -> dict[str, Any]:
    expiration = {_EXPIRATION: int(item.expires_at.timestamp())} if item.expires_at else {}
    return _written({**_keys(item.key), **item.attributes, **expiration})


def _item(found: Mapping[str, Any]) -> Item:
    deserializer = TypeDeserializer()
    read = {name: _plain(deserializer.deserialize(value)) for name, value in found.items()}
    key = Key(read.pop("pk"), read.pop("sk"))
    expiration = read.pop(_EXPIRATION, None)
    return Item(key, read, datetime.fromtimestamp(expiration, UTC) if expiration is not None else None)


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value)
        case list():
            return [_plain(each) for each in value]
        case _ if hasattr(value, "value"):  # boto3's Binary
            return bytes(value.value)
    return value
