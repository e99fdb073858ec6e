"""A small hub, connected to an account that has the stack of our own spoke.yaml."""

from collections.abc import Callable
from typing import Any

import pytest

HUB, SPOKE = "111122223333", "222233334444"


@pytest.fixture(scope="module")
def connected(new_template: Callable[[], Any], start: Callable[..., Any]) -> Any:
    """A bus whose events of the other account end in a queue, and functions of which one may act there."""
    stack = new_template()
    stack.parameters = {"SpokeAccounts": {"Type": "CommaDelimitedList"}, "ExternalId": {"Type": "String"}}
    stack.outputs = {
        "HubAccount": {"Value": {"Ref": "AWS::AccountId"}},
        "HubBusArn": {"Value": stack.arn("Bus")},
        "HubStackName": {"Value": {"Ref": "AWS::StackName"}},
    }
    stack.add("Bus", "AWS::Events::EventBus", Name="own")
    stack.add(
        "BusPolicy",
        "AWS::Events::EventBusPolicy",
        EventBusName=stack.ref("Bus"),
        StatementId="Spokes",
        Statement={
            "Effect": "Allow",
            "Principal": {"AWS": stack.ref("SpokeAccounts")},
            "Action": "events:PutEvents",
            "Resource": stack.arn("Bus"),
        },
    )
    stack.queue("Jobs", "Pushes")
    stack.rule("Pushes", stack.arn("Jobs"), EventPattern={"source": ["aws.ecr"], "detail-type": ["ECR Image Action"]})
    act = stack.allow("sts:AssumeRole", f"arn:aws:iam::{SPOKE}:role/*")
    stack.function("Acts", RolePath="/ecr-steward/", Policies=[act])
    stack.function("Refreshes", RolePath="/ecr-steward/refresh-credentials/", Policies=[act])
    stack.function("Stranger", RolePath="/other/", Policies=[act])
    stack.function("Timid", RolePath="/ecr-steward/")
    return start(stack, spokes=(SPOKE,))


@pytest.fixture(scope="module")
def client_of(connected: Any) -> Callable[..., Any]:
    """Makes a client with the credentials of a function of the hub."""

    def make(function: str, service: str) -> Any:
        role = connected.sandbox.deployment.resources[f"{function}Role"].arn
        return connected.client(service, connected.sandbox.credentials_of(role, function))

    return make
