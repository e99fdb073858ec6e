"""The state table keeps what holds the steward back: a copy job may end leases there, and nothing else."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

HOME = "us-east-1"


@pytest.fixture
def as_copy_job(house: Any) -> Iterator[Any]:
    """DynamoDB for ``replicate_image``."""
    keys = house.sandbox.credentials_of(
        house.sandbox.deployment.resources["ReplicateImageFunctionRole"].arn, "replicate_image"
    )
    session: Any = boto3.Session(
        keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys["AWS_SESSION_TOKEN"], region_name=HOME
    )
    client = session.client(
        "dynamodb", endpoint_url=house.sandbox.endpoint_url, config=Config(retries={"total_max_attempts": 1})
    )
    yield client
    client.close()


def item(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


@pytest.mark.parametrize(
    ("pk", "sk"), [("switch", "switch"), ("brake#services", "hold"), ("journal", "1"), ("tags#team-a/api", "lease#1")]
)
def test_a_copy_job_may_end_a_lease_and_take_away_nothing_else(house: Any, as_copy_job: Any, pk: str, sk: str) -> None:
    state, table = house.sandbox.client("dynamodb"), house.physical_id("StateTable")
    lease, other = item("lease#sha256:aa to here", "lease"), item(pk, sk)
    for each in (lease, other):
        state.put_item(TableName=table, Item=each)

    as_copy_job.delete_item(TableName=table, Key=lease)
    with pytest.raises(ClientError, match="not authorized to perform: dynamodb:DeleteItem"):
        as_copy_job.delete_item(TableName=table, Key=other)

    assert "Item" not in state.get_item(TableName=table, Key=lease)
    assert state.get_item(TableName=table, Key=other)["Item"] == other
    state.delete_item(TableName=table, Key=other)
