"""What identity policies and a resource's policy say together, and what is true of any policies."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_ecr.access.decision import judge, sentence
from local_ecr.access.keys import principal_keys
from local_ecr.access.policies import Call, Decision, Policy, Principal, evaluate

ROLE = "arn:aws:iam::111122223333:role/build/ci"
SESSION = Principal("AWS", "arn:aws:sts::111122223333:assumed-role/ci/run-1", ROLE)
DEPLOY = "arn:aws:iam::{account}:role/deploy"


def policy(*statements: dict[str, Any], name: str = "P") -> Policy:
    return Policy(name, {"Version": "2012-10-17", "Statement": list(statements)})


ASSUME = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})


def trust(name: str, **elements: Any) -> Policy:
    statement = {"Effect": "Allow", "Principal": {"AWS": name}, "Action": "sts:AssumeRole", **elements}
    return policy(statement, name="trust policy")


@pytest.mark.parametrize(
    ("owner", "identity", "trusted", "allowed"),
    [
        ("111122223333", [ASSUME], trust("111122223333"), True),
        ("111122223333", [], trust("111122223333"), False),
        ("111122223333", [], trust(ROLE), True),
        ("111122223333", [ASSUME], trust("arn:aws:iam::111122223333:role/other"), False),
        ("111122223333", [ASSUME], None, False),
        ("222233334444", [ASSUME], trust("arn:aws:iam::111122223333:root"), True),
        ("222233334444", [ASSUME], trust(ROLE), True),
        ("222233334444", [], trust(ROLE), False),
        ("222233334444", [ASSUME], trust("222233334444"), False),
        ("222233334444", [ASSUME], trust(ROLE, Effect="Deny"), False),
    ],
)
def test_a_role_is_assumed_when_it_trusts_the_caller_and_the_caller_may(owner, identity, trusted, allowed):
    call = Call("sts:AssumeRole", DEPLOY.format(account=owner), SESSION)
    judgement = judge(call, identity, [trusted] if trusted else [], is_trust=True)
    assert judgement.is_allowed is allowed
    assert bool(judgement.why) is not allowed


def test_a_role_is_assumed_with_the_external_id_that_its_trust_policy_asks_for():
    condition = {"StringEquals": {"sts:ExternalId": "one"}}
    trusted = trust("111122223333", Condition=condition)
    arn = DEPLOY.format(account="222233334444")

    def is_allowed(context: dict[str, str]) -> bool:
        return judge(Call("sts:AssumeRole", arn, SESSION, context), [ASSUME], [trusted], is_trust=True).is_allowed

    assert is_allowed({"sts:ExternalId": "one"})
    assert not is_allowed({"sts:ExternalId": "two"})
    assert not is_allowed({})


def test_a_refusal_is_told_in_the_words_of_aws():
    call = Call("sts:AssumeRole", DEPLOY.format(account="222233334444"), SESSION)
    assert sentence(call, judge(call, [ASSUME])) == (
        "User: arn:aws:sts::111122223333:assumed-role/ci/run-1 is not authorized to perform: sts:AssumeRole "
        "on resource: arn:aws:iam::222233334444:role/deploy because no resource-based policy allows the "
        "sts:AssumeRole action"
    )


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        (SESSION, {"aws:PrincipalArn": ROLE, "aws:PrincipalType": "AssumedRole"}),
        (
            Principal("AWS", "arn:aws:iam::111122223333:user/people/jo"),
            {"aws:PrincipalType": "User", "aws:username": "jo"},
        ),
        (Principal("AWS", "arn:aws:iam::111122223333:root"), {"aws:PrincipalType": "Account"}),
    ],
)
def test_condition_keys_tell_who_calls(principal, expected):
    keys = principal_keys(principal, "o-1")
    assert keys.items() >= {"aws:PrincipalAccount": "111122223333", "aws:PrincipalOrgID": "o-1", **expected}.items()


ACTIONS = ["ecr:PutImage", "ecr:BatchGetImage", "ecr:BatchDeleteImage"]
RESOURCES = [f"arn:aws:ecr:us-east-1:111122223333:repository/{name}" for name in ("team/app", "team/job", "base")]
statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": st.lists(st.sampled_from([*ACTIONS, "ecr:Batch*", "*"]), min_size=1, max_size=2),
        "Resource": st.lists(
            st.sampled_from([*RESOURCES, "arn:aws:ecr:*:*:repository/team/*", "*"]), min_size=1, max_size=2
        ),
        "Principal": st.sampled_from(["*", {"AWS": ROLE}, {"AWS": "111122223333"}, {"AWS": "222233334444"}]),
    },
    optional={
        "Condition": st.sampled_from(
            [
                {"StringEquals": {"aws:PrincipalAccount": "111122223333"}},
                {"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}},
                {"Null": {"aws:PrincipalOrgID": "true"}},
            ]
        )
    },
)
calls = st.builds(
    lambda action, resource: Call(action, resource, SESSION, principal_keys(SESSION)),
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
)
rarely = settings(max_examples=60, deadline=None)


@rarely
@given(st.lists(statements, max_size=5).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))), calls)
def test_the_decision_is_the_same_in_any_order_of_statements(orders, call):
    first, second = (evaluate([policy(*order)], call).decision for order in orders)
    assert first is second
    assert evaluate([policy(one) for one in orders[0]], call).decision is first


@rarely
@given(st.lists(statements, max_size=4), st.lists(statements, max_size=4), statements, calls)
def test_an_allow_more_never_refuses_and_a_deny_more_never_allows(identity, resource, added, call):
    before = judge(call, [policy(*identity)], [policy(*resource)]).is_allowed
    for more_identity, more_resource in (([*identity, added], resource), (identity, [*resource, added])):
        after = judge(call, [policy(*more_identity)], [policy(*more_resource)]).is_allowed
        assert after >= before if added["Effect"] == "Allow" else after <= before


@rarely
@given(st.lists(statements, max_size=4), calls)
def test_the_statement_that_decides_is_one_that_says_so_when_it_stands_alone(some, call):
    ruling = evaluate([policy(*some)], call)
    if ruling.decision is Decision.NOT_ALLOWED:
        assert ruling.by == ""
    else:
        alone = some[int(str(ruling.statement)) - 1]
        assert evaluate([policy(alone)], call).decision is ruling.decision
