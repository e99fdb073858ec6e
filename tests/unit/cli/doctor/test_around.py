"""What checks say about the rulebook, the account and what lies beyond it."""

from datetime import timedelta

import pytest

from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.validate import validate
from ecr_steward_cli.doctor.around.facts import Around, LoginFact, RulebookFact, TrailFact
from ecr_steward_cli.doctor.checks.outside import LATE
from ecr_steward_cli.doctor.facts import Facts
from ecr_steward_cli.doctor.findings import Status, Unread
from ecr_steward_cli.doctor.stack import DeployedStack
from tests.unit.cli.doctor.given import DENIED, answer, names, part

ON_PUSH = {"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}
JUDGES = {"name": "judges", "match": {"repositories": ["**"]}, "scan": {"fail_on": {"severity": "HIGH"}}}
SCANS = {"name": "scans", "match": {"repositories": ["**"]}, "repository": {"scanning": "on_push"}}
GOVERNS = {"name": "governs", "match": {"repositories": ["**"]}, "repository": {"policy": {"pull": ["account"]}}}
REGISTRY = {"name": "all", "scanning": {"type": "basic", "rules": [{"frequency": "on_push", "repositories": ["*"]}]}}


def rulebook(*rules, registries=()):
    document = {"version": 1, "rules": list(rules)} | ({"registries": list(registries)} if registries else {})
    found, problems = validate(document)
    assert found is not None, problems
    return RulebookFact("the Lambda layer rules:1", compile_rulebook(found))


def of(*parts, **around):
    return Facts(DeployedStack(names(), "CREATE_COMPLETE"), parts, Around(**around))


def statuses(check, facts):
    return [found.status for found in answer(check, facts)]


@pytest.mark.parametrize(
    "check",
    [
        "rulebook-valid",
        "scanning-mode",
        "inspector-enabled",
        "quota-repositories",
        "quota-concurrency",
        "trail-logging",
    ],
)
def test_nothing_is_said_when_nothing_was_read(check):
    assert answer(check, of()) == []


@pytest.mark.parametrize(
    ("check", "around"),
    [
        ("rulebook-valid", {"rulebook": DENIED}),
        ("scanning-mode", {"scanning": DENIED}),
        ("inspector-enabled", {"inspector": DENIED}),
        ("quota-repositories", {"repositories": DENIED}),
        ("quota-concurrency", {"unreserved_concurrency": DENIED}),
        ("trail-logging", {"trails": DENIED}),
        ("trail-logging", {"rulebook": DENIED, "trails": ()}),
        ("trail-logging", {"rulebook": RulebookFact("s3://b/k", None, "it is no JSON"), "trails": ()}),
        ("scanning-mode", {"rulebook": DENIED, "scanning": {"scanType": "BASIC"}}),
        ("inspector-enabled", {"scanning": DENIED}),
        ("login-published", {"logins": DENIED}),
        ("spoke-role", {"spokes": {"222233334444": DENIED}}),
        ("login-published", {"logins": (LoginFact("c", "s", unread=DENIED),)}),
    ],
)
def test_what_could_not_be_read_is_not_looked_at(check, around):
    assert statuses(check, of(**around)) == [Status.NOT_LOOKED_AT]


@pytest.mark.parametrize(
    ("has_last_good", "said"), [(True, "the last good version is in force"), (False, "no rulebook is in force")]
)
def test_a_refused_rulebook_says_what_is_in_force(has_last_good, said):
    rules = rulebook(SCANS).rules if has_last_good else None
    (found,) = answer("rulebook-valid", of(rulebook=RulebookFact("s3://b/k", rules, "it is no JSON")))
    assert found.message.startswith(said)
    assert found.message.endswith("it is no JSON")


@pytest.mark.parametrize(
    ("rules", "scanning", "is_well"),
    [
        (rulebook(SCANS, registries=[REGISTRY]), {"scanType": "BASIC", "rules": [ON_PUSH]}, True),
        (rulebook(SCANS, registries=[REGISTRY]), {"scanType": "ENHANCED", "rules": [ON_PUSH]}, False),
        (rulebook(SCANS, registries=[REGISTRY]), {"scanType": "BASIC", "rules": []}, False),
        (rulebook(JUDGES), {"scanType": "BASIC", "rules": []}, False),
        (rulebook(JUDGES, SCANS), {"scanType": "BASIC", "rules": []}, True),
        (rulebook(JUDGES), {"scanType": "BASIC", "rules": [ON_PUSH]}, True),
        (rulebook(SCANS), {"scanType": "BASIC", "rules": []}, True),
    ],
)
def test_the_registry_scans_as_the_rules_ask(rules, scanning, is_well):
    assert (answer("scanning-mode", of(rulebook=rules, scanning=scanning)) == []) is is_well


@pytest.mark.parametrize(
    ("state", "is_well"), [("ENABLED", True), ("ENABLING", True), ("DISABLED", False), ("SUSPENDED", False)]
)
def test_inspector_is_well_when_it_scans(state, is_well):
    assert (answer("inspector-enabled", of(inspector=state)) == []) is is_well


@pytest.mark.parametrize(("count", "is_well"), [(89_999, True), (90_000, False), (100_000, False)])
def test_repositories_are_a_problem_from_nine_tenths_of_the_quota(count, is_well):
    assert (answer("quota-repositories", of(repositories=count, repository_quota=100_000.0)) == []) is is_well


@pytest.mark.parametrize(("there", "is_well"), [(6, True), (5, False)])
def test_lambda_runs_as_many_as_the_stack_may_ask_for(there, is_well):
    mapping = part(
        "AWS::Lambda::EventSourceMapping", {"FunctionName": "stack-one", "ScalingConfig": {"MaximumConcurrency": 5}}, {}
    )
    function = part("AWS::Lambda::Function", {}, {})
    other = type(function)("Other", "AWS::Lambda::Function", "other", {}, {})
    assert (answer("quota-concurrency", of(mapping, function, other, unreserved_concurrency=there)) == []) is is_well


@pytest.mark.parametrize(
    ("rules", "trails", "is_well"),
    [
        (rulebook(GOVERNS), (TrailFact("all", is_logging=True, has_management_writes=True),), True),
        (rulebook(GOVERNS), (TrailFact("all", is_logging=False, has_management_writes=True),), False),
        (rulebook(GOVERNS), (TrailFact("data", is_logging=True, has_management_writes=False),), False),
        (rulebook(GOVERNS), (), False),
        (rulebook(JUDGES, registries=[REGISTRY]), (), False),
        (rulebook(JUDGES), (), True),
    ],
)
def test_a_trail_records_changes_where_rules_govern_settings(rules, trails, is_well):
    assert (answer("trail-logging", of(rulebook=rules, trails=trails)) == []) is is_well


@pytest.mark.parametrize(
    ("login", "is_well"),
    [
        (LoginFact("c", "s", age_seconds=LATE.total_seconds() - 1), True),
        (LoginFact("c", "s", age_seconds=LATE.total_seconds()), False),
        (LoginFact("c", "s", why_wrong="there is no login in it"), False),
    ],
)
def test_a_login_is_a_problem_when_two_refreshes_have_not_renewed_it(login, is_well):
    assert timedelta(hours=10) == LATE
    assert (answer("login-published", of(logins=(login,))) == []) is is_well


def test_each_registry_that_does_not_take_a_login_is_named():
    login = LoginFact("c", "s", age_seconds=1.0, refused_by=("a refuses it", "b refuses it"))
    assert [found.message for found in answer("login-accepted", of(logins=(login,)))] == [
        "credential c: a refuses it",
        "credential c: b refuses it",
    ]


def test_a_registry_and_a_service_are_named_when_they_do_not_answer():
    facts = Facts(
        DeployedStack(names(), "CREATE_COMPLETE"),
        (),
        Around(registries={"ghcr.io": "", "r.io": "NameResolutionError"}),
        {"sqs": "", "iam": "no route"},
    )
    assert [found.subject for found in answer("registry-reachable", facts)] == ["r.io"]
    assert [found.subject for found in answer("endpoint-reachable", facts)] == ["iam"]


def test_a_role_that_lets_the_caller_in_is_ok_and_any_other_not_looked_at():
    facts = of(spokes={"222233334444": None, "333344445555": Unread("sts:AssumeRole is denied")})
    assert [found.subject for found in answer("spoke-role", facts)] == ["333344445555"]
