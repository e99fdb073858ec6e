"""How many connected accounts fit into what AWS limits: the numbers of docs/deploy/stacksets.md."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

type Template = Mapping[str, Any]

PAGE = Path(__file__).parents[2] / "docs" / "deploy" / "stacksets.md"
PROMISED = 180
AT: Final = "ap-southeast-1:111122223333"  # one of the longest regions
LIMITS: Final[Mapping[str, int]] = {
    "environment": 4_096,
    "inline policies": 10_240,
    "bus policy": 10_240,
    "parameter": 4_096,
}
"""Bytes of a function's environment (Lambda quotas), characters of a role's inline policies (IAM quotas) and of a bus's
policy (EventBridge quotas, adjustable), bytes of a parameter's value (CloudFormation quotas)."""


def resolved(value: Any, values: Mapping[str, Any]) -> Any:
    """A value as CloudFormation writes it, with names as long as those that it generates."""
    match value:
        case {"Ref": str(name)}:
            return values.get(
                name, f"https://sqs.ap-southeast-1.amazonaws.com/111122223333/ecr-steward-{name}-1A2B3C4D5E6F"
            )
        case {"Fn::GetAtt": [str(name), _]}:
            return f"arn:aws:dynamodb:{AT}:table/ecr-steward-{name}-1A2B3C4D5E6F"
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)}", lambda found: str(values[found[1]]), text)
        case {"Fn::Join": [str(separator), items]}:
            return separator.join(resolved(items, values))
        case dict() | list():
            return (
                {key: resolved(each, values) for key, each in value.items()}
                if isinstance(value, dict)
                else [resolved(each, values) for each in value]
            )
    return value


def values_of(template: Template, accounts: list[str]) -> Mapping[str, Any]:
    return {
        **{name: each.get("Default", "") for name, each in template["Parameters"].items()},
        "SpokeAccounts": accounts,
        "RulebookBucket": "b" * 63,
        "ExternalId": "x" * 36,
        "EventBus": "ecr-steward",
        "AWS::AccountId": "111122223333",
        "AWS::Partition": "aws",
        "AWS::Region": "ap-southeast-1",
        "AWS::StackName": "ecr-steward",
    }


def compact(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":")))


def of_type(template: Template, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, each in template["Resources"].items():
        if each["Type"] == kind:
            yield name, each["Properties"]


def sizes(template: Template, count: int) -> dict[str, int]:
    """The largest of each that is limited, with so many accounts connected."""
    accounts = [f"{222233334444 + number}" for number in range(count)]
    values = values_of(template, accounts)
    environments = [
        resolved(each["Environment"]["Variables"], values) for _, each in of_type(template, "AWS::Lambda::Function")
    ]
    policies = [
        [resolved(policy["PolicyDocument"], values) for policy in each.get("Policies", [])]
        for _, each in of_type(template, "AWS::IAM::Role")
    ]
    principals = [f"arn:aws:iam::{account}:root" for account in accounts]  # as EventBridge shows them
    statements = [
        resolved(each["Statement"], {**values, "SpokeAccounts": principals})
        for _, each in of_type(template, "AWS::Events::EventBusPolicy")
    ]
    return {
        "environment": max(map(compact, environments)),
        "inline policies": max(sum(map(compact, each)) for each in policies),
        "bus policy": compact({"Version": "2012-10-17", "Statement": statements}),
        "parameter": len(",".join(accounts)),
    }


@pytest.mark.parametrize("limit", LIMITS)
def test_with_an_organization_nothing_grows_with_its_accounts(template: Template, limit: str) -> None:
    """A thousand accounts take what one takes, with the longest id of an organization."""
    parameters = template["Parameters"]
    longest = {**parameters["SpokeOrganization"], "Default": f"o-{'x' * 32}"}
    named = {**template, "Parameters": {**parameters, "SpokeOrganization": longest}}

    taken = sizes(named, 0)[limit]

    assert taken < LIMITS[limit] * 0.75
    assert "SpokeAccounts" not in json.dumps(named["Resources"]["SpokeOrganizationPolicy"])


def most(template: Template, limit: str) -> int:
    """The most accounts that fit. Each one more takes as much as the one before it."""
    few, more = sizes(template, 100)[limit], sizes(template, 101)[limit]
    return 100 + (LIMITS[limit] - few) // (more - few)


@pytest.mark.parametrize("limit", LIMITS)
def test_as_many_accounts_fit_as_is_promised(template: Template, limit: str) -> None:
    """aws minor 4."""
    fit = most(template, limit)

    assert fit >= PROMISED
    assert sizes(template, fit)[limit] <= LIMITS[limit] < sizes(template, fit + 1)[limit]


def test_the_page_says_how_many_in_tens_and_what_is_full_first(template: Template) -> None:
    by_limit = {limit: most(template, limit) for limit in LIMITS}
    page = PAGE.read_text(encoding="utf-8")

    assert f"at most {PROMISED} accounts" in page
    assert min(by_limit, key=lambda limit: by_limit[limit]) == "environment"
    assert dict(re.findall(r"^\| [^|]+\| ([a-z ]+) \| (\d+) \|$", page, re.MULTILINE)) == {
        limit: str(fit // 10 * 10) for limit, fit in by_limit.items()
    }
