"""aws M4: whom policies and ECR's own replication may name is bounded by the template's parameter TrustedPrincipals."""

from datetime import date

import pytest

from ecr_steward.errors import InvalidRulebookError
from ecr_steward.rulebook.bounds import Bounds
from ecr_steward.rulebook.checks import notes
from ecr_steward.rulebook.load import dump_compiled, parse_compiled
from ecr_steward.rulebook.trust import trusted_in
from ecr_steward.rulebook.validate import validate

OWN, SPOKE, LISTED, STRANGER = "111122223333", "222233334444", "333344445555", "999988887777"
BOUNDS = Bounds(trusted=trusted_in(f"{LISTED},o-abcde12345", [SPOKE]), own_account=OWN)
PULL = "ecr:BatchGetImage"


def outside(data, bounds=BOUNDS):
    rulebook, problems = validate(data)
    assert rulebook is not None, problems
    return [(str(problem.code), str(problem)) for problem in bounds.outside(rulebook)]


def places(data):
    return [told.partition(": ")[0] for code, told in outside(data) if code == "ES608"]


def statement(principal, condition=None, effect="Allow"):
    written = {"Sid": "Own", "Effect": effect, "Principal": principal, "Action": PULL}
    return written | ({"Condition": condition} if condition else {})


@pytest.mark.parametrize(
    "word",
    [
        "account", "role/ci-*", "lambda", "codebuild", OWN, SPOKE, LISTED, f"{LISTED}:role/ci", f"{SPOKE}:role/ci-*",
        f"lambda:{LISTED}", f"codebuild:{LISTED}", "org:o-abcde12345", "ou:o-abcde12345/r-ab12/ou-ab12-11111111/*",
    ],
)  # fmt: skip
def test_a_word_is_accepted_when_it_names_what_the_deployment_trusts(with_rule, word):
    assert outside(with_rule(repository={"policy": {"pull": [word]}})) == []


@pytest.mark.parametrize(
    "word",
    [
        STRANGER, f"{STRANGER}:role/ci", f"{STRANGER}:user/*", f"lambda:{STRANGER}", f"codebuild:{STRANGER}",
        "org:o-xxxxx99999", "ou:o-xxxxx99999/r-ab12/ou-ab12-11111111/*",
    ],
)  # fmt: skip
def test_a_word_is_refused_with_the_parameter_when_it_names_another_principal(with_rule, word):
    """aws M4"""
    data = with_rule(repository={"policy": {"pull": ["account", word]}})

    assert outside(data) == [
        (
            "ES608",
            f"rules[0].repository.policy.pull[1]: `{word}` is a principal that this deployment does not trust; "
            f"expected one of {OWN}, {SPOKE}, {LISTED}, o-abcde12345, as the template's parameter TrustedPrincipals "
            "says",
        )
    ]
    assert outside(data, Bounds(own_account=OWN)) == []  # no list, no bound


@pytest.mark.parametrize(
    "written",
    [
        statement({"AWS": [f"arn:aws:iam::{LISTED}:root", SPOKE]}),
        statement("*", {"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}),
        statement({"Service": "codebuild.amazonaws.com"}, {"StringEquals": {"aws:SourceAccount": [OWN, LISTED]}}),
        statement({"AWS": STRANGER}, effect="Deny"),
    ],
)
def test_a_statement_is_accepted_when_it_is_shown_to_allow_only_what_is_trusted(with_rule, written):
    assert outside(with_rule(repository={"policy": {"statements": [written]}})) == []


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (statement({"AWS": [LISTED, f"arn:aws:iam::{STRANGER}:role/x"]}), f"arn:aws:iam::{STRANGER}:role/x"),
        (statement("*"), "everybody"),
        (statement({"AWS": "*"}, {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}), "everybody"),
        (statement("*", {"StringLike": {"aws:PrincipalOrgID": "o-*"}}), "everybody"),
        (statement("*", {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-abcde12345"}}), "everybody"),
        (statement("*", {"StringNotEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}), "everybody"),
        (statement({"Service": "codebuild.amazonaws.com"}), "codebuild.amazonaws.com"),
        (statement({"AWS": "everyone"}), "AWS: everyone"),
    ],
)
def test_a_statement_is_refused_when_it_is_not_shown_to_allow_only_what_is_trusted(with_rule, written, told):
    """aws M4"""
    ((code, said),) = outside(with_rule(repository={"policy": {"statements": [written]}}))

    assert code == "ES608"
    assert said.startswith(f"rules[0].repository.policy.statements[0].Principal: `{told}` is a principal that")
    assert "or a condition such as `aws:PrincipalOrgID` or `aws:SourceAccount` that allows only those" in said


def test_a_principal_is_found_wherever_a_rulebook_may_name_it(with_rule):
    """aws M4"""
    policy = {"push": [STRANGER]}
    registry_policy = {
        "replication_from": [STRANGER],
        "pull_through_cache": [f"{STRANGER}:role/x"],
        "statements": [{"Effect": "Allow", "Principal": {"AWS": STRANGER}, "Action": PULL}],
    }
    data = with_rule(extends=["shared"]) | {
        "profiles": [{"name": "shared", "repository": {"policy": policy}}],
        "defaults": {"repository": {"policy": policy}},
        "registries": [
            {
                "name": "all",
                "policy": registry_policy,
                "replication": {"rules": [{"to": [{"account": SPOKE}, {"account": STRANGER}]}]},
                "creation_templates": [{"prefix": "ROOT", "applied_for": ["replication"], "policy": policy}],
            }
        ],
    }

    assert places(data) == [
        "profiles[0].repository.policy.push[0]",
        "defaults.repository.policy.push[0]",
        "registries[0].creation_templates[0].policy.push[0]",
        "registries[0].policy.replication_from[0]",
        "registries[0].policy.pull_through_cache[0]",
        "registries[0].policy.statements[0].Principal",
        "registries[0].replication.rules[0].to[1].account",
    ]


def test_the_steward_s_own_account_is_asked_for_when_it_is_not_known(with_rule):
    data = with_rule(repository={"policy": {"pull": [f"{OWN}:role/ci", "org:o-xxxxx99999"]}})

    (_, account), (_, organization) = outside(data, Bounds(trusted=trusted_in(LISTED)))

    assert account.endswith(f"; where it is the steward's own, say so: --parameter AWS::AccountId={OWN}")
    assert organization.endswith("as the template's parameter TrustedPrincipals says")


def test_a_compiled_rulebook_is_refused_when_it_names_a_principal_that_is_not_trusted(with_rule):
    """aws M4"""
    rulebook, _ = validate(with_rule(repository={"policy": {"pull": [STRANGER]}}))
    text = dump_compiled(rulebook, "ecr-steward.yaml", b"").encode()

    with pytest.raises(InvalidRulebookError, match=r"ES614 here does not validate, .*: ES608 rules\[0\]"):
        parse_compiled(text, "here", BOUNDS)
    assert parse_compiled(text, "here").rules


@pytest.mark.parametrize(
    ("principal", "condition", "is_public"),
    [
        ("*", None, True),
        ({"AWS": "*"}, {"StringLike": {"aws:PrincipalOrgID": "*"}}, True),
        ("*", {"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}, False),
        ("*", {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, False),
        ({"AWS": STRANGER}, None, False),
    ],
)
def test_a_note_is_made_where_everybody_is_let_in(with_rule, principal, condition, is_public):
    """M10: no word of validate about a rulebook that opened repositories to the world."""
    data = with_rule(repository={"policy": {"statements": [statement(principal, condition)]}})
    rulebook, problems = validate(data)
    assert rulebook is not None, problems

    found = [(note.code, note.path) for note in notes(rulebook, date(2026, 12, 1))]

    place = ("rules", 0, "repository", "policy", "statements", 0)
    assert found == ([("ES416", place)] if is_public else [])
