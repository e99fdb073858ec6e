"""The state table keeps what holds the steward back. Each function writes the items of its own job there: none lifts a
pause, gives a release or grants a brake; a copy job deletes leases alone, the settings function notes of backfills."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.given import aws

HOME = "us-east-1"

pytestmark = pytest.mark.slow


@pytest.fixture
def table_as(house: Any) -> Iterator[Callable[[str, str], Any]]:
    """DynamoDB for a function, by its role's name in the template and its own."""
    clients: list[Any] = []

    def client(role: str, function: str) -> Any:
        keys = house.sandbox.credentials_of(house.sandbox.deployment.resources[role].arn, function)
        clients.append(aws.client("dynamodb", keys, house.sandbox.endpoint_url, HOME))
        return clients[-1]

    yield client
    for each in clients:
        each.close()


def item(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


LEASE, NOTE = ("lease#sha256:aa to here", "lease"), ("backfills#111122223333/us-east-1", "111122223333/eu-west-1")
COPIES = ("ReplicateImageFunctionRole", "replicate_image")
SETTINGS = ("ApplyRepositoryPoliciesFunctionRole", "apply_repository_policies")
FUNCTIONS = [
    "enforce_image_tags",
    "apply_repository_policies",
    "evaluate_image_scan",
    "replicate_image",
    "reconcile_registry",
    "refresh_credentials",
]
OF_PEOPLE = [
    ("switch", "switch"),
    ("grants#services", "everywhere"),
    ("released#111122223333/us-east-1/team-a/api", "sha256:aa"),
]
OTHERS = [("switch", "switch"), ("brake#services", "hold"), ("journal", "1"), ("tags#team-a/api", "lease#1")]


@pytest.mark.parametrize(
    ("function", "own", "kept"),
    [*((COPIES, LEASE, other) for other in (*OTHERS, NOTE)), *((SETTINGS, NOTE, other) for other in (*OTHERS, LEASE))],
)
def test_a_function_may_take_away_its_own_items_and_nothing_else(
    house: Any,
    table_as: Callable[[str, str], Any],
    function: tuple[str, str],
    own: tuple[str, str],
    kept: tuple[str, str],
) -> None:
    state, table = house.sandbox.client("dynamodb"), house.physical_id("StateTable")
    client, taken, other = table_as(*function), item(*own), item(*kept)
    for each in (taken, other):
        state.put_item(TableName=table, Item=each)

    client.delete_item(TableName=table, Key=taken)
    with pytest.raises(ClientError, match="not authorized to perform: dynamodb:DeleteItem"):
        client.delete_item(TableName=table, Key=other)

    assert "Item" not in state.get_item(TableName=table, Key=taken)
    assert state.get_item(TableName=table, Key=other)["Item"] == other
    state.delete_item(TableName=table, Key=other)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("key", OF_PEOPLE, ids=["a pause", "a grant", "a release"])
def test_no_function_writes_what_is_for_people(
    house: Any, table_as: Callable[[str, str], Any], function: str, key: tuple[str, str]
) -> None:
    """attacks L4: four of six roles lifted a pause, by an item that had expired."""
    state, table, there = house.sandbox.client("dynamodb"), house.physical_id("StateTable"), item(*key)
    state.put_item(TableName=table, Item=there)
    client = table_as(f"{function.title().replace('_', '')}FunctionRole", function)
    expired = {**there, "expiration": {"N": "1"}}
    change = {"UpdateExpression": "SET amount = :n", "ExpressionAttributeValues": {":n": {"N": "1000"}}}

    for write in (
        lambda: client.put_item(TableName=table, Item=expired),
        lambda: client.update_item(TableName=table, Key=there, **change),
        lambda: client.delete_item(TableName=table, Key=there),
        lambda: client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": expired}}]}),
        lambda: client.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": expired}}]),
    ):
        with pytest.raises(ClientError, match="not authorized to perform: dynamodb:"):
            write()

    assert state.get_item(TableName=table, Key=there)["Item"] == there
    state.delete_item(TableName=table, Key=there)
