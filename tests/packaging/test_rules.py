"""What each rule of the templates hears, by the samples of events."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_sandbox.delivery.patterns import Pattern
from tests.packaging.reading import Properties, Template, logical_id, of_type

HERE = "111122223333"
OWN = "ecr.steward"
PATTERN_LIMIT = 2048
"""Characters of an event pattern, a quota of EventBridge ("Event pattern size")."""


def patterns(template: Template) -> dict[str, Pattern]:
    """What each rule lets through in the account of the samples, by logical id."""
    rules = {name: json.dumps(each["EventPattern"]) for name, each in of_type(template, "AWS::Events::Rule").items()}
    account = json.dumps({"Ref": "AWS::AccountId"})
    return {name: Pattern.parse(json.loads(one.replace(account, f'"{HERE}"'))) for name, one in rules.items()}


def test_rules_for_our_own_events_take_them_from_this_account_alone_when_others_may_write_to_the_bus(
    template: Template,
) -> None:
    heard = [
        alternative
        for each in of_type(template, "AWS::Events::Rule").values()
        for alternative in each["EventPattern"].get("$or", [each["EventPattern"]])
    ]
    own = [each for each in heard if each["source"] == [OWN]]

    assert len(own) > 3
    assert all(each.get("account") == [{"Ref": "AWS::AccountId"}] for each in own)


@pytest.mark.parametrize(
    ("push", "comes"),
    [("push_tagged", True), ("push_index", True), ("push_untagged", False), ("push_without_tag", False)],
)
def test_a_push_is_judged_when_it_has_an_image_tag(
    push: str, comes: bool, template: Template, load_event: Callable[[str], Any]
) -> None:
    event = load_event(f"ecr_image_action/{push}")

    assert patterns(template)["ToEvaluateImageScanRule"].matches(event) is comes


def test_a_referrer_starts_what_answers_it_when_it_is_pushed_without_a_tag(
    template: Template, load_event: Callable[[str], Any]
) -> None:
    """aws M12."""
    referrer = load_event("ecr_referrer_action/push_signature")

    started = {name for name, pattern in patterns(template).items() if pattern.matches(referrer)}

    assert "image-tag" not in referrer["detail"] or not referrer["detail"]["image-tag"]
    assert started == {"ForwardToStewardRule", "EnforceImageTagsFunctionImagePushed"}


@pytest.mark.parametrize("push", ["push_untagged", "push_without_tag"])
def test_a_platform_of_an_index_starts_nothing_and_is_forwarded_nowhere_when_it_is_pushed(
    push: str, either: Template, load_event: Callable[[str], Any]
) -> None:
    """aws M19."""
    event = load_event(f"ecr_image_action/{push}")

    assert [name for name, pattern in patterns(either).items() if pattern.matches(event)] == []


def test_the_default_bus_forwards_what_a_rule_hears_and_nothing_else(
    template: Template, load_event: Callable[[str], Any]
) -> None:
    """aws, the bill: an event that is forwarded is paid for."""
    hearing = patterns(template)
    forward = hearing.pop("ForwardToStewardRule")
    samples = [f"{path.parent.name}/{path.stem}" for path in sorted(Path("events").glob("*/*.json"))]
    samples.remove("self_check/of_a_connected_account")  # which is forwarded there
    events = {name: event for name in samples if (event := load_event(name)).get("source", OWN) != OWN}

    forwarded = {name for name, event in events.items() if forward.matches(event)}

    assert forwarded == {
        name for name, event in events.items() if any(rule.matches(event) for rule in hearing.values())
    }
    assert len(forwarded) > 20
    of_a_trail = load_event("aws_api_call_via_cloudtrail/create_repository")
    layer = {**of_a_trail, "detail": {**of_a_trail["detail"], "eventName": "UploadLayerPart"}}
    machine = {"resources": [{"type": "AWS_EC2_INSTANCE"}]}
    assert forward.matches(of_a_trail)
    for noise in (
        layer,
        {"source": "aws.inspector2", "detail-type": "Inspector2 Coverage", "detail": {}},
        {"source": "aws.inspector2", "detail-type": "Inspector2 Finding", "detail": machine},
        {"source": "aws.ecr", "detail-type": "ECR Image Action", "detail": {"action-type": "DELETE"}},
    ):
        assert not forward.matches(noise)


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_a_verdict_starts_the_copier_whichever_it_is(
    verdict: str, template: Template, load_event: Callable[[str], Any]
) -> None:
    """attacks M4: a fail may withdraw what was copied."""
    assert patterns(template)["ToReplicateImageRule"].matches(load_event(f"image_verdict/{verdict}"))


@pytest.mark.parametrize(
    ("notice", "hear"),
    [
        ("violation_found/quarantined", True),
        ("image_verdict/fail", True),
        ("image_verdict/pass", False),
        ("image_replicated/index_with_two_platforms", False),
        ("rules_changed/tier_untagged", True),
        ("access_widened/everybody", True),
        ("access_widened/another_account", False),
        ("image_withdrawn/failed_scan", False),  # the verdict reports it
        ("credential_refreshed/on_prem_cluster", False),
    ],
)
def test_people_hear_of_a_notice_when_there_is_something_for_them_to_do(
    notice: str, hear: bool, template: Template, load_event: Callable[[str], Any]
) -> None:
    assert patterns(template)["NoticesRule"].matches(load_event(notice)) is hear


def test_a_pattern_is_no_longer_than_eventbridge_takes(either: Template) -> None:
    lengths = {
        name: len(json.dumps(each["EventPattern"], separators=(",", ":")))
        for name, each in of_type(either, "AWS::Events::Rule").items()
    }

    assert {name: length for name, length in lengths.items() if length > PATTERN_LIMIT} == {}


def test_a_self_check_passes_each_rule_that_starts_a_function_and_the_one_that_feeds_them(
    template: Template, load_event: Callable[[str], Any]
) -> None:
    """The one of notices would send a mail for each."""
    check, of_another = load_event("self_check/check"), load_event("self_check/of_a_connected_account")
    rules = patterns(template)

    assert {name for name, pattern in rules.items() if pattern.matches(check)} == rules.keys() - {"NoticesRule"}
    connecting = [name for name, pattern in rules.items() if pattern.matches(of_another)]
    assert connecting == ["ApplyRepositoryPoliciesFunctionChanged"], "and there with SpokeOrganization alone"


def test_a_self_check_is_what_its_schedule_puts_on_the_default_bus(
    either: Template, load_event: Callable[[str], Any]
) -> None:
    check = load_event("self_check/check")
    target = of_type(either, "AWS::Scheduler::Schedule")["SelfCheckSchedule"]["Target"]

    assert target["EventBridgeParameters"] == {"Source": check["source"], "DetailType": check["detail-type"]}
    assert json.loads(target["Input"]) == check["detail"]
    assert str(target["Arn"]).endswith(":event-bus/default'}")


def test_an_alarm_rings_within_a_quarter_of_an_hour_when_a_rule_carries_no_self_check(
    either: Template, load_event: Callable[[str], Any]
) -> None:
    check = load_event("self_check/check")
    carrying = {name for name, pattern in patterns(either).items() if pattern.matches(check)}
    alarms = [each for each in of_type(either, "AWS::CloudWatch::Alarm").values() if each["Namespace"] == "AWS/Events"]
    every = of_type(either, "AWS::Scheduler::Schedule")["SelfCheckSchedule"]["ScheduleExpression"]

    assert sorted(map(rule_of, alarms)) == sorted(carrying)
    for alarm in alarms:
        assert (alarm["MetricName"], alarm["Statistic"]) == ("Invocations", "Sum")
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
        assert alarm["TreatMissingData"] == "breaching", "EventBridge publishes no zero"
        assert f"rate({alarm['Period'] // 60} minutes)" == every
        # One more: the rule may be deleted just after a check, in the period that has had it.
        assert alarm["Period"] * (alarm["EvaluationPeriods"] + 1) < 15 * 60
        assert alarm["EvaluationPeriods"] > 1, "two checks may fall into one period, and none into the next"


def rule_of(alarm: Properties) -> str:
    """The logical id of the rule that an alarm's dimensions name: by its name on the default bus, else with its bus."""
    *bus, name = alarm["Dimensions"]
    assert name["Name"] == "RuleName"
    assert [each["Name"] for each in bus] in ([], ["EventBusName"])
    part, (_, split) = name["Value"]["Fn::Select"][0], name["Value"]["Fn::Select"][1]["Fn::Split"]
    assert part == (2 if bus else 1), "arn:...:rule/NAME, or arn:...:rule/BUS/NAME"
    return logical_id(split)
