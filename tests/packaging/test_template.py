"""What must hold for every resource of the templates, whatever is added to them. The failure patterns are AWS's own.

What its rules hear is in test_rules.py.
"""

import json
from pathlib import Path

import pytest

from ecr_steward.adapters.clients import PATIENT
from tests.packaging.reading import Properties, Template, if_any, logical_id, of_type, rule_targets

ALARMS = Path("docs/deploy/alarms.md")
FOURTEEN_DAYS = 14 * 24 * 3600


def schedules_of_functions(template: Template) -> list[Properties]:
    """All but that of the self-check, which needs no second try: the next one comes soon, and a missing one rings."""
    schedules = of_type(template, "AWS::Scheduler::Schedule")
    return [each for name, each in schedules.items() if name != "SelfCheckSchedule"]


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
    for properties in schedules_of_functions(template):
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
    invoked_by_schedules = {logical_id(each["Target"]["Arn"]) for each in schedules_of_functions(template)}
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
    schedules = [each["Target"] for each in schedules_of_functions(either)]
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
    alarms = [
        each for each in of_type(template, "AWS::CloudWatch::Alarm").values() if each["Namespace"] != "AWS/Events"
    ]
    watched = {(each["MetricName"], logical_id(of["Value"])) for each in alarms for of in each.get("Dimensions", ())}
    functions = of_type(template, "AWS::Lambda::Function")
    started_by_events = {
        logical_id(each["FunctionName"]) for each in of_type(template, "AWS::Lambda::EventInvokeConfig").values()
    }
    mappings = of_type(template, "AWS::Lambda::EventSourceMapping").values()
    work = {logical_id(each["EventSourceArn"]) for each in mappings}
    scheduled = {logical_id(each["Target"]["Arn"]) for each in schedules_of_functions(template)}

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
        "contents#*",
        "revisions#*",
        "sweeps#*",
        "verdicts#*",
        "own#*",
        "settings#*",
        "rulebook",
        "accounts",
    }
