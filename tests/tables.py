"""The tables of the template, made in moto."""

from mypy_boto3_dynamodb import DynamoDBClient


def make_state_table(dynamodb: DynamoDBClient) -> str:
    """The table of all that the steward remembers; answers its name."""
    return _make(dynamodb, "state", pk="HASH", sk="RANGE")


def make_idempotency_table(dynamodb: DynamoDBClient) -> str:
    """The table of notices that were given; answers its name."""
    return _make(dynamodb, "idempotency", id="HASH")


def _make(dynamodb: DynamoDBClient, table_name: str, **keys: str) -> str:
    dynamodb.create_table(
        TableName=table_name,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],  # type: ignore[typeddict-item]
        BillingMode="PAY_PER_REQUEST",
    )
    return table_name
