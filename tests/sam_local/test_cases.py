"""The table of cases: complete, and none that could pass without its function."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward_cli.doctor.intrinsics import StackNames
from ecr_steward_sandbox.clock import SandboxClock
from ecr_steward_sandbox.delivery.patterns import Pattern
from ecr_steward_sandbox.deploy.translate import translate
from local_ecr import AccessDecision
from sam_local.cases import CASES, Case
from sam_local.effects import nothing_changes, only_the_role_acts, scans_are_read_and_nothing_changes
from sam_local.given import Scanned
from sam_local.state import HOME, RepositoryState, Seen, State
from sam_local.subject import Kind, subject_of
from sam_local.wiring import wired_pairs

ROOT = Path(__file__).parents[2]
STACK = "arn:aws:cloudformation:us-east-1:111122223333:stack/ecr-steward/name"
DIGEST = "sha256:" + "a" * 64
SESSION = "arn:aws:sts::111122223333:assumed-role/evaluate/EvaluateImageScanFunction"


def seen(case: Case, *, is_emptied: bool = False) -> Seen:
    """An invocation that did nothing, or one after which no image is left."""
    source = RepositoryRef(RegistryRef(subject_of(case.load()).account, HOME), case.given.repository)
    untouched = State(
        {
            source: RepositoryState(
                images={DIGEST: frozenset({"1.4.2"})},
                policy=None,
                lifecycle=None,
                mutability="MUTABLE",
                scan_on_push=False,
                resource_tags={},
            )
        }
    )
    return Seen(source, (DIGEST,), untouched, State({}) if is_emptied else untouched, SESSION)


def decision(principal: str, action: str, *, is_allowed: bool = True) -> AccessDecision:
    return AccessDecision(SandboxClock().now, "api", principal, action, "*", is_allowed, "", "")


@pytest.fixture(scope="module")
def template() -> Mapping[str, Any]:
    """As a stack of the samples' account has it, whose patterns name the account."""
    template = translate(ROOT, region="us-east-1", parameters={}).template
    parameters = {name: str(each.get("Default", "")) for name, each in template["Parameters"].items()}
    stack = StackNames(STACK, template, parameters, {})
    heard = {
        name: each | {"Properties": each["Properties"] | {"EventPattern": stack.resolve(pattern)}}
        for name, each in stack.resources.items()
        if (pattern := each.get("Properties", {}).get("EventPattern")) is not None
    }
    return {**template, "Resources": {**stack.resources, **heard}}


def test_each_function_has_a_case_for_each_event_when_the_template_wires_them(template: Mapping[str, Any]) -> None:
    pairs = set(wired_pairs(template))

    assert {(case.function, case.event) for case in CASES} == pairs
    functions = {id_ for id_, each in template["Resources"].items() if each["Type"] == "AWS::Lambda::Function"}
    assert {function for function, _ in pairs} == functions


def test_no_function_has_the_events_of_another_when_queue_or_schedule_are_not_its_own(
    template: Mapping[str, Any],
) -> None:
    folders = {
        function: {event.partition("/")[0] for of, event in wired_pairs(template) if of == function}
        for function in ("EvaluateImageScanFunction", "ReplicateImageFunction")
    }
    schedules = [pair for pair in wired_pairs(template) if pair[1].startswith("schedule/")]

    assert folders == {
        "EvaluateImageScanFunction": {"sqs_scan_batch"},
        "ReplicateImageFunction": {"sqs_copy_batch"},
    }
    assert sorted(schedules) == [
        ("ReconcileRegistryFunction", "schedule/sweep"),
        ("RefreshCredentialsFunction", "schedule/refresh"),
    ]


def test_a_sample_holds_a_message_of_each_rule_that_feeds_a_queue(template: Mapping[str, Any]) -> None:
    batches = [case.load()["Records"] for case in CASES if case.event.startswith("sqs_")]
    messages = [(record["eventSourceARN"], read(record["body"])) for batch in batches for record in batch]

    fed = {
        (id_, target["Arn"]["Fn::GetAtt"][0]): Pattern.parse(rule["Properties"]["EventPattern"])
        for id_, rule in template["Resources"].items()
        if rule["Type"] == "AWS::Events::Rule"
        for target in rule["Properties"]["Targets"]
        if target["Arn"].get("Fn::GetAtt", [""])[0].endswith("Queue")
    }

    assert {queue for _, queue in fed} == {"EvaluateImageScanQueue", "ReplicateImageQueue"}
    for (rule, queue), pattern in fed.items():
        assert any(arn.endswith(f"-{queue}") and pattern.matches(message) for arn, message in messages), rule


def read(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return {}  # the poison


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_case_passes_when_its_function_does_nothing(case: Case) -> None:
    complaints = list(case.effect(seen(case)))

    assert bool(complaints) is (case.effect is not nothing_changes)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_case_fails_when_an_image_is_deleted(case: Case) -> None:
    assert list(case.effect(seen(case, is_emptied=True)))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_image_of_a_case_is_given_a_scan_when_any_is(case: Case) -> None:
    images = 1 if subject_of(case.load()).kind is Kind.IMAGE else 2

    assert len(case.given.scans) in (0, images)


def test_nothing_changes_passes_only_if_the_scans_were_read() -> None:
    (case, *_) = [case for case in CASES if case.effect is scans_are_read_and_nothing_changes]
    read = replace(seen(case), decisions=(decision(SESSION, "ecr:DescribeImageScanFindings"),))

    assert list(case.effect(read)) == []
    assert list(case.effect(seen(case))) == ["nobody has read a scan"]


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        pytest.param(decision(SESSION, "ecr:PutImage"), "", id="as-its-role"),
        pytest.param(
            decision("arn:aws:iam::111122223333:root", "ecr:PutImage"), "the account's own key", id="as-the-account"
        ),
        pytest.param(
            decision(SESSION, "ecr:PutImage", is_allowed=False), "the role of the function does not do", id="refused"
        ),
    ],
)
def test_a_case_fails_when_its_function_is_not_what_lambda_makes_of_it(made: AccessDecision, complaint: str) -> None:
    complaints = list(only_the_role_acts(replace(seen(CASES[0]), decisions=(made,))))

    assert [complaint in each for each in complaints] == [True] * bool(complaint)


def test_a_report_names_its_image_when_there_is_one() -> None:
    assert Scanned.NEVER.reports("payments/api", DIGEST) == []
    (report,) = Scanned.HIGH_BY_INSPECTOR.reports("payments/api", DIGEST)
    assert (report["repository"], report["digest"], report["type"]) == ("payments/api", DIGEST, "ENHANCED")
