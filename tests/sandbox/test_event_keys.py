"""The condition keys that a call of PutEvents has, and a bus whose policy asks for them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_steward_sandbox.api_calls import ApiCall, HttpRequest
from ecr_steward_sandbox.event_keys import event_keys, keys_of_event
from ecr_steward_sandbox.permissions import needs

BUS = "arn:aws:events:us-east-1:111122223333:event-bus/own"


def entry(source: str, bus: str | None = None) -> dict[str, Any]:
    return {"Source": source, "DetailType": f"of {source}", "Detail": "{}", **({"EventBusName": bus} if bus else {})}


def keys_of(operation: str, *entries: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The keys, by the resource of each permission that the call needs."""
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": f"AWSEvents.{operation}"}
    request = HttpRequest("POST", "/", headers, json.dumps({"Entries": entries}).encode())
    call = ApiCall("events", "us-east-1", operation, "key")
    needed = needs(request, call, "111122223333")
    return {one.resource.rpartition("/")[2]: dict(event_keys(request, call, one)) for one in needed}


@pytest.mark.parametrize("bus", ["own", BUS])
def test_the_keys_are_of_all_entries_for_a_bus_and_of_no_other(bus: str) -> None:
    """attacks M13: one entry among others is enough for a policy that denies a source."""
    found = keys_of("PutEvents", entry("shop", bus), entry("ecr.steward", bus), entry("else"))

    assert found == {
        "own": {"events:source": ["shop", "ecr.steward"], "events:detail-type": ["of shop", "of ecr.steward"]},
        "default": {"events:source": ["else"], "events:detail-type": ["of else"]},
    }


def test_an_entry_without_a_source_and_another_call_have_no_key() -> None:
    assert keys_of("PutEvents", {"Detail": "{}"}) == {"default": {}}
    assert keys_of("ListRules") == {"*": {}}


def test_an_event_that_a_rule_forwards_has_the_keys() -> None:
    event = {"source": "aws.ecr", "detail-type": "ECR Image Action"}

    assert keys_of_event(event) == {"events:source": ["aws.ecr"], "events:detail-type": ["ECR Image Action"]}


@pytest.fixture(scope="module")
def shop(new_template: Callable[[], Any], start: Callable[[Any], Any]) -> Any:
    """A bus that takes no event of one type, and a rule that would forward such a one to it."""
    stack = new_template()
    bus = stack.arn("Bus")
    stack.add("Bus", "AWS::Events::EventBus", Name="own")
    reserved = {"ForAnyValue:StringEquals": {"events:detail-type": "Reserved"}}
    denial = {"Effect": "Deny", "Principal": "*", "Action": "events:PutEvents", "Resource": bus, "Condition": reserved}
    names = {"EventBusName": stack.ref("Bus"), "StatementId": "NothingReserved"}
    stack.add("NothingReserved", "AWS::Events::EventBusPolicy", **names, Statement=denial)
    stack.queue("DeadLetters", "Reserved")
    stack.role("Forwarder", "events.amazonaws.com", "events:PutEvents", bus)
    dead = {"DeadLetterConfig": {"Arn": stack.arn("DeadLetters")}}
    stack.rule("Reserved", {"Arn": bus, "RoleArn": stack.arn("Forwarder"), **dead}, bus="default")
    return start(stack)


def test_a_call_is_refused_when_the_policy_of_the_bus_denies_one_of_its_entries(shop: Any) -> None:
    given = {"Source": "shop", "Detail": "{}", "EventBusName": "own"}
    entries = [{**given, "DetailType": each} for each in ("Sold", "Reserved")]
    events = shop.sandbox.client("events")

    with pytest.raises(ClientError, match=r"events:PutEvents on resource: .* with an explicit deny in a resource"):
        events.put_events(Entries=entries)

    assert events.put_events(Entries=entries[:1])["FailedEntryCount"] == 0


def test_an_event_is_not_forwarded_when_the_policy_of_the_bus_denies_it(shop: Any) -> None:
    shop.put("Reserved", bus="default")

    (message,) = shop.messages("DeadLetters")
    assert message["attributes"]["ERROR_CODE"] == "NO_PERMISSIONS"
    assert "with an explicit deny in a resource-based policy" in message["attributes"]["ERROR_MESSAGE"]
