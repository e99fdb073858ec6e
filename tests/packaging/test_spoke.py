"""The two templates fit each other: whom a connected account lets in, and what is said in both."""

import re
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ecr_steward.adapters.session_policies import session_policy
from ecr_steward.bootstrap import Settings
from ecr_steward.domain.policies.rules import Inside
from ecr_steward.rulebook.bounds import Bounds
from ecr_steward.rulebook.words import RoleName
from local_ecr.iam import Call, Decision, Principal, decide

type Template = Mapping[str, Any]

HUB, TWO = "111122223333", "222233334444"
OURS = "o-abcde12345"
PER_ACCOUNT = {"PermissionsBoundaryArn", "RepositoryKeyArns", "SeeWorkloads"}
"""Parameters of both templates that may differ from account to account."""
VALUES = {
    "AWS::Partition": "aws",
    "AWS::AccountId": HUB,
    "AWS::StackName": "ecr-steward",
    "HubAccount": HUB,
    "HubStackName": "ecr-steward",
    "ExternalId": "the-external-id",
    "SpokeRoleName": "ecr-steward-spoke",
    "PullOnlyRoleName": "ecr-steward-pull-only",
    "CopyConcurrency": "5",
    "SpokeOrganization": "",
}


def resolved(value: Any, values: Mapping[str, Any] = VALUES) -> Any:
    """A value with its references replaced; what no value is given for becomes its logical id."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return values.get(name, name)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)}", lambda found: str(values.get(found[1], found[1])), text)
        case {"Fn::Join": [str(separator), items]}:
            return separator.join(resolved(items, values))
        case dict():
            return {key: resolved(each, values) for key, each in value.items()}
        case list():
            return [resolved(each, values) for each in value]
    return value


def role_arn(template: Template, role: str) -> str:
    """The ARN of a role of the hub's stack, with a name such as CloudFormation generates."""
    path = resolved(template["Resources"][role]["Properties"].get("Path", "/"))
    return f"arn:aws:iam::{HUB}:role{path}ecr-steward-{role}-1A2B3C4D5E6F"


def function_roles(template: Template) -> dict[str, str]:
    """The ARN of each function's role."""
    functions = [each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    roles = [function["Properties"]["Role"]["Fn::GetAtt"][0] for function in functions]
    return {role: role_arn(template, role) for role in roles}


def lets_in(spoke: Template, role: str, caller: str, external_id: str | None = "the-external-id") -> bool:
    """Whether the trust policy of a role in the connected account lets another role assume it."""
    properties = spoke["Resources"][role]["Properties"]
    arn = f"arn:aws:iam::{TWO}:role/{resolved(properties['RoleName'])}"
    account, name = caller.split(":")[4], caller.rpartition("/")[2]
    session = Principal("AWS", f"arn:aws:sts::{account}:assumed-role/{name}/a-session", role_arn=caller)
    said = {"sts:ExternalId": external_id} if external_id else {}
    call = Call("sts:AssumeRole", arn, session, {"aws:PrincipalArn": caller, **said})
    statements = resolved(properties["AssumeRolePolicyDocument"])["Statement"]
    trust = {"Statement": [{**statement, "Resource": arn} for statement in statements]}  # in IAM it is left unsaid
    return decide([trust], call) is Decision.ALLOWED


def test_the_spoke_role_lets_in_every_function_when_it_says_the_external_id(
    template: Template, spoke: Template
) -> None:
    roles = function_roles(template)

    assert len(roles) == 6
    assert [role for role, arn in roles.items() if not lets_in(spoke, "SpokeRole", arn)] == []


@pytest.mark.parametrize("said", [None, "another"])
@pytest.mark.parametrize("role", ["SpokeRole", "PullOnlyRole"])
def test_a_role_lets_nobody_in_when_the_external_id_is_not_said(
    template: Template, spoke: Template, role: str, said: str | None
) -> None:
    assert [arn for arn in function_roles(template).values() if lets_in(spoke, role, arn, said)] == []


@pytest.mark.parametrize(
    "caller",
    [
        f"arn:aws:iam::{HUB}:role/ecr-steward-EnforceImageTagsFunctionRole-1A2B3C4D5E6F",  # not of that path
        f"arn:aws:iam::{HUB}:role/ecr-steward-2/ecr-steward-2-EnforceImageTagsFunctionRole-1A2B3C4D5E6F",
        f"arn:aws:iam::{HUB}:role/admin",
        f"arn:aws:iam::{TWO}:role/ecr-steward/ecr-steward-EnforceImageTagsFunctionRole-1A2B3C4D5E6F",
    ],
)
def test_the_spoke_role_does_not_let_in_others_when_they_say_the_external_id(spoke: Template, caller: str) -> None:
    assert not lets_in(spoke, "SpokeRole", caller)


def test_the_spoke_role_does_not_let_in_other_roles_of_the_hubs_stack(template: Template, spoke: Template) -> None:
    all_roles = {name for name, each in template["Resources"].items() if each["Type"] == "AWS::IAM::Role"}
    others = all_roles - function_roles(template).keys()

    assert others
    assert [role for role in others if lets_in(spoke, "SpokeRole", role_arn(template, role))] == []


def test_a_pull_only_role_lets_in_refresh_credentials_alone(template: Template, spoke: Template) -> None:
    let_in = [role for role, arn in function_roles(template).items() if lets_in(spoke, "PullOnlyRole", arn)]
    (at_home,) = template["Resources"]["PullOnlyRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert let_in == ["RefreshCredentialsFunctionRole"]
    assert at_home["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["RefreshCredentialsFunctionRole", "Arn"]}}
    }


def may_assume(
    template: Template, function_role: str, arn: str, spoke_accounts: list[str], organization: str | None = None
) -> bool:
    """Whether the policies of a function's role let it assume a role, whose account is in this organization."""
    values = {**VALUES, "SpokeAccounts": spoke_accounts, "SpokeOrganization": OURS}
    policies = template["Resources"][function_role]["Properties"]["Policies"]
    documents = [resolved(policy["PolicyDocument"], values) for policy in policies]
    of_organization = {"aws:ResourceOrgID": organization} if organization else {}
    call = Call("sts:AssumeRole", arn, None, {"aws:ResourceAccount": arn.split(":")[4], **of_organization})
    return decide(documents, call) is Decision.ALLOWED


@pytest.mark.parametrize(
    ("connected", "arn", "who"),
    [
        ([TWO], f"arn:aws:iam::{TWO}:role/ecr-steward-spoke", "every"),
        ([""], f"arn:aws:iam::{TWO}:role/ecr-steward-spoke", "none"),  # how CloudFormation reads the empty default
        (["333344445555"], f"arn:aws:iam::{TWO}:role/ecr-steward-spoke", "none"),
        ([TWO], f"arn:aws:iam::{TWO}:role/admin", "none"),
        ([TWO], f"arn:aws:iam::{HUB}:role/admin", "none"),
        ([TWO], f"arn:aws:iam::{TWO}:role/ecr-steward-pull-only", "refresh"),
        ([""], f"arn:aws:iam::{TWO}:role/ecr-steward-pull-only", "none"),
        ([""], f"arn:aws:iam::{HUB}:role/ecr-steward-pull-only", "refresh"),
        ([""], f"arn:aws:iam::{HUB}:role/ecr-steward-pull-only-team-a", "refresh"),
        ([""], f"arn:aws:iam::{HUB}:role/ecr-steward-pull-onlyteam-a", "none"),
    ],
)
def test_functions_may_assume_exactly_the_roles_that_are_there_for_them(
    template: Template, connected: list[str], arn: str, who: str
) -> None:
    roles = function_roles(template)
    allowed = {role for role in roles if may_assume(template, role, arn, connected)}

    assert allowed == {"every": roles.keys(), "refresh": {"RefreshCredentialsFunctionRole"}, "none": set()}[who]


@pytest.mark.parametrize(
    ("organization", "role", "who"),
    [
        (OURS, "ecr-steward-spoke", "every"),
        (OURS, "ecr-steward-pull-only", "refresh"),
        (OURS, "ecr-steward-pull-only-team-a", "refresh"),
        (OURS, "admin", "none"),
        ("o-zzzzz12345", "ecr-steward-spoke", "none"),
        (None, "ecr-steward-spoke", "none"),  # an account that is in none, or that left
        (None, "ecr-steward-pull-only", "none"),
    ],
)
def test_functions_may_assume_the_roles_of_the_organizations_accounts_where_no_list_names_them(
    template: Template, organization: str | None, role: str, who: str
) -> None:
    roles, arn = function_roles(template), f"arn:aws:iam::{TWO}:role/{role}"
    allowed = {each for each in roles if may_assume(template, each, arn, [""], organization)}

    assert allowed == {"every": roles.keys(), "refresh": {"RefreshCredentialsFunctionRole"}, "none": set()}[who]


@pytest.mark.parametrize(("organization", "is_let_in"), [(OURS, True), ("o-zzzzz12345", False), (None, False)])
def test_the_bus_lets_in_the_accounts_of_the_organization(
    template: Template, organization: str | None, is_let_in: bool
) -> None:
    policy = template["Resources"]["SpokeOrganizationPolicy"]
    statement = resolved(policy["Properties"]["Statement"], {**VALUES, "SpokeOrganization": OURS, "EventBus": "*"})
    forwarder = f"arn:aws:sts::{TWO}:assumed-role/forwarder/session"
    context = {"aws:PrincipalOrgID": organization} if organization else {}
    call = Call("events:PutEvents", "*", Principal("AWS", forwarder), context)

    assert policy["Condition"] == "HasSpokeOrganization"
    assert (decide([{"Statement": [statement]}], call) is Decision.ALLOWED) == is_let_in


@pytest.mark.parametrize(
    ("name", "is_taken"),
    [
        ("ecr-steward-pull-only", True),
        ("ecr-steward-pull-only-eu-west-1", True),
        ("ecr-steward-pull-only".ljust(64, "x"), True),
        ("ecr-steward-pull-only".ljust(65, "x"), False),
        ("ecr-steward-pull-only/x", False),
        ("pull-only-ecr-steward", False),
        ("admin", False),
    ],
)
def test_the_pull_only_role_has_a_name_that_the_rulebook_takes(
    template: Template, spoke: Template, name: str, is_taken: bool
) -> None:
    patterns = [each["Parameters"]["PullOnlyRoleName"]["AllowedPattern"] for each in (template, spoke)]
    names_role: TypeAdapter[str] = TypeAdapter(RoleName)

    assert [re.fullmatch(pattern, name) is not None for pattern in patterns] == [is_taken, is_taken]
    with nullcontext() if is_taken else pytest.raises(ValidationError):
        names_role.validate_python(name)


def test_the_bus_has_a_policy_for_the_spoke_accounts_alone_when_there_are_some(template: Template) -> None:
    policy = template["Resources"]["EventBusPolicy"]

    assert policy["Condition"] == "HasSpokeAccounts"
    assert policy["Properties"]["Statement"]["Principal"] == {"AWS": {"Ref": "SpokeAccounts"}}
    assert policy["Properties"]["Statement"]["Action"] == "events:PutEvents"


def test_the_bus_takes_our_own_events_from_the_functions_roles_alone(template: Template) -> None:
    """attacks M13"""
    functions = [each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    roles = [each["Properties"]["Role"] for each in functions]
    statement = template["Resources"]["OwnNoticesPolicy"]["Properties"]["Statement"]

    assert "Condition" not in template["Resources"]["OwnNoticesPolicy"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "events:PutEvents")
    assert statement["Condition"] == {
        "ForAnyValue:StringEquals": {"events:source": "ecr.steward"},
        "ArnNotEquals": {"aws:PrincipalArn": roles},
    }


def test_both_forward_the_same_events_when_they_happen(template: Template, spoke: Template) -> None:
    forwarded = [each["Resources"]["ForwardToStewardRule"]["Properties"]["EventPattern"] for each in (template, spoke)]

    assert forwarded[0] == forwarded[1]


def test_what_is_said_in_both_has_one_default_when_nobody_says_otherwise(template: Template, spoke: Template) -> None:
    shared = (template["Parameters"].keys() & spoke["Parameters"].keys()) - {"ExternalId"}

    assert shared == {"SpokeRoleName", "PullOnlyRoleName", "CreationTemplateRolePrefix", *PER_ACCOUNT}
    assert {name: spoke["Parameters"][name] for name in shared} == {
        name: {**template["Parameters"][name], "Description": spoke["Parameters"][name]["Description"]}
        for name in shared
    }


def test_the_hub_tells_what_a_spoke_asks_for_when_it_is_deployed(template: Template, spoke: Template) -> None:
    asked = {name for name in spoke["Parameters"] if name.startswith("Hub")}

    assert asked == {name for name in template["Outputs"] if name.startswith("Hub")}
    assert "ExternalId" in template["Outputs"]


def test_the_external_id_has_no_default_that_everyone_knows(template: Template, spoke: Template) -> None:
    """aws M5"""
    assert "Default" not in spoke["Parameters"]["ExternalId"]
    assert not re.fullmatch(spoke["Parameters"]["ExternalId"]["AllowedPattern"], "")
    assert template["Parameters"]["ExternalId"]["Default"] == ""  # and then it is the stack's id: tests/sandbox/deploy


def test_nothing_needs_the_roles_when_a_second_region_of_an_account_does_not_create_them(spoke: Template) -> None:
    roles = {"SpokeRole", "PullOnlyRole"}
    without_roles = [
        each
        for each in [*spoke["Resources"].values(), *spoke["Outputs"].values()]
        if each.get("Condition") != "HasRoles"
    ]

    assert {name for name, each in spoke["Resources"].items() if each.get("Condition") == "HasRoles"} == roles
    assert [each for each in without_roles if roles & set(named_in(without(each, "HasRoles")))] == []


def without(value: Any, condition: str) -> Any:
    """What of a value is left where a condition does not hold."""
    match value:
        case {"Fn::If": [str(name), _, otherwise]} if name == condition:
            return without(otherwise, condition)
        case dict():
            return {key: without(each, condition) for key, each in value.items()}
        case list():
            return [without(each, condition) for each in value]
    return value


def named_in(value: Any) -> Iterator[str]:
    """Every name in a value: of resources, parameters, attributes."""
    if isinstance(value, str):
        yield from re.findall("[A-Za-z0-9]+", value)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from named_in(each)


@pytest.mark.parametrize(("connected", "accounts"), [([""], set()), ([TWO, "333344445555"], {TWO, "333344445555"})])
def test_every_function_reads_its_environment_when_it_is_deployed(
    template: Template, connected: list[str], accounts: set[str]
) -> None:
    values = {**VALUES, "SpokeAccounts": connected}
    functions = [each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    found = [Settings.from_env(resolved(each["Properties"]["Environment"]["Variables"], values)) for each in functions]

    assert {settings.accounts.connected.all() for settings in found} == {frozenset(accounts)}
    assert {settings.spoke_organization for settings in found} == {None}
    assert {settings.accounts.own for settings in found} == {HUB}
    assert {settings.accounts.spoke_role for settings in found} == {"ecr-steward-spoke"}
    assert {settings.accounts.external_id for settings in found} == {"the-external-id"}
    assert len({settings.accounts.session_name for settings in found}) == len(found)
    assert all(each.session_policy == session_policy(each.session_name) for each in (one.accounts for one in found))


def test_every_function_bounds_the_principals_of_a_rulebook_when_the_parameter_lists_them(template: Template) -> None:
    """aws M4"""
    functions = [each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    environments = [each["Properties"]["Environment"]["Variables"] for each in functions]

    def bounds(listed: list[str]) -> list[Bounds]:
        values = {**VALUES, "SpokeAccounts": [TWO], "TrustedPrincipals": listed}
        return [Settings.from_env(resolved(variables, values)).bounds for variables in environments]

    trusted = Inside(frozenset({TWO, "333344445555"}), frozenset({"o-abcde12345"}))
    assert [(each.trusted, each.own_account) for each in bounds(["333344445555", "o-abcde12345"])] == [
        (trusted, HUB)
    ] * len(functions)
    assert {each.trusted for each in bounds([""])} == {None}
