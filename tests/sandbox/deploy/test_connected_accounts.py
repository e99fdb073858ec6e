"""Our two templates together: what the one lets in is what the other sends, and nobody else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_steward_sandbox.accounts import EXTERNAL_ID
from ecr_steward_sandbox.deploy import verify
from ecr_steward_sandbox.deploy.errors import DifferenceError
from ecr_steward_sandbox.sandbox import Sandbox
from tests.given.aws import client

SPOKE = "222233334444"
BECOME_SPOKE = {
    "ApplyRepositoryPoliciesFunction",
    "EnforceImageTagsFunction",
    "EvaluateImageScanFunction",
    "ReconcileRegistryFunction",
    "RefreshCredentialsFunction",
    "ReplicateImageFunction",
}
BECOME_PULL_ONLY = {"RefreshCredentialsFunction"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def connected(build: Callable[[Callable[[dict[str, Any]], None]], Path]) -> Iterator[Sandbox]:
    """Both templates as they are."""
    with Sandbox(build(lambda _: None), spokes=[SPOKE]) as sandbox:
        yield sandbox


def may_become(sandbox: Sandbox, function: str, role_arn: str, external_id: str | None) -> bool:
    """Whether a function's role is let into another."""
    credentials = sandbox.credentials_of(sandbox.deployment.resources[function].properties["Role"], function)
    sts = client("sts", credentials, sandbox.endpoint_url)
    given = {} if external_id is None else {"ExternalId": external_id}
    try:
        sts.assume_role(RoleArn=role_arn, RoleSessionName="tested", **given)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied"
        return False
    finally:
        sts.close()
    return True


def test_nothing_is_in_the_way_of_any_delivery_when_two_accounts_are_connected(connected: Sandbox) -> None:
    assert connected.engine.problems() == []


@pytest.mark.parametrize(
    ("account", "role", "external_id", "expected"),
    [
        (SPOKE, "ecr-steward-spoke", EXTERNAL_ID, BECOME_SPOKE),
        (SPOKE, "ecr-steward-spoke", "another", set()),
        (SPOKE, "ecr-steward-pull-only", EXTERNAL_ID, BECOME_PULL_ONLY),
        ("111122223333", "ecr-steward-pull-only", None, BECOME_PULL_ONLY),
    ],
)
def test_role_lets_in_exactly_the_functions_that_need_it_when_they_ask(
    connected: Sandbox, account: str, role: str, external_id: str | None, expected: set[str]
) -> None:
    functions = [resource.logical_id for resource in connected.deployment.of_type("AWS::Lambda::Function")]
    arn = f"arn:aws:iam::{account}:role/{role}"

    assert {name for name in functions if may_become(connected, name, arn, external_id)} == expected


def test_difference_is_found_when_the_hubs_bus_lets_in_somebody_else(connected: Sandbox) -> None:
    verify(connected.deployment)
    events = connected.client("events")
    events.remove_permission(EventBusName="ecr-steward", StatementId="EventsOfSpokeAccounts")
    events.put_permission(
        EventBusName="ecr-steward",
        Action="events:PutEvents",
        Principal="999999999999",
        StatementId="EventsOfSpokeAccounts",
    )

    with pytest.raises(DifferenceError, match=r"EventBusPolicy \(AWS::Events::EventBusPolicy\): Statement.Principal"):
        verify(connected.deployment)
