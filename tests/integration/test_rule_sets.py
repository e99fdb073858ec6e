"""Resource tags that move a repository to other rules, on the deployed template (attacks M3)."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def production_by_resource_tag(rulebook: dict[str, Any]) -> None:
    services = next(rule for rule in rulebook["rules"] if rule["name"] == "services")
    match = {**services["match"], "resource_tags": {"tier": "prod"}}
    rulebook["rules"].insert(0, {**services, "name": "production", "match": match, "mode": "observe"})


@pytest.fixture(scope="module")
def house(open_house: Any) -> Any:
    house = open_house()
    house.rulebook.deploy(production_by_resource_tag)
    return house


def moves(house: Any) -> list[dict[str, Any]]:
    events = (each.event for each in house.sandbox.events)
    return [event["detail"] for event in events if event["detail-type"] == "Rules Changed"]


def test_a_notice_reaches_people_when_a_resource_tag_is_taken_away(house: Any) -> None:
    sqs, topic = house.sandbox.client("sqs"), house.sandbox.deployment.resources["NoticesTopic"].physical_id
    chat = sqs.create_queue(QueueName="chat")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=chat, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    house.sandbox.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    tags = [{"Key": "tier", "Value": "prod"}]
    created = house.home.ecr.create_repository(repositoryName="team-a/moved", tags=tags)["repository"]
    house.sandbox.wait_until_idle()
    house.sweep()
    assert moves(house) == []

    house.home.ecr.untag_resource(resourceArn=created["repositoryArn"], tagKeys=["tier"])
    house.sandbox.wait_until_idle()
    house.sweep()

    (moved,) = moves(house)
    assert (moved["repository-name"], moved["before"], moved["now"]) == (
        "team-a/moved",
        ["production", "services"],
        ["services"],
    )
    assert moved["changed-by"].startswith("UntagResource by ")
    messages = sqs.receive_message(QueueUrl=chat, MaxNumberOfMessages=10).get("Messages", [])
    heard = [json.loads(json.loads(message["Body"])["Message"]) for message in messages]
    assert [event["detail"] for event in heard if event["detail-type"] == "Rules Changed"] == [moved]
    assert house.take("FailureQueue") == []


def test_a_sweep_gives_notice_of_what_no_event_said(house: Any) -> None:
    tags = [{"Key": "tier", "Value": "prod"}]
    created = house.home.ecr.create_repository(repositoryName="team-a/unheard", tags=tags)["repository"]
    house.sandbox.wait_until_idle()
    with house.unheard():
        house.home.ecr.untag_resource(resourceArn=created["repositoryArn"], tagKeys=["tier"])

    for _ in range(2):
        house.sweep()

    (moved,) = [one for one in moves(house) if one["repository-name"] == "team-a/unheard"]
    assert (moved["before"], moved["now"]) == (["production", "services"], ["services"])
    assert "changed-by" not in moved
    assert house.take("FailureQueue") == []
