"""What must hold for every resource of the templates, whatever is added to them. The failure patterns are AWS's own.

Read in the translated template, where nothing is left implied: SAM's own events are rules and mappings there.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ecr_steward.adapters.clients import PATIENT
from ecr_steward_sandbox.delivery.patterns import Pattern

type Template = Mapping[str, Any]
type Properties = Mapping[str, Any]

ALARMS = Path("docs/deploy/alarms.md")
FOURTEEN_DAYS = 14 * 24 * 3600


def of_type(template: Template, type_: str) -> dict[str, Properties]:
    found = if_any(template, type_)
    assert found, f"the template has no {type_}: this test looks at nothing"
    return found


def if_any(template: Template, type_: str) -> dict[str, Properties]:
    return {id_: each.get("Properties", {}) for id_, each in template["Resources"].items() if each["Type"] == type_}


def logical_id(reference: Any) -> str:
    """Of the resource that a Ref or GetAtt names."""
    match reference:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), _]}:
            return name
    raise AssertionError(f"{reference} names no resource of the template")


def rule_targets(template: Template) -> Iterator[tuple[str, Properties]]:
    for rule, properties in of_type(template, "AWS::Events::Rule").items():
        for target in properties["Targets"]:
            yield rule, target


def patterns_of_aws(template: Template) -> dict[str, Pattern]:
    """Of the rules that hear events of AWS, by logical id."""
    patterns = {rule: each["EventPattern"] for rule, each in of_type(template, "AWS::Events::Rule").items()}
    return {rule: Pattern.parse(one) for rule, one in patterns.items() if one.get("source") != ["ecr.steward"]}


def allowed_rules(template: Template, queue: str) -> set[str]:
    """The rules that a queue's policy lets write, by logical id."""
    allowed: set[str] = set()
    for policy in of_type(template, "AWS::SQS::QueuePolicy").values():
        if queue not in map(logical_id, policy["Queues"]):
            continue
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
            assert logical_id(statement["Resource"]) == queue
            sources = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
            allowed |= {logical_id(source) for source in (sources if isinstance(sources, list) else [sources])}
    return allowed


TOPIC = "NoticesTopic"


def test_1_every_rule_target_retries_for_a_day_when_delivery_fails(either: Template) -> None:
    weak = [
        rule
        for rule, target in rule_targets(either)
        if target.get("RetryPolicy") != {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
    ]

    assert weak == []


def test_1_every_rule_target_has_a_dead_letter_queue_when_retries_are_spent(either: Template) -> None:
    assert [rule for rule, target in rule_targets(either) if "DeadLetterConfig" not in target] == []


def test_2_each_queue_lets_exactly_its_rules_write_when_they_deliver_or_fail_to(either: Template) -> None:
    queues = of_type(either, "AWS::SQS::Queue")
    writers: dict[str, set[str]] = {queue: set() for queue in queues}
    for rule, target in rule_targets(either):
        writers[logical_id(target["DeadLetterConfig"]["Arn"])].add(rule)
        if (destination := logical_id(target["Arn"])) in queues:
            writers[destination].add(rule)

    assert {queue: allowed_rules(either, queue) for queue in queues} == writers


def test_1_schedules_have_retries_and_a_dead_letter_queue_when_their_target_fails(template: Template) -> None:
    for properties in of_type(template, "AWS::Scheduler::Schedule").values():
        assert properties["Target"]["RetryPolicy"].keys() == {"MaximumRetryAttempts", "MaximumEventAgeInSeconds"}
        assert logical_id(properties["Target"]["DeadLetterConfig"]["Arn"]) in of_type(template, "AWS::SQS::Queue")


def test_rules_publish_notices_as_a_role_when_a_topic_may_have_no_condition_for_them(template: Template) -> None:
    """aws B2: EventBridge supports no Condition in a topic's policy."""
    (policy,) = of_type(template, "AWS::SNS::TopicPolicy").values()
    (of_alarms,) = policy["PolicyDocument"]["Statement"]
    roles = {
        logical_id(target["RoleArn"]) for _, target in rule_targets(template) if logical_id(target["Arn"]) == TOPIC
    }

    assert of_alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    (role,) = (of_type(template, "AWS::IAM::Role")[name] for name in roles)
    use_key, publish = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert use_key["Resource"] == {"Ref": "KmsKeyArn"}
    assert publish == {"Effect": "Allow", "Action": "sns:Publish", "Resource": {"Ref": TOPIC}}


def test_a_service_acts_as_a_role_only_for_this_account(either: Template) -> None:
    """aws minor 13: not for rules and schedules of other accounts. Lambda supports no such condition."""
    for name, role in of_type(either, "AWS::IAM::Role").items():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        service = trust["Principal"].get("Service")
        if service in ("events.amazonaws.com", "scheduler.amazonaws.com"):
            assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}, name


def test_4_every_function_has_an_exit_when_it_is_invoked_asynchronously(template: Template) -> None:
    functions = of_type(template, "AWS::Lambda::Function")
    invoked_by_rules = {logical_id(target["Arn"]) for _, target in rule_targets(template)} & functions.keys()
    schedules = of_type(template, "AWS::Scheduler::Schedule").values()
    invoked_by_schedules = {logical_id(each["Target"]["Arn"]) for each in schedules}
    configs = of_type(template, "AWS::Lambda::EventInvokeConfig").values()
    with_exit = {logical_id(each["FunctionName"]) for each in configs if each["DestinationConfig"]["OnFailure"]}

    assert with_exit == invoked_by_rules | invoked_by_schedules
    assert all(each["MaximumRetryAttempts"] == 2 for each in configs)


def test_4_a_function_may_write_to_its_failure_destination_when_it_raises(template: Template) -> None:
    functions = of_type(template, "AWS::Lambda::Function")
    roles = of_type(template, "AWS::IAM::Role")
    for config in of_type(template, "AWS::Lambda::EventInvokeConfig").values():
        role = roles[logical_id(functions[logical_id(config["FunctionName"])]["Role"])]
        destination = config["DestinationConfig"]["OnFailure"]["Destination"]
        assert any(
            "sqs:SendMessage" in statement["Action"] and statement["Resource"] == destination
            for policy in role["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
        )


def test_8_only_the_failed_messages_come_back_when_a_batch_fails_in_part(template: Template) -> None:
    for mapping in of_type(template, "AWS::Lambda::EventSourceMapping").values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_9_a_message_stays_hidden_six_timeouts_and_is_tried_five_times_when_work_is_slow(template: Template) -> None:
    functions = of_type(template, "AWS::Lambda::Function")
    queues = of_type(template, "AWS::SQS::Queue")
    for mapping in of_type(template, "AWS::Lambda::EventSourceMapping").values():
        queue = queues[logical_id(mapping["EventSourceArn"])]
        window = mapping.get("MaximumBatchingWindowInSeconds", 0)
        assert queue["VisibilityTimeout"] >= 6 * functions[logical_id(mapping["FunctionName"])]["Timeout"] + window
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5


def test_limits_of_lambda_and_eventbridge_are_kept_that_neither_cfn_lint_nor_moto_knows(either: Template) -> None:
    for function in if_any(either, "AWS::Lambda::Function").values():
        assert 1 <= function["Timeout"] <= 900
    for mapping in if_any(either, "AWS::Lambda::EventSourceMapping").values():
        window = mapping.get("MaximumBatchingWindowInSeconds", 0)
        assert 0 <= window <= 300
        assert 1 <= mapping.get("BatchSize", 10) <= (10_000 if window else 10)
    for rule in of_type(either, "AWS::Events::Rule").values():
        assert len(json.dumps(rule["EventPattern"])) <= 4096


def test_15_a_call_may_be_tried_to_its_end_before_any_function_is_stopped(template: Template) -> None:
    """aws minor 15 and 16."""
    attempts = PATIENT.retries["total_max_attempts"]  # type: ignore[attr-defined]  # botocore sets it by name
    longest = attempts * (PATIENT.connect_timeout + PATIENT.read_timeout)  # type: ignore[attr-defined]

    assert min(each["Timeout"] for each in of_type(template, "AWS::Lambda::Function").values()) >= 2 * longest


def test_13_failed_events_are_kept_fourteen_days_and_raise_an_alarm_when_nobody_looks(either: Template) -> None:
    queues = of_type(either, "AWS::SQS::Queue")
    targets = [target for _, target in rule_targets(either)]
    schedules = [each["Target"] for each in if_any(either, "AWS::Scheduler::Schedule").values()]
    configs = if_any(either, "AWS::Lambda::EventInvokeConfig").values()
    last_resorts = (
        {logical_id(target["DeadLetterConfig"]["Arn"]) for target in targets + schedules}
        | {logical_id(config["DestinationConfig"]["OnFailure"]["Destination"]) for config in configs}
        | {
            logical_id(queue["RedrivePolicy"]["deadLetterTargetArn"])
            for queue in queues.values()
            if "RedrivePolicy" in queue
        }
    )
    watched = {
        logical_id(dimension["Value"])
        for alarm in of_type(either, "AWS::CloudWatch::Alarm").values()
        for dimension in alarm.get("Dimensions", ())
        if alarm["AlarmActions"] and alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }

    assert last_resorts <= queues.keys()
    assert {each.get("MessageRetentionPeriod") for each in queues.values()} == {FOURTEEN_DAYS}, "work waits as long"
    assert watched == last_resorts


def test_17_each_function_and_queue_of_work_is_watched_when_it_fails_or_waits(template: Template) -> None:
    """aws M17, M15."""
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    watched = {(each["MetricName"], logical_id(of["Value"])) for each in alarms for of in each.get("Dimensions", ())}
    functions = of_type(template, "AWS::Lambda::Function")
    started_by_events = {
        logical_id(each["FunctionName"]) for each in of_type(template, "AWS::Lambda::EventInvokeConfig").values()
    }
    mappings = of_type(template, "AWS::Lambda::EventSourceMapping").values()
    work = {logical_id(each["EventSourceArn"]) for each in mappings}
    scheduled = {logical_id(each["Target"]["Arn"]) for each in of_type(template, "AWS::Scheduler::Schedule").values()}

    assert watched >= {(metric, name) for metric in ("Errors", "Throttles") for name in functions}
    assert {name for metric, name in watched if metric == "AsyncEventsDropped"} == started_by_events
    assert {name for metric, name in watched if metric == "ApproximateAgeOfOldestMessage"} == work
    assert {name for metric, name in watched if metric == "Invocations"} == scheduled


def test_17_an_alarm_has_a_row_that_says_what_to_do_when_it_is_in_a_template(either: Template) -> None:
    page = ALARMS.read_text(encoding="utf-8")

    assert [name for name in of_type(either, "AWS::CloudWatch::Alarm") if f"`{name}`" not in page] == []


@pytest.mark.parametrize("template", ["template.yaml", "spoke.yaml"])
def test_an_arn_is_of_the_partition_that_the_stack_is_in(template: str) -> None:
    assert "arn:aws:" not in Path(template).read_text(encoding="utf-8")


def test_each_role_has_the_boundary_that_an_account_demands(either: Template) -> None:
    """aws minor 5."""
    roles = of_type(either, "AWS::IAM::Role").values()

    assert [role.get("PermissionsBoundary") for role in roles] == [{"Ref": "PermissionsBoundaryArn"}] * len(roles)


def test_18_state_and_logs_stay_when_the_stack_is_deleted(template: Template) -> None:
    """aws M18: what the notices remember is of a day, and may go."""
    kept = {
        name
        for name, each in template["Resources"].items()
        if each.get("DeletionPolicy") == "RetainExceptOnCreate" and each.get("UpdateReplacePolicy") == "Retain"
    }
    table = template["Resources"]["StateTable"]["Properties"]

    assert kept == {"StateTable", *of_type(template, "AWS::Logs::LogGroup")}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_logs_are_kept_a_chosen_time_when_a_function_writes_them(template: Template) -> None:
    groups = of_type(template, "AWS::Logs::LogGroup")
    functions = of_type(template, "AWS::Lambda::Function")
    written = {name: logical_id(each["LoggingConfig"]["LogGroup"]) for name, each in functions.items()}

    assert sorted(written.values()) == sorted(groups)
    assert all(group["RetentionInDays"] for group in groups.values())


def test_each_function_has_a_role_of_its_own_when_deployed(template: Template) -> None:
    roles = [logical_id(each["Role"]) for each in of_type(template, "AWS::Lambda::Function").values()]

    assert len(set(roles)) == len(roles)


@pytest.mark.parametrize("wildcard", ["*", ":*"])
def test_no_role_is_given_all_actions_of_a_service_when_deployed(either: Template, wildcard: str) -> None:
    for role in of_type(either, "AWS::IAM::Role").values():
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                for action in actions if isinstance(actions, list) else [actions]:
                    assert not action.endswith(wildcard)


@pytest.mark.parametrize(
    ("name", "known_by_name"),
    [
        ("template", {"PullOnlyRole"}),  # and the bus, whose property is Name: other accounts forward to it
        ("spoke", {"SpokeRole", "PullOnlyRole"}),
    ],
)
def test_no_resource_is_named_in_full_when_nobody_has_to_know_its_name(
    name: str, known_by_name: set[str], request: pytest.FixtureRequest
) -> None:
    template: Template = request.getfixturevalue(name)
    names = {"FunctionName", "QueueName", "TopicName", "TableName", "RoleName", "LogGroupName", "AlarmName"}
    own = {"AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission"}
    named = {
        id_
        for id_, each in template["Resources"].items()
        if each["Type"] not in own and names & each.get("Properties", {}).keys()
    }

    assert named == known_by_name


def test_rules_for_our_own_events_take_them_from_this_account_alone_when_others_may_write_to_the_bus(
    template: Template,
) -> None:
    patterns = [properties["EventPattern"] for properties in of_type(template, "AWS::Events::Rule").values()]
    own = [pattern for pattern in patterns if pattern.get("source") == ["ecr.steward"]]

    assert own
    assert all(pattern.get("account") == [{"Ref": "AWS::AccountId"}] for pattern in own)


def test_each_function_reads_the_rulebook_from_a_bucket_of_its_own_account_alone(template: Template) -> None:
    """attacks M9"""
    statements = [
        statement
        for role in of_type(template, "AWS::IAM::Role").values()
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "s3:GetObject"
    ]

    own = {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}}
    assert [statement["Condition"] for statement in statements] == [own] * 6


def test_no_function_writes_a_pause_a_release_or_a_grant(template: Template) -> None:
    """attacks L4: roles name the partitions of the state table that they write; those of people are not among them."""
    may_write = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"}
    statements = [
        statement
        for role in of_type(template, "AWS::IAM::Role").values()
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Resource"] == {"Fn::GetAtt": ["StateTable", "Arn"]}
        and may_write & set([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    ]

    named = {key for one in statements for key in one["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]}

    assert named == {
        "steps#*",
        "brake#*",
        "holds",
        "tags#*",
        "missed#*",
        "lease#*",
        "backfills#*",
        "rules#*",
        "rulebook",
        "accounts",
    }


@pytest.mark.parametrize(
    ("push", "comes"),
    [("push_tagged", True), ("push_index", True), ("push_untagged", False), ("push_without_tag", False)],
)
def test_a_push_is_judged_when_it_has_an_image_tag(
    push: str, comes: bool, template: Template, load_event: Callable[[str], Any]
) -> None:
    rules = of_type(template, "AWS::Events::Rule")
    to_be_judged = [
        Pattern.parse(rules[rule]["EventPattern"])
        for rule, target in rule_targets(template)
        if logical_id(target["Arn"]) == "EvaluateImageScanQueue"
    ]

    event = load_event(f"ecr_image_action/{push}")

    assert any(pattern.matches(event) for pattern in to_be_judged) is comes


def test_a_referrer_starts_what_an_image_starts_when_it_is_pushed(
    template: Template, load_event: Callable[[str], Any]
) -> None:
    """aws M12."""
    rules = patterns_of_aws(template)
    referrer = load_event("ecr_referrer_action/push_signature")
    image = {**referrer, "detail-type": "ECR Image Action"}

    started = [name for name, pattern in rules.items() if pattern.matches(referrer)]

    assert started == [name for name, pattern in rules.items() if pattern.matches(image)]
    assert len(started) == 4, "the forwarder, the enforcer, the applier and the copier"


def test_the_default_bus_forwards_what_a_rule_hears_and_nothing_else(
    template: Template, load_event: Callable[[str], Any]
) -> None:
    """aws, the bill: an event that is forwarded is paid for."""
    hearing = patterns_of_aws(template)
    forward = hearing.pop("ForwardToStewardRule")
    samples = [f"{path.parent.name}/{path.stem}" for path in sorted(Path("events").glob("*/*.json"))]
    events = {name: event for name in samples if "source" in (event := load_event(name))}

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
    rule = of_type(template, "AWS::Events::Rule")["ImageVerdictToReplicateImageRule"]

    pattern = Pattern.parse({**rule["EventPattern"], "account": ["111122223333"]})

    assert pattern.matches(load_event(f"image_verdict/{verdict}"))


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
    rules = of_type(template, "AWS::Events::Rule")
    told = [
        Pattern.parse({**rules[rule]["EventPattern"], "account": ["111122223333"]})
        for rule, target in rule_targets(template)
        if logical_id(target["Arn"]) == "NoticesTopic"
    ]

    event = load_event(notice)

    assert any(pattern.matches(event) for pattern in told) is hear
