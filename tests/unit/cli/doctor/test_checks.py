"""What checks say about facts that the sandbox cannot have, and what holds for all of them."""

import re

import pytest

from ecr_steward_cli.doctor.checks.catalogue import all_checks
from ecr_steward_cli.doctor.findings import Finding, Status, Unread
from ecr_steward_cli.doctor.reading import READERS, without_followers
from ecr_steward_cli.doctor.running import findings_of
from ecr_steward_cli.doctor.stack import DeployedStack
from tests.unit.cli.doctor.given import DENIED, answer, facts, names, part

FUNCTION, MAPPING, QUEUE = "AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping", "AWS::SQS::Queue"


def test_an_id_is_words_with_dashes_and_names_one_check():
    ids = [check.id for check in all_checks()]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+", one) for one in ids)


def test_a_check_says_what_it_looks_at_and_what_to_do():
    assert [check.id for check in all_checks() if not check.looks_at or not check.do] == []


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_is_complete_when_its_last_deployment_has_ended(status):
    assert answer("stack-complete", facts(stack=DeployedStack(names(), status))) == []


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_FAILED"])
def test_a_stack_is_a_problem_when_it_is_in_another_state(status):
    (found,) = answer("stack-complete", facts(stack=DeployedStack(names(), status, "it failed")))
    assert (found.status, found.message) == (Status.PROBLEM, f"the stack is in {status}: it failed")


def test_a_resource_is_a_problem_when_cloudformation_left_it_failed():
    stack = DeployedStack(
        names(), "CREATE_COMPLETE", resource_states={"Queue": "UPDATE_FAILED", "Bus": "CREATE_COMPLETE"}
    )
    (found,) = answer("stack-resources", facts(stack=stack))
    assert found.subject == "Queue"


def test_what_could_not_be_read_is_no_problem_and_no_check_of_it_is_ok():
    rule = part("AWS::Events::Rule", {"State": "ENABLED"}, DENIED)
    said = [one for one in findings_of(facts(rule)) if one.status is not Status.OK]
    assert said == [
        Finding("rule-exists", Status.NOT_LOOKED_AT, "One", DENIED.reason, DENIED.do),
        *(
            Finding(check, Status.NOT_LOOKED_AT, "", f"none could be read: {DENIED.reason}", DENIED.do)
            for check in ("rule-enabled", "rule-pattern", "rule-targets")
        ),
    ]


def test_a_check_counts_what_it_could_read_when_all_of_that_is_well():
    read = part("AWS::Events::Rule", {}, {"State": "ENABLED"})
    (found,) = [
        one for one in findings_of(facts(read, part("AWS::Events::Rule", {}, DENIED))) if one.check == "rule-enabled"
    ]
    assert (found.status, found.message) == (Status.OK, "1 looked at, 1 could not be read")


def test_one_property_is_not_looked_at_when_it_alone_could_not_be_read():
    role = part("AWS::IAM::Role", {"Policies": []}, {"Policies": DENIED, "ManagedPolicyArns": []})
    said = [one.check for one in findings_of(facts(role)) if one.status is Status.NOT_LOOKED_AT]
    assert said == ["role-policies"]


def test_a_property_is_not_compared_when_the_template_leaves_it_to_the_service():
    queue = {"VisibilityTimeout": 30, "arn": "arn", "messages": 0, "oldest_seconds": 0.0}
    assert answer("queue-settings", facts(part(QUEUE, {}, queue))) == []


def test_a_rule_is_a_problem_when_it_is_disabled_and_the_template_says_nothing():
    (found,) = answer("rule-enabled", facts(part("AWS::Events::Rule", {}, {"State": "DISABLED"})))
    assert found.message == "State is DISABLED, the template says ENABLED"
    assert found.do == "`aws events enable-rule --name stack-one --event-bus-name BUS`"


def test_a_rule_is_well_when_it_is_disabled_as_the_template_says():
    rule = part("AWS::Events::Rule", {"State": "DISABLED"}, {"State": "DISABLED"})
    assert answer("rule-enabled", facts(rule)) == []


@pytest.mark.parametrize(
    ("found", "is_well"),
    [
        ({"State": "Active", "LastUpdateStatus": "Successful"}, True),
        ({"State": "Inactive"}, True),
        ({"State": "Active", "LastUpdateStatus": "InProgress"}, True),
        ({"State": "Failed", "StateReason": "the role is gone"}, False),
        ({"State": "Active", "LastUpdateStatus": "Failed"}, False),
        ({"State": "Pending"}, False),
    ],
)
def test_a_function_is_well_when_its_next_event_is_handled(found, is_well):
    assert (answer("function-active", facts(part(FUNCTION, {}, found))) == []) is is_well


@pytest.mark.parametrize(
    ("asked", "there", "is_well"),
    [(None, None, True), (5, 5, True), ("5", 5, True), (None, 0, False), (5, None, False), (None, 3, False)],
)
def test_reserved_concurrency_is_as_the_template_says(asked, there, is_well):
    wanted = {} if asked is None else {"ReservedConcurrentExecutions": asked}
    function = part(FUNCTION, wanted, {"ReservedConcurrentExecutions": there})
    assert (answer("function-concurrency", facts(function)) == []) is is_well


@pytest.mark.parametrize(
    ("asked", "state", "is_well"),
    [
        (True, "Enabled", True),
        (True, "Updating", True),
        (True, "Disabled", False),
        ("false", "Disabled", True),
        (False, "Enabled", False),
    ],
)
def test_a_mapping_is_enabled_as_the_template_says(asked, state, is_well):
    mapping = part(MAPPING, {"Enabled": asked, "EventSourceArn": "arn"}, {"State": state})
    assert (answer("mapping-enabled", facts(mapping)) == []) is is_well


def test_messages_are_a_problem_when_no_function_reads_the_queue():
    of = {"messages": 2, "oldest_seconds": 0.0}
    working = part(QUEUE, {}, of | {"arn": "working"}, "Working")
    end = part(QUEUE, {}, of | {"arn": "end"}, "End")
    mapping = part(MAPPING, {"EventSourceArn": "working"}, {"State": "Enabled"})
    (found,) = answer("queue-dead-letters", facts(working, end, mapping))
    assert (found.subject, found.message) == ("End", "2 messages that could not be handled")


@pytest.mark.parametrize(("age", "said"), [(3600.0, []), (3601.0, [Status.PROBLEM]), (DENIED, [Status.NOT_LOOKED_AT])])
def test_a_message_is_late_when_it_has_waited_for_more_than_an_hour(age, said):
    queue = part(QUEUE, {}, {"arn": "working", "messages": 1, "oldest_seconds": age})
    mapping = part(MAPPING, {"EventSourceArn": "working"}, {"State": "Enabled"})
    assert [one.status for one in answer("queue-age", facts(queue, mapping))] == said


def test_a_table_is_a_problem_when_it_is_being_deleted():
    (found,) = answer("table-active", facts(part("AWS::DynamoDB::Table", {}, {"status": "DELETING"})))
    assert found.message == "the table is DELETING"


def test_what_belongs_to_a_deleted_resource_is_left_out():
    function = part(FUNCTION, {}, None)
    permission = part("AWS::Lambda::Permission", {"FunctionName": "stack-one"}, None, "Permission")
    other = part("AWS::Lambda::Permission", {"FunctionName": "another"}, None, "Other")
    assert [one.logical_id for one in without_followers((function, permission, other))] == ["One", "Other"]


def test_an_unresolved_template_is_not_looked_at():
    rule = part("AWS::Events::Rule", Unread("doctor cannot resolve Fn::ImportValue of the template"), {})
    assert {one.status for one in answer("rule-pattern", facts(rule))} == {Status.NOT_LOOKED_AT}


def test_each_type_that_is_read_has_a_check_and_the_other_way_round():
    looked_at = {type_ for check in all_checks() for type_ in getattr(check, "types", ())}
    assert looked_at == set(READERS)
