"""What is true of any policies."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from local_ecr.iam import Call, Decision, Identity, Policy, Principal, judge, principal_keys
from local_ecr.iam.policies import evaluate

ACCOUNT, OTHER = "111122223333", "222233334444"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/build/ci"
SESSION = Principal("AWS", f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/run-1", ROLE, "AROA1:run-1")
USER = Principal("AWS", f"arn:aws:iam::{ACCOUNT}:user/jo", None, "AIDA1")
ROOT = Principal("AWS", f"arn:aws:iam::{ACCOUNT}:root")
ACTIONS = ["ecr:PutImage", "ecr:BatchGetImage", "ecr:BatchDeleteImage"]
RESOURCES = [
    f"arn:aws:ecr:us-east-1:{account}:repository/{name}"
    for account in (ACCOUNT, OTHER)
    for name in ("team/app", "team/job", "jo")
]
NAMES = [ROLE, SESSION.name, USER.name, ACCOUNT, OTHER, f"arn:aws:iam::{ACCOUNT}:root"]
CONDITIONS = [
    {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
    {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}},
    {"Null": {"aws:PrincipalOrgID": "true"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/build/*"}},
    {"StringLikeIfExists": {"aws:username": "${aws:username, 'nobody'}"}},
    {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}},
    {"StringEquals": {"aws:userid": ["AIDA1", "AROA1:run-1"]}},
]


def some(options: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(options), min_size=1, max_size=2)


def either(*strategies: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(*strategies)


def element(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return values.map(lambda value: {name: value})


def merged(*parts: dict[str, Any]) -> dict[str, Any]:
    return {key: value for part in parts for key, value in part.items()}


actions = some([*ACTIONS, "ecr:Batch*", "ecr:Put?mage", "*"])
resources = some([*RESOURCES, "arn:aws:ecr:*:*:repository/team/*", "arn:aws:ecr:*:*:repository/${aws:username}", "*"])
effects = element("Effect", st.sampled_from(["Allow", "Deny"]))
bodies = st.builds(
    merged,
    effects,
    either(element("Action", actions), element("NotAction", actions)),
    either(element("Resource", resources), element("NotResource", resources)),
    either(st.just({}), element("Condition", st.sampled_from(CONDITIONS))),
)
named = either(st.just({"Principal": "*"}), some(NAMES).map(lambda names: {"Principal": {"AWS": names}}))


def resource_statement(body: dict[str, Any], principal: dict[str, Any], is_opposite: bool) -> dict[str, Any]:
    """A statement of a resource policy; NotPrincipal goes with Deny only."""
    if is_opposite and body["Effect"] == "Deny":
        principal = {"NotPrincipal": principal["Principal"]}
    return {**body, **principal}


of_identity = st.lists(bodies, max_size=4)
of_resource = st.lists(st.builds(resource_statement, bodies, named, st.booleans()), max_size=4)
callers = st.sampled_from([SESSION, USER, ROOT])
calls = st.builds(
    lambda action, resource, caller: Call(action, resource, caller, principal_keys(caller)),
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
    callers,
)
boundaries = st.one_of(st.none(), of_identity)
often = settings(max_examples=2 * settings().max_examples, deadline=None)


def policy(statements: list[dict[str, Any]], name: str = "P") -> Policy:
    return Policy(name, {"Version": "2012-10-17", "Statement": statements})


def is_allowed(
    call: Call,
    identity: list[Any],
    resource: list[Any],
    boundary: list[Any] | None = None,
    session: list[Any] | None = None,
) -> bool:
    limits = [None if some is None else policy(some, "B") for some in (boundary, session)]
    caller = Identity([policy(identity)], limits[0], session=limits[1])
    return judge(call, caller, [policy(resource, "R")]).is_allowed


@often
@given(of_identity, of_resource, boundaries, bodies, calls)
def test_a_deny_more_never_allows_and_an_allow_more_never_refuses(identity, resource, boundary, added, call):
    before = is_allowed(call, identity, resource, boundary)
    everybody = {**added, "Principal": "*"}
    for changed in (
        is_allowed(call, [*identity, added], resource, boundary),
        is_allowed(call, identity, [*resource, everybody], boundary),
        *([] if boundary is None else [is_allowed(call, identity, resource, [*boundary, added])]),
    ):
        assert changed >= before if added["Effect"] == "Allow" else changed <= before


@often
@given(of_identity, of_resource, of_identity, calls)
def test_a_boundary_more_never_allows(identity, resource, boundary, call):
    assert is_allowed(call, identity, resource, boundary) <= is_allowed(call, identity, resource)


@often
@given(of_identity, of_resource, boundaries, of_identity, calls)
def test_a_session_policy_more_never_allows(identity, resource, boundary, session, call):
    assert is_allowed(call, identity, resource, boundary, session) <= is_allowed(call, identity, resource, boundary)


@often
@given(of_identity, of_identity, calls)
def test_a_session_may_what_its_role_and_its_own_policy_both_allow(identity, session, call):
    if call.principal != ROOT:
        both = is_allowed(call, identity, []) and is_allowed(call, session, [])
        assert is_allowed(call, identity, [], None, session) is both


@often
@given(of_identity, of_resource, boundaries, calls)
def test_what_another_account_may_is_never_more_than_either_side_allows_alone(identity, resource, boundary, call):
    owner = call.resource.split(":")[4]
    if owner != ACCOUNT and is_allowed(call, identity, resource, boundary):
        everything = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
        to_everybody = [{**everything[0], "Principal": "*"}]
        assert is_allowed(call, identity, to_everybody, boundary)
        assert is_allowed(call, everything, resource)
        assert evaluate([policy(resource)], call).decision is Decision.ALLOWED


@often
@given(of_identity, of_resource, boundaries, calls, st.randoms(use_true_random=False))
def test_the_decision_is_the_same_in_any_order_of_statements(identity, resource, boundary, call, random):
    before = is_allowed(call, identity, resource, boundary)
    shuffled = [random.sample(some, len(some)) for some in (identity, resource)]
    assert is_allowed(call, *shuffled, boundary) is before


@often
@given(of_identity, of_resource, boundaries, calls)
def test_the_decision_is_the_same_whatever_the_statements_are_called(identity, resource, boundary, call):
    renamed = [[{**one, "Sid": f"S{number}"} for number, one in enumerate(some)] for some in (identity, resource)]
    assert is_allowed(call, *renamed, boundary) is is_allowed(call, identity, resource, boundary)


@often
@given(of_resource, calls)
def test_the_statement_that_decides_is_one_that_says_so_when_it_stands_alone(some, call):
    ruling = evaluate([policy(some)], call)
    if ruling.decision is Decision.NOT_ALLOWED:
        assert ruling.by == ""
    else:
        alone = some[int(str(ruling.statement)) - 1]
        assert evaluate([policy([alone])], call).decision is ruling.decision
