"""The words of ``repository.policy``: the statement that each becomes, and what is refused."""

from typing import Any

import pytest

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.policies.rules import Inside, PolicyRules, Treatment
from ecr_steward.rulebook.policy import Policy
from ecr_steward.rulebook.policy_document import PULL_ACTIONS, PUSH_ACTIONS, policy_rules

HOME = RegistryRef("111122223333", "eu-west-1")
UNIT = "o-abcde12345/r-ab12/ou-ab12-11111111/*"


def rules_of(registry: RegistryRef = HOME, **policy: Any) -> PolicyRules:
    return policy_rules(Policy.model_validate(policy), registry)


def statement(sid: str, principal: Any, condition: Any = None, actions: tuple[str, ...] = PULL_ACTIONS) -> Any:
    named = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": list(actions)}
    return named | ({"Condition": condition} if condition else {})


def root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


OF_LAMBDA = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
WORDS = {
    f"ou:{UNIT}": [
        statement("EcrStewardPullFromUnit", "*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": [UNIT]}})
    ],
    "user/bob": [statement("EcrStewardPull", {"AWS": ["arn:aws:iam::111122223333:user/bob"]})],
    "222233334444:role/ci": [statement("EcrStewardPull", {"AWS": ["arn:aws:iam::222233334444:role/ci"]})],
    "222233334444:role/ci-*": [
        statement(
            "EcrStewardPullByName222233334444",
            {"AWS": [root("222233334444")]},
            {"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::222233334444:role/ci-*"]}},
        )
    ],
    "user/*": [
        statement(
            "EcrStewardPullByName",
            {"AWS": [root("111122223333")]},
            {"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::111122223333:user/*"]}},
        )
    ],
    "lambda": [
        statement(
            "EcrStewardPullByLambda",
            {"Service": "lambda.amazonaws.com"},
            {"StringLike": {"aws:sourceArn": ["arn:aws:lambda:eu-west-1:111122223333:function:*"]}},
            OF_LAMBDA,
        )
    ],
    "lambda:222233334444": [
        statement("EcrStewardPull", {"AWS": [root("222233334444")]}),
        statement(
            "EcrStewardPullByLambda",
            {"Service": "lambda.amazonaws.com"},
            {"StringLike": {"aws:sourceArn": ["arn:aws:lambda:eu-west-1:222233334444:function:*"]}},
            OF_LAMBDA,
        ),
    ],
    "codebuild": [
        statement(
            "EcrStewardPullByCodeBuild",
            {"Service": "codebuild.amazonaws.com"},
            {
                "StringEquals": {"aws:SourceAccount": ["111122223333"]},
                "ArnLike": {"aws:SourceArn": ["arn:aws:codebuild:*:111122223333:project/*"]},
            },
        )
    ],
}


@pytest.mark.parametrize(("word", "statements"), WORDS.items(), ids=WORDS)
def test_a_word_becomes_the_statement_that_aws_documents(word: str, statements: list[Any]) -> None:
    assert list(rules_of(pull=[word]).statements) == statements


def test_the_partition_is_that_of_the_region_when_a_service_pulls() -> None:
    (of_lambda,) = rules_of(RegistryRef("111122223333", "cn-north-1"), pull=["lambda"]).statements

    (arn,) = of_lambda["Condition"]["StringLike"]["aws:sourceArn"]
    assert arn == "arn:aws-cn:lambda:cn-north-1:111122223333:function:*"


def test_who_is_named_is_inside() -> None:
    rules = rules_of(
        pull=["org:o-abcde12345", "lambda:222233334444", f"ou:{UNIT.replace('abcde', 'fghij')}"],
        push=["333344445555:role/ci-*", "444455556666"],
        statements=[{"Effect": "Allow", "Principal": {"AWS": "555566667777"}, "Action": "ecr:BatchGetImage"}],
        outside="remove",
        inside=["666677778888", "org:o-klmno12345"],
    )

    assert rules.outside is Treatment.REMOVE
    assert rules.inside == Inside(
        frozenset({f"{digit}" for digit in ("111122223333", "222233334444", "333344445555", "444455556666")})
        | {"555566667777", "666677778888"},
        frozenset({"o-abcde12345", "o-fghij12345", "o-klmno12345"}),
    )


def test_statements_get_the_stewards_prefix() -> None:
    written = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}

    rules = rules_of(statements=[written, {**written, "Sid": "Scanner"}, {**written, "Sid": "EcrStewardMine"}])

    assert [each["Sid"] for each in rules.statements] == ["EcrStewardStatement1", "EcrStewardScanner", "EcrStewardMine"]


def test_who_may_push_may_pull() -> None:
    (push,) = rules_of(push=["account"]).statements

    assert push == statement("EcrStewardPush", {"AWS": [root("111122223333")]}, actions=PUSH_ACTIONS)
    assert set(PULL_ACTIONS) < set(PUSH_ACTIONS)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ({"push": ["lambda"]}, "policy.push[0]: `lambda` only pulls; expected it under `pull`"),
        ({"push": ["codebuild:222233334444"]}, "policy.push[0]: `codebuild:222233334444` only pulls"),
        ({"pull": ["lamda"]}, "policy.pull[0]: `lamda` is nobody; did you mean `lambda`?"),
        ({"pull": ["codebuild:2222"]}, "policy.pull[0]: `codebuild:2222` is nobody"),
        ({"pull": ["ou:ou-ab12-11111111"]}, "policy.pull[0]: `ou:ou-ab12-11111111` is nobody"),
        ({"pull": ["group/x"]}, "policy.pull[0]: `group/x` is nobody"),
        ({"pull": ["account"], "inside": ["222233334444"]}, "policy: `inside` says who is no outsider"),
        (
            {"outside": "remove", "inside": ["role/x"]},
            "policy.inside[0]: `role/x` is nobody; expected an account id of twelve digits or org:o-...",
        ),
        ({"foreign": "keep"}, "policy: this policy says nothing"),
        ({"outside": "delete"}, "policy.outside: "),
    ],
)
def test_the_reason_is_told_when_a_policy_is_wrong(with_rule: Any, problems_of: Any, policy: Any, told: str) -> None:
    (problem,) = problems_of(with_rule(repository={"policy": policy}))

    assert problem.startswith(f"rules[0].repository.{told}")


@pytest.mark.parametrize("policy", [{"foreign": "remove"}, {"outside": "remove"}])
def test_a_policy_can_be_about_others_alone(with_rule: Any, problems_of: Any, policy: Any) -> None:
    assert problems_of(with_rule(repository={"policy": policy})) == []


def test_a_policy_is_valid_when_it_fits_once_it_is_compacted(with_rule: Any, problems_of: Any) -> None:
    many = [f"{number:012}" for number in range(700)]

    assert problems_of(with_rule(repository={"policy": {"pull": many[:300], "push": many[:300]}})) == []
    (problem,) = problems_of(with_rule(repository={"policy": {"pull": many}}))
    assert "at most 10240, as ECR takes them" in problem


def test_a_sid_stands_once_when_it_gets_its_prefix(with_rule: Any, problems_of: Any) -> None:
    twice = {"Sid": "Pull", "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}

    (problem,) = problems_of(with_rule(repository={"policy": {"pull": ["account"], "statements": [twice]}}))

    assert problem.endswith("`Pull` is the Sid of another statement of this policy")
