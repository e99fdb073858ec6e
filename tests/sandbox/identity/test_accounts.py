"""Two accounts: each with registries and a default bus of its own, connected by two stacks and nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ecr_steward_sandbox.delivery.ledger import Fate

HUB, SPOKE = "111122223333", "222233334444"


def push(box: Any, account: str, repository: str) -> None:
    """Put a manifest without layers into an account's registry, and let everything that follows happen."""
    ecr = box.sandbox.client("ecr", account=account)
    ecr.create_repository(repositoryName=repository)
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2, "digest": EMPTY}
    kind = "application/vnd.oci.image.manifest.v1+json"
    upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    ecr.upload_layer_part(
        repositoryName=repository, uploadId=upload, partFirstByte=0, partLastByte=1, layerPartBlob=b"{}"
    )
    ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[EMPTY])
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}
    ecr.put_image(repositoryName=repository, imageManifest=json.dumps(manifest), imageTag="1.0.0")
    box.sandbox.wait_until_idle(10)


EMPTY = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def spoke_messages(box: Any) -> list[dict[str, Any]]:
    """Take the messages out of the dead-letter queue of the other account."""
    sqs = box.sandbox.client("sqs", account=SPOKE)
    url = box.sandbox.deployments[SPOKE].resources["DeliveryFailureQueue"].physical_id
    found = []
    while received := sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages"):
        for message in received:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(message)
    return found


@pytest.fixture
def closed_bus(connected: Any) -> Iterator[None]:
    """The hub's bus lets nobody else in."""
    events = connected.sandbox.client("events")
    policy = events.describe_event_bus(Name="own")["Policy"]
    events.remove_permission(EventBusName="own", StatementId="Spokes")
    yield
    events.put_permission(EventBusName="own", Policy=policy)


def test_every_account_has_a_registry_in_every_region_when_running(connected: Any) -> None:
    box = connected.sandbox

    urls = {box.registry_url(region, account) for account in (HUB, SPOKE) for region in box.regions}

    assert len(urls) == 4
    for account in (HUB, SPOKE):
        assert box.client("sts", account=account).get_caller_identity()["Arn"] == f"arn:aws:iam::{account}:root"
        assert box.client("ecr", "eu-west-1", account).describe_registry()["registryId"] == account


def test_nothing_is_in_the_way_of_any_delivery_when_both_stacks_are_as_they_should_be(connected: Any) -> None:
    assert connected.sandbox.engine.problems() == []


def test_push_in_the_other_account_reaches_the_hub_when_it_is_connected(connected: Any) -> None:
    push(connected, SPOKE, "team/api")

    told = [message["body"] for message in connected.messages("Jobs")]
    assert [(event["account"], event["detail"]["repository-name"]) for event in told] == [(SPOKE, "team/api")]
    assert spoke_messages(connected) == []
    buses = [one.bus_arn for one in connected.sandbox.events if one.event["detail-type"] == "ECR Image Action"]
    assert buses[-2:] == [
        f"arn:aws:events:us-east-1:{SPOKE}:event-bus/default",
        f"arn:aws:events:us-east-1:{HUB}:event-bus/own",
    ]


@pytest.mark.usefixtures("closed_bus")
def test_event_is_kept_in_its_own_account_when_the_hubs_bus_does_not_let_it_in(connected: Any) -> None:
    push(connected, SPOKE, "team/web")

    assert connected.messages("Jobs") == []
    kept = [one for one in spoke_messages(connected) if "ECR Image Action" in one["Body"]]
    assert [one["MessageAttributes"]["ERROR_CODE"]["StringValue"] for one in kept] == ["NO_PERMISSIONS"]
    assert connected.sandbox.deliveries[-1].fate is Fate.DEAD_LETTER
    assert any("ForwardToStewardRule" in problem for problem in connected.sandbox.engine.problems())


def test_repository_of_the_other_account_is_closed_to_a_root_when_no_policy_opens_it(connected: Any) -> None:
    hub, spoke = (connected.sandbox.client("ecr", account=account) for account in (HUB, SPOKE))
    spoke.create_repository(repositoryName="team/closed")
    ask = {"registryId": SPOKE, "repositoryNames": ["team/closed"]}

    with pytest.raises(hub.exceptions.ClientError, match="no resource-based policy allows"):
        hub.describe_repositories(**ask)
    statement = {"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "ecr:DescribeRepositories"}
    spoke.set_repository_policy(
        repositoryName="team/closed", policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )

    assert hub.describe_repositories(**ask)["repositories"][0]["registryId"] == SPOKE


def test_function_is_not_found_by_name_when_the_caller_is_another_account(connected: Any) -> None:
    name = connected.sandbox.deployment.resources["Acts"].physical_id
    client = connected.sandbox.client("lambda", account=SPOKE)

    with pytest.raises(client.exceptions.ResourceNotFoundException, match=f"{SPOKE}:function:{name}"):
        client.invoke(FunctionName=name)
    with pytest.raises(
        client.exceptions.ClientError, match="no resource-based policy allows the lambda:InvokeFunction"
    ):
        client.invoke(FunctionName=connected.arn("Acts"))


def test_stack_of_an_account_is_told_when_asked_for_over_http(connected: Any) -> None:
    status, told = connected.http("GET", f"/_sandbox/deployment?account={SPOKE}")

    assert (status, told["SpokeRole"]["arn"]) == (200, f"arn:aws:iam::{SPOKE}:role/ecr-steward-spoke")
    assert connected.http("GET", "/_sandbox/deployment?account=1")[0] == 404
