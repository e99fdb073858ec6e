"""What becomes of a repository policy that others write to, too."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.domain.policies.planning import PolicyPlan, is_own, plan_policy
from ecr_steward.domain.policies.rules import Inside, PolicyRules, Treatment
from ecr_steward.domain.policies.statements import grants_of, is_same_policy, read_statements
from ecr_steward.domain.policies.text import POLICY_LIMIT, policy_text
from ecr_steward.domain.repositories import UnreadableDocument

ACCOUNT, FRIEND, STRANGER = "111122223333", "222233334444", "999999999999"
OUR_ORGANIZATION = "o-abcde12345"
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


def statement(sid: str | None, principal: Any, action: Any = "ecr:BatchGetImage", **members: Any) -> dict[str, Any]:
    named = {"Sid": sid} if sid else {}
    return {**named, "Effect": "Allow", "Principal": principal, "Action": action, **members}


def document(*statements: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", **members, "Statement": list(statements)}


OWN = statement("EcrStewardPull", {"AWS": [f"arn:aws:iam::{ACCOUNT}:root"]}, PULL)
RULES = PolicyRules(statements=(OWN,), inside=Inside(frozenset({ACCOUNT, FRIEND}), frozenset({OUR_ORGANIZATION})))
WARY = replace(RULES, outside=Treatment.REMOVE)
FOREIGN = statement("Team", {"AWS": f"arn:aws:iam::{ACCOUNT}:role/ci"}, ["ecr:PutImage"])
PUBLIC = statement("Everybody", "*")


def written(plan: PolicyPlan) -> Any:
    assert plan.change is not None
    return plan.change.document


# ---------------------------------------------------------------- the rulebook's own part


def test_the_rulebooks_statements_are_all_there_is_when_there_was_no_policy() -> None:
    plan = plan_policy(RULES, None)

    assert plan == replace(plan, refusal=None, remarks=())
    assert written(plan) == document(OWN)
    assert plan.change is not None
    assert (plan.change.why, plan.change.takes_away) == ("the repository policy is missing", False)


def test_statements_of_others_stay_when_the_own_part_is_put_right() -> None:
    old = statement("EcrStewardPull", {"AWS": f"arn:aws:iam::{STRANGER}:root"}, PULL)
    found = document(FOREIGN, old, PUBLIC, Id="ours", Unknown={"kept": True})

    plan = plan_policy(RULES, found)

    assert written(plan) == document(FOREIGN, PUBLIC, OWN, Id="ours", Unknown={"kept": True})
    assert plan.change is not None
    assert plan.change.takes_away
    assert plan.change.why == (
        "the repository policy lacks what the rulebook says about 111122223333; has in the rulebook's name what it "
        "does not say, about 999999999999"
    )


@pytest.mark.parametrize(
    "found",
    [
        document(OWN),
        document(FOREIGN, OWN, PUBLIC),
        document({**OWN, "Sid": "EcrSteward7", "Action": PULL[::-1], "Principal": {"AWS": ACCOUNT}}),
        document(*({**OWN, "Sid": f"EcrSteward{action[4:]}", "Action": action} for action in PULL)),
        {"Version": "2008-10-17", "Statement": OWN},
    ],
)
def test_nothing_is_written_when_the_policy_says_it_in_any_spelling(found: dict[str, Any]) -> None:
    assert plan_policy(RULES, found) == PolicyPlan()


def test_an_equal_statement_of_others_stays_when_the_rulebook_writes_its_own() -> None:
    theirs = {**OWN, "Sid": "Theirs"}

    assert written(plan_policy(RULES, document(theirs))) == document(theirs, OWN)


@pytest.mark.parametrize("sid", ["Pull", "PullFromOrganization", "PullByRole"])
def test_statements_of_an_earlier_version_go_when_they_are_as_it_wrote_them(sid: str) -> None:
    earlier = statement(sid, {"AWS": [f"arn:aws:iam::{STRANGER}:root"]}, PULL)

    assert written(plan_policy(RULES, document(earlier))) == document(OWN)
    assert written(plan_policy(RULES, document({**earlier, "Action": "ecr:BatchGetImage"})))["Statement"][0] == {
        **earlier,
        "Action": "ecr:BatchGetImage",
    }


# ---------------------------------------------------------------- what others have put there


def test_statements_of_others_go_when_the_rule_says_so() -> None:
    plan = plan_policy(replace(RULES, foreign=Treatment.REMOVE), document(FOREIGN, OWN))

    assert written(plan) == document(OWN)
    assert plan.change is not None
    assert plan.change.why == "the repository policy is to lose what others put there: `Team` is not the rulebook's"
    assert plan.change.takes_away


def test_no_access_is_taken_away_when_only_a_denial_goes() -> None:
    denial = {**FOREIGN, "Effect": "Deny"}

    plan = plan_policy(replace(RULES, foreign=Treatment.REMOVE), document(denial, OWN))

    assert plan.change is not None
    assert not plan.change.takes_away


@pytest.mark.parametrize("found", [document(FOREIGN), document(PUBLIC, OWN), UnreadableDocument("no JSON")])
def test_the_policy_goes_when_the_rule_wants_none(found: Any) -> None:
    none = PolicyRules(foreign=Treatment.REMOVE)

    assert written(plan_policy(none, found)) is None
    assert plan_policy(none, None) == PolicyPlan()


def test_the_policy_goes_when_all_it_held_was_outside() -> None:
    rules = PolicyRules(outside=Treatment.REMOVE)

    assert written(plan_policy(rules, document(PUBLIC))) is None
    assert plan_policy(rules, None) == PolicyPlan()
    assert plan_policy(rules, {"Version": "2012-10-17", "Statement": []}) == PolicyPlan()


OUTSIDE = {
    "the public": (statement("X", "*"), "everybody"),
    "the public by another spelling": (statement("X", {"AWS": "*"}), "everybody"),
    "everybody but": ({"Sid": "X", "Effect": "Allow", "NotPrincipal": {"AWS": ACCOUNT}, "Action": "*"}, "everybody"),
    "an account": (statement("X", {"AWS": STRANGER}), STRANGER),
    "a role": (statement("X", {"AWS": f"arn:aws:iam::{STRANGER}:role/r"}), f"arn:aws:iam::{STRANGER}:role/r"),
    "an organization": (
        statement("X", "*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-zzzzz12345"}}),
        "everybody",
    ),
    "a condition that a missing key fulfils": (
        statement("X", "*", Condition={"StringEqualsIfExists": {"aws:PrincipalOrgID": OUR_ORGANIZATION}}),
        "everybody",
    ),
    "all but an organization": (
        statement("X", "*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": OUR_ORGANIZATION}}),
        "everybody",
    ),
    "one of two organizations": (
        statement("X", "*", Condition={"StringEquals": {"aws:PrincipalOrgID": [OUR_ORGANIZATION, "o-zzzzz12345"]}}),
        "everybody",
    ),
    "a service for another account": (
        statement(
            "X",
            {"Service": "lambda.amazonaws.com"},
            Condition={"StringLike": {"aws:sourceArn": f"arn:aws:lambda:us-east-1:{STRANGER}:function:*"}},
        ),
        "lambda.amazonaws.com",
    ),
    "any account's role of a name": (
        statement("X", "*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ci"}}),
        "everybody",
    ),
}


@pytest.mark.parametrize(("theirs", "whom"), OUTSIDE.values(), ids=OUTSIDE)
def test_who_is_outside_is_turned_away_when_the_rule_says_so(theirs: dict[str, Any], whom: str) -> None:
    plan = plan_policy(WARY, document(theirs, OWN))

    assert written(plan) == document(OWN)
    assert plan.change is not None
    assert plan.change.why.endswith(f"put there: `X` lets in {whom}, which is outside")
    assert plan_policy(RULES, document(theirs, OWN)) == PolicyPlan()


INSIDE = {
    "a role": statement("X", {"AWS": f"arn:aws:iam::{ACCOUNT}:role/r"}),
    "an account that is named": statement("X", {"AWS": FRIEND}),
    "our organization": statement("X", "*", Condition={"StringEquals": {"aws:PrincipalOrgID": OUR_ORGANIZATION}}),
    "a unit of it": statement(
        "X", "*", Condition={"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{OUR_ORGANIZATION}/r-a/ou-a-b/*"}}
    ),
    "an account by condition": statement("X", "*", Condition={"StringEquals": {"aws:PrincipalAccount": [ACCOUNT]}}),
    "a stranger of our organization": statement(
        "X", {"AWS": STRANGER}, Condition={"StringEquals": {"aws:principalorgid": OUR_ORGANIZATION}}
    ),
    "a service for us": statement(
        "X", {"Service": "codebuild.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    ),
    "a denial": {**PUBLIC, "Effect": "Deny"},
}


@pytest.mark.parametrize("theirs", INSIDE.values(), ids=INSIDE)
def test_who_is_inside_stays_when_outsiders_are_turned_away(theirs: dict[str, Any]) -> None:
    assert plan_policy(WARY, document(theirs, OWN)) == PolicyPlan()


@pytest.mark.parametrize(
    "theirs",
    [
        statement("X", "*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}),
        statement("X", {"Service": "codebuild.amazonaws.com"}),
        statement("X", {"Planet": "Mars"}),
    ],
)
def test_who_may_be_outside_stays_and_is_told_of_when_the_document_does_not_say(theirs: dict[str, Any]) -> None:
    plan = plan_policy(WARY, document(theirs, OWN))

    assert plan.change is None
    assert [remark.split(" of the")[0] for remark in plan.remarks] == ["`X`"]


def test_only_the_outsiders_go_when_a_statement_is_about_others_too() -> None:
    mixed = statement(None, {"AWS": [ACCOUNT, STRANGER, "AROAEXAMPLEEXAMPLE123"], "Service": "x.amazonaws.com"})

    plan = plan_policy(WARY, document(mixed, OWN))

    assert written(plan)["Statement"][0]["Principal"] == {"AWS": ACCOUNT, "Service": "x.amazonaws.com"}


# ---------------------------------------------------------------- what was written by hand


def test_a_deleted_role_stays_until_something_is_written() -> None:
    gone = statement("Gone", {"AWS": ["AROAEXAMPLEEXAMPLE123"]})

    assert plan_policy(RULES, document(gone, OWN)) == PolicyPlan()
    plan = plan_policy(RULES, document(gone))
    assert written(plan) == document(OWN)
    assert plan.change is not None
    assert plan.change.why.endswith("AROAEXAMPLEEXAMPLE123 was deleted, and ECR takes no such principal")


def test_a_deleted_role_goes_when_outsiders_are_turned_away() -> None:
    gone = statement("Gone", {"AWS": ["AROAEXAMPLEEXAMPLE123", ACCOUNT]})

    assert written(plan_policy(WARY, document(gone, OWN)))["Statement"][0]["Principal"] == {"AWS": ACCOUNT}


UNREADABLE = [
    UnreadableDocument("it is no JSON"),
    {"Statement": "Allow everybody"},
    {"Statement": [OWN, 7]},
    {"Version": "2012-10-17", "Statement": None},
]


@pytest.mark.parametrize("found", UNREADABLE)
def test_what_cannot_be_read_is_replaced_where_others_have_no_say_and_the_reason_says_so(found: Any) -> None:
    plan = plan_policy(replace(RULES, foreign=Treatment.REMOVE), found)

    assert written(plan) == document(OWN)
    assert plan.change is not None
    assert "cannot be read" in plan.change.why
    assert plan.change.takes_away


@pytest.mark.parametrize("found", UNREADABLE)
@pytest.mark.parametrize("rules", [RULES, WARY, PolicyRules(outside=Treatment.REMOVE)])
def test_what_cannot_be_read_stays_where_others_have_a_say_since_it_may_deny_something(
    found: Any, rules: PolicyRules
) -> None:
    plan = plan_policy(rules, found)

    assert plan.change is None
    assert plan.refusal is not None
    assert "mend it by hand" in plan.refusal


def test_the_meaning_of_a_plain_dollar_stays_when_an_old_document_is_written() -> None:
    literal = statement("Old", {"AWS": ACCOUNT}, Condition={"StringEquals": {"aws:userid": "${aws:username}"}})
    old = {"Version": "2008-10-17", "Statement": [literal]}

    assert written(plan_policy(RULES, old))["Version"] == "2008-10-17"
    variable = replace(RULES, statements=({**OWN, "Condition": {"StringLike": {"aws:userid": "${aws:x}"}}},))
    assert plan_policy(variable, old).change is None
    assert "of version 2008-10-17" in (plan_policy(variable, old).refusal or "")


# ---------------------------------------------------------------- too long


def filled_to(length: int) -> dict[str, Any]:
    """A document that with the rulebook's part has exactly this many characters, all of them needed."""
    filler = statement("Long", {"AWS": ACCOUNT}, Condition={"StringEquals": {"aws:userid": ""}})
    short = {**OWN, "Sid": "EcrSteward1", "Principal": {"AWS": ACCOUNT}}
    filler["Condition"]["StringEquals"]["aws:userid"] = "x" * (length - len(policy_text(document(filler, short))))
    return document(filler)


@pytest.mark.parametrize("length", [POLICY_LIMIT, POLICY_LIMIT + 1])
def test_a_policy_is_written_up_to_the_last_character_that_ecr_takes(length: int) -> None:
    plan = plan_policy(RULES, filled_to(length))

    if length == POLICY_LIMIT:
        assert len(policy_text(written(plan))) == POLICY_LIMIT
    else:
        assert plan.change is None
        assert plan.refusal == (
            "the repository policy would have 10241 characters, and ECR takes 10240; the rulebook's part has 229: "
            "grant to an organization or by a role's pattern instead of to many, or remove statements of others "
            "(`foreign: remove`)"
        )


def test_a_policy_is_compacted_when_it_is_too_long_and_means_the_same() -> None:
    many = [f"arn:aws:iam::{number:012}:root" for number in range(400)]
    rules = replace(RULES, statements=(statement("EcrStewardPull", {"AWS": many[:300]}, PULL), OWN))
    theirs = [statement(f"Team{number}", {"AWS": root}) for number, root in enumerate(many[300:])]

    text = written(plan_policy(rules, document(*theirs)))

    assert len(policy_text(text)) <= POLICY_LIMIT < len(policy_text(document(*rules.statements, *theirs)))
    assert is_same_policy(text, document(*theirs, *rules.statements))
    assert plan_policy(rules, text) == PolicyPlan()


# ---------------------------------------------------------------- any policy

odd = [{"AWS": "AROAEXAMPLEEXAMPLE123"}, {"Service": "x.amazonaws.com"}, {"AWS": []}, 7]
known = [
    {"AWS": ACCOUNT},
    {"AWS": [STRANGER, f"arn:aws:iam::{ACCOUNT}:role/r"]},
    {"AWS": f"arn:aws:iam::{FRIEND}:root"},
]
principals = st.sampled_from(["*", *known, *odd])
statements = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"])},
    optional={
        "Sid": st.sampled_from(["Team", "Pull", "EcrStewardPull", "EcrStewardOther", 7]),
        "Principal": principals,
        "NotPrincipal": principals,
        "Action": st.sampled_from(["ecr:PutImage", PULL, PULL[:1], []]),
        "Condition": st.sampled_from([{"StringEquals": {"aws:PrincipalOrgID": OUR_ORGANIZATION}}, {}, "odd"]),
    },
)
documents = st.fixed_dictionaries(
    {"Statement": st.lists(statements, max_size=5)},
    optional={"Version": st.sampled_from(["2012-10-17", "2008-10-17", 1]), "Id": st.just("x")},
)
rules = st.builds(
    PolicyRules,
    statements=st.sampled_from([(), (OWN,), (OWN, statement("EcrStewardPush", {"AWS": FRIEND}, "ecr:PutImage"))]),
    foreign=st.sampled_from(Treatment),
    outside=st.sampled_from(Treatment),
    inside=st.just(RULES.inside),
)


def statements_of(found: Any) -> Any:
    return read_statements(found)


@given(rules, documents)
def test_the_second_plan_is_empty_when_the_first_was_applied(wanted: PolicyRules, found: dict[str, Any]) -> None:
    plan = plan_policy(wanted, found)
    if plan.change is None:
        return

    assert plan_policy(wanted, plan.change.document).change is None


@given(rules.map(lambda wanted: replace(wanted, foreign=Treatment.KEEP, outside=Treatment.KEEP)), documents)
def test_nothing_of_others_is_lost_but_what_ecr_would_refuse(wanted: PolicyRules, found: dict[str, Any]) -> None:
    plan = plan_policy(wanted, found)
    if plan.change is None:
        return
    before = [each for each in statements_of(found) if not is_own(each) and each.sid != "Pull"]
    after = grants_of(each for each in statements_of(plan.change.document or {}) if not is_own(each))

    lost = grants_of(before) - after
    assert all("AROA" in str(grant) for grant in lost)


leaves = st.sampled_from([None, True, 7, "", "*", ACCOUNT, "Allow", "${x}"])
json_values = (
    leaves | st.lists(leaves, max_size=2) | st.dictionaries(st.sampled_from(["AWS", "x"]), leaves | st.just(["*"]))
)
members = ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "Condition", "Odd"]
odd_statements = st.lists(st.dictionaries(st.sampled_from(members), json_values, max_size=4), max_size=2)
odd_documents = st.fixed_dictionaries(
    {"Statement": odd_statements | json_values}, optional={"Version": json_values, "Odd": json_values}
)


@given(rules, odd_documents)
def test_there_is_a_plan_for_any_document_that_is_json(wanted: PolicyRules, found: dict[str, Any]) -> None:
    plan = plan_policy(wanted, found)

    assert plan.change is None or plan.refusal is None
    if plan.change is not None:
        assert plan_policy(wanted, plan.change.document).change is None
