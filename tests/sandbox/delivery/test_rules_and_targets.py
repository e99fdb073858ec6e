"""From a bus through rules to targets: only what is deployed, enabled and allowed, and nothing is lost in silence."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward_sandbox.delivery.dispatch import DeliveryError, Parcel
from ecr_steward_sandbox.delivery.ledger import Fate


@pytest.fixture(scope="module")
def shop(new_template: Callable[[], Any], start: Callable[[Any], Any]) -> Any:
    """A stack with a rule per way in which a delivery can go; each wants the detail-type of its own name."""
    stack = new_template()
    arn, ref = stack.arn, stack.ref
    stack.add("Bus", "AWS::Events::EventBus", Name="own")
    stack.add("ThirdBus", "AWS::Events::EventBus", Name="third")
    stack.function("Worker")
    stack.queue("Orders", "ToQueue", "Everything", "Input", "InputPath", "Long")
    stack.queue("Closed")
    stack.queue("DeadLetters", "NoPermission", "NoQueuePolicy", "Flaky", "Hopeless", "ThirdHop", "WrongRole", "Long")
    stack.queue("ClosedDeadLetters")
    stack.add("Notices", "AWS::SNS::Topic")
    dead = {"DeadLetterConfig": {"Arn": arn("DeadLetters")}}
    stack.rule("ToFunction", arn("Worker"))
    stack.add(
        "MayInvoke",
        "AWS::Lambda::Permission",
        FunctionName=ref("Worker"),
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=arn("ToFunction"),
    )
    stack.rule("ToQueue", arn("Orders"))
    stack.rule("Disabled", arn("Orders"), State="DISABLED")
    stack.rule("NoPermission", {"Arn": arn("Worker"), **dead})
    stack.rule("NoQueuePolicy", {"Arn": arn("Closed"), **dead})
    stack.rule("NoDeadLetterPolicy", {"Arn": arn("Closed"), "DeadLetterConfig": {"Arn": arn("ClosedDeadLetters")}})
    stack.rule("NoDeadLetterQueue", {"Arn": arn("Closed")})
    stack.rule("ToTopic", ref("Notices"))
    stack.add(
        "NoticesPolicy",
        "AWS::SNS::TopicPolicy",
        Topics=[ref("Notices")],
        PolicyDocument=stack.allow("sns:Publish", ref("Notices"), Principal={"Service": "events.amazonaws.com"}),
    )
    stack.rule("Input", {"Arn": arn("Orders"), "Input": '{"fixed": true}'})
    stack.rule("InputPath", {"Arn": arn("Orders"), "InputPath": "$.detail.part"})
    stack.rule("Flaky", {"Arn": arn("Orders"), **dead, "RetryPolicy": {"MaximumRetryAttempts": 3}})
    stack.resources["OrdersPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]["Condition"]["ArnEquals"][
        "aws:SourceArn"
    ].append(arn("Flaky"))
    stack.rule("Hopeless", {"Arn": arn("Closed"), **dead, "RetryPolicy": {"MaximumRetryAttempts": 2}})
    stack.rule("Long", {"Arn": arn("Orders"), **dead})
    stack.role("Forwarder", "events.amazonaws.com", "events:PutEvents", [arn("Bus"), arn("ThirdBus")])
    stack.role("Stranger", "scheduler.amazonaws.com", "events:PutEvents", arn("Bus"))
    stack.rule("Forwarded", {"Arn": arn("Bus"), "RoleArn": arn("Forwarder")}, bus="default")
    stack.rule("Everything", arn("Orders"), EventPattern={"detail-type": ["Forwarded"]})
    stack.rule(
        "ThirdHop",
        {"Arn": arn("ThirdBus"), "RoleArn": arn("Forwarder"), **dead},
        EventPattern={"detail-type": ["Forwarded"]},
    )
    stack.rule("WrongRole", {"Arn": arn("Bus"), "RoleArn": arn("Stranger"), **dead}, bus="default")
    calls = {"EventPattern": {"detail-type": ["AWS API Call via CloudTrail"]}, "bus": "default"}
    stack.queue("Writes", "OfWrites")
    stack.queue("All", "OfAll")
    stack.rule("OfWrites", arn("Writes"), **calls)
    stack.rule("OfAll", arn("All"), State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", **calls)
    return start(stack)


def last_delivery(box: Any, rule: str) -> Any:
    """The last delivery of a rule."""
    return [one for one in box.sandbox.deliveries if one.source == box.arn(rule)][-1]


def test_call_that_only_reads_is_told_to_no_rule_but_one_in_the_state_for_it(shop: Any) -> None:
    shop.sandbox.local_ecr.trail_reads = True
    client = shop.sandbox.client("ecr")

    client.describe_repositories()
    client.create_repository(repositoryName="told")
    shop.sandbox.local_ecr.trail_reads = False
    shop.sandbox.wait_until_idle()

    told = {
        queue: {message["body"]["detail"]["eventName"] for message in shop.messages(queue)}
        for queue in ("Writes", "All")
    }
    assert told == {"Writes": {"CreateRepository"}, "All": {"CreateRepository", "DescribeRepositories"}}


def test_function_gets_the_whole_event_when_a_permission_names_the_rule(shop: Any) -> None:
    event_id = shop.put("ToFunction", {"count": 1})["EventId"]

    run = shop.runs("Worker")[-1]
    assert run.event["id"] == event_id
    assert run.event["detail"] == {"count": 1}
    assert (run.event["account"], run.event["region"]) == ("111122223333", "us-east-1")
    assert run.outcome == "ok"


def test_event_is_handled_once_per_delivery_when_it_comes_again(shop: Any) -> None:
    before = len(shop.runs("Worker"))
    event = {"source": "shop", "detail-type": "ToFunction", "detail": {}, "id": "11111111-1111-1111-1111-111111111111"}

    for _ in range(5):
        shop.sandbox.engine.put(shop.arn("Bus"), event)
    shop.sandbox.wait_until_idle(10)

    assert [run.event["id"] for run in shop.runs("Worker")[before:]] == [event["id"]] * 5


def test_queue_gets_the_event_when_its_policy_names_the_rule(shop: Any) -> None:
    shop.put("ToQueue", {"count": 2})

    (message,) = shop.messages("Orders")
    assert message["body"]["detail"] == {"count": 2}


def test_nothing_happens_when_the_rule_is_disabled(shop: Any) -> None:
    answer = shop.put("Disabled")

    assert "EventId" in answer
    assert shop.messages("Orders") == []
    assert not [one for one in shop.sandbox.deliveries if one.source == shop.arn("Disabled")]


@pytest.mark.parametrize("rule", ["NoPermission", "NoQueuePolicy"])
def test_event_goes_to_the_dead_letter_queue_at_once_when_the_target_does_not_allow_it(shop: Any, rule: str) -> None:
    shop.put(rule, {"kept": True})

    (message,) = shop.messages("DeadLetters")
    assert message["body"]["detail"] == {"kept": True}
    assert message["attributes"]["RULE_ARN"] == shop.arn(rule)
    assert message["attributes"]["TARGET_ARN"] == last_delivery(shop, rule).target
    assert message["attributes"]["ERROR_CODE"] == "NO_PERMISSIONS"
    assert "is not allowed to perform" in message["attributes"]["ERROR_MESSAGE"]
    assert last_delivery(shop, rule).attempts == 1


@pytest.mark.parametrize(
    ("rule", "reason"),
    [("NoDeadLetterPolicy", "may not write to the dead-letter queue"), ("NoDeadLetterQueue", "no dead-letter queue")],
)
def test_event_is_counted_as_lost_when_no_dead_letter_queue_takes_it(shop: Any, rule: str, reason: str) -> None:
    event_id = shop.put(rule)["EventId"]

    lost = [one for one in shop.sandbox.lost if one.event_id == event_id]
    assert [one.fate for one in lost] == [Fate.LOST]
    assert reason in lost[0].error_message
    assert shop.messages("ClosedDeadLetters") == []


def test_topic_gets_the_event_when_its_policy_allows_eventbridge(shop: Any) -> None:
    sns, sqs = shop.sandbox.client("sns"), shop.sandbox.client("sqs")
    url = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    topic_arn = shop.sandbox.deployment.resources["Notices"].physical_id
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:111122223333:subscriber")

    shop.put("ToTopic", {"count": 3})

    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(json.loads(message["Body"])["Message"])["detail"] == {"count": 3}


@pytest.mark.parametrize(("rule", "expected"), [("Input", {"fixed": True}), ("InputPath", [1, 2])])
def test_target_gets_its_own_input_when_the_rule_gives_one(shop: Any, rule: str, expected: Any) -> None:
    shop.put(rule, {"part": [1, 2]})

    assert [message["body"] for message in shop.messages("Orders")] == [expected]


def test_event_keeps_id_time_account_and_region_when_forwarded_to_another_bus(shop: Any) -> None:
    shop.put("Forwarded", {"count": 4}, bus="default")

    first, second = [one for one in shop.sandbox.events if one.event["detail-type"] == "Forwarded"][-2:]
    assert (first.bus_arn, second.bus_arn) == (
        shop.sandbox.engine.bus_arn("111122223333", "us-east-1", "default"),
        shop.arn("Bus"),
    )
    assert first.event == second.event
    assert [message["body"] for message in shop.messages("Orders")] == [first.event]


def test_event_is_not_forwarded_again_when_it_came_from_another_bus(shop: Any) -> None:
    shop.messages("DeadLetters")
    before = len(shop.sandbox.events)

    shop.put("Forwarded", bus="default")

    assert shop.arn("ThirdBus") not in [one.bus_arn for one in shop.sandbox.events[before:]]
    (message,) = shop.messages("DeadLetters")
    assert message["attributes"]["ERROR_CODE"] == "THIRD_REGION_HOP_DETECTED"
    shop.messages("Orders")


def test_event_is_not_forwarded_when_eventbridge_may_not_assume_the_role(shop: Any) -> None:
    shop.put("WrongRole", bus="default")

    (message,) = shop.messages("DeadLetters")
    assert message["attributes"]["ERROR_CODE"] == "FAILED_TO_ASSUME_ROLE"


def test_delivery_is_tried_again_when_the_target_is_throttled(shop: Any) -> None:
    def throttled_twice(parcel: Parcel, attempt: int) -> None:
        if parcel.source_arn == shop.arn("Flaky") and attempt <= 2:
            raise DeliveryError("THROTTLING", "slow down", is_retryable=True)

    shop.sandbox.engine.dispatcher.disturbance = throttled_twice
    shop.put("Flaky", {"count": 5})

    assert [message["body"]["detail"] for message in shop.messages("Orders")] == [{"count": 5}]
    assert last_delivery(shop, "Flaky").attempts == 3


def test_event_goes_to_the_dead_letter_queue_when_its_retries_are_used_up(shop: Any) -> None:
    def always_throttled(parcel: Parcel, attempt: int) -> None:
        if parcel.source_arn == shop.arn("Hopeless"):
            raise DeliveryError("THROTTLING", "slow down", is_retryable=True)

    shop.sandbox.engine.dispatcher.disturbance = always_throttled
    shop.put("Hopeless")

    (message,) = shop.messages("DeadLetters")
    assert message["attributes"]["ERROR_CODE"] == "THROTTLING"
    assert message["attributes"]["RETRY_ATTEMPTS"] == "2"
    assert message["attributes"]["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"


@pytest.mark.parametrize("source", ["aws.ecr", "AWS.ecr", "aws.inspector2"])
def test_event_is_refused_when_somebody_claims_to_be_aws(shop: Any, source: str) -> None:
    before = len(shop.sandbox.events)

    entry = {"Source": source, "DetailType": "ToQueue", "Detail": "{}", "EventBusName": "own"}
    answer = shop.sandbox.client("events").put_events(Entries=[entry])

    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    assert len(shop.sandbox.events) == before


def test_event_of_a_service_arrives_on_the_default_bus_when_the_service_delivers_it(shop: Any) -> None:
    event = {"source": "aws.ecr", "detail-type": "Forwarded", "detail": {}, "account": "111122223333", "id": "1"}

    shop.sandbox.deliver("111122223333", "us-east-1", event)
    shop.sandbox.wait_until_idle(10)

    assert [message["body"] for message in shop.messages("Orders")] == [event]
    shop.messages("DeadLetters")


def test_event_is_counted_as_lost_when_its_bus_does_not_exist(shop: Any) -> None:
    event_id = shop.put("ToQueue", bus="nowhere")["EventId"]

    assert [one.error_message for one in shop.sandbox.lost if one.event_id == event_id] == [
        "Event bus nowhere does not exist."
    ]


def test_rule_of_a_user_delivers_when_it_was_made_after_the_deployment(shop: Any) -> None:
    events, sqs = shop.sandbox.client("events"), shop.sandbox.client("sqs")
    url = sqs.create_queue(QueueName="spy")["QueueUrl"]
    spy_arn = "arn:aws:sqs:us-east-1:111122223333:spy"
    rule_arn = events.put_rule(Name="spy", EventBusName="own", EventPattern='{"source": ["shop"]}')["RuleArn"]
    events.put_targets(Rule="spy", EventBusName="own", Targets=[{"Id": "1", "Arn": spy_arn}])
    policy = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": spy_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
            }
        ]
    }
    shop.put("Seen by nobody")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    shop.put("Seen")
    events.disable_rule(Name="spy", EventBusName="own")
    shop.put("Too late")

    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert json.loads(message["Body"])["detail-type"] == "Seen"


def test_event_goes_to_the_dead_letter_queue_when_nobody_can_tell_what_a_new_policy_allows(shop: Any) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "sqs:SendMessage",
        "Resource": shop.arn("Closed"),
        "Condition": {"StringSoundsLike": {"aws:SourceAccount": "mine"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    shop.sandbox.client("sqs").set_queue_attributes(QueueUrl=shop.url("Closed"), Attributes={"Policy": policy})

    shop.put("NoQueuePolicy")

    (message,) = shop.messages("DeadLetters")
    assert "StringSoundsLike is not evaluated here" in message["attributes"]["ERROR_MESSAGE"]


def test_rule_is_refused_when_its_pattern_is_no_pattern(shop: Any) -> None:
    events = shop.sandbox.client("events")

    with pytest.raises(events.exceptions.InvalidEventPatternException, match="unrecognized match type contains"):
        events.put_rule(Name="wrong", EventPattern='{"source": [{"contains": "x"}]}')


def test_pattern_is_answered_by_the_same_matcher_when_asked_by_api(shop: Any) -> None:
    events = shop.sandbox.client("events")
    event = json.dumps({"id": "1", "source": "shop", "detail": {"items": [{"a": 1, "b": 1}, {"a": 2, "b": 2}]}})

    def test(**items: list[int]) -> bool:
        return bool(
            events.test_event_pattern(EventPattern=json.dumps({"detail": {"items": items}}), Event=event)["Result"]
        )

    assert test(a=[1], b=[1])
    assert not test(a=[1], b=[2])
