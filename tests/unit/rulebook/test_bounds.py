"""What a rulebook may name, given the parameters of a deployment."""

import json

import pytest

from ecr_steward.errors import InvalidRulebookError
from ecr_steward.rulebook.bounds import UNBOUNDED, Bounds
from ecr_steward.rulebook.load import dump_compiled, parse_compiled
from ecr_steward.rulebook.validate import validate

PROD = Bounds(
    secret_prefix="ecr-steward/prod/",
    pull_only_role="ecr-steward-pull-only-prod",
    connected=frozenset({"222233334444"}),
    own_account="111122223333",
    said_in={"SecretPrefix": "samconfig.toml"},
)


@pytest.fixture
def outside():
    """What lies outside of bounds, as text with its code."""

    def find(data, bounds):
        rulebook, problems = validate(data)
        assert rulebook is not None, problems
        return [f"{problem.code} {problem}" for problem in bounds.outside(rulebook)]

    return find


def test_everything_lies_inside_when_nothing_is_known(example, outside):
    assert outside(example, UNBOUNDED) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"sinks": [{"secretsmanager": "ecr-steward/on-prem"}]},
            "ES601 credentials[0].sinks[0].secretsmanager: `ecr-steward/on-prem` is a secret that this deployment may "
            "not write; did you mean `ecr-steward/prod/on-prem`?; expected a name that begins with "
            "`ecr-steward/prod/`, as the template's parameter SecretPrefix says (samconfig.toml)",
        ),
        (
            {"role": "ecr-steward-pull-only-production"},
            "ES602 credentials[0].role: `ecr-steward-pull-only-production` is a role that this deployment may not "
            "become; expected pull-only, or a name that begins with `ecr-steward-pull-only-prod-`, as the template's "
            "parameter PullOnlyRoleName says",
        ),
        (
            {"registries": [{"account": "333344445555"}]},
            "ES603 credentials[0].registries[0].account: the account 333344445555 is not connected; expected one of "
            "222233334444, as the template's parameter SpokeAccounts says",
        ),
    ],
)
def test_the_parameter_is_named_when_a_credential_lies_outside(with_credential, outside, changes, told):
    inside = {"sinks": [{"secretsmanager": "ecr-steward/prod/on-prem"}], "role": "pull-only"}

    assert outside(with_credential(**inside), PROD) == []
    assert outside(with_credential(**inside | changes), PROD) == [told]


@pytest.mark.parametrize("role", ["pull-only", "ecr-steward-pull-only-prod", "ecr-steward-pull-only-prod-team-a"])
def test_a_role_lies_inside_when_the_function_may_become_it(with_credential, outside, role):
    data = with_credential(role=role, sinks=[{"secretsmanager": "ecr-steward/prod/x"}])

    assert outside(data, PROD) == []


def test_accounts_are_found_when_only_a_profile_or_the_defaults_name_them(with_rule, outside):
    elsewhere = [{"to": [{"account": "333344445555"}]}]
    of_one = {"repositories": ["**"], "accounts": ["111122223333"]}
    data = with_rule(match=of_one, extends=["copied"], replicate=elsewhere) | {
        "profiles": [{"name": "copied", "replicate": elsewhere}],
        "defaults": {"replicate": elsewhere},
    }

    assert [told.partition(":")[0] for told in outside(data, PROD)] == [
        f"ES603 {place}.replicate[0].to[0].account" for place in ("rules[0]", "profiles[0]", "defaults")
    ]


def test_a_compiled_rulebook_is_refused_when_it_lies_outside(with_credential):
    rulebook, _ = validate(with_credential())
    text = dump_compiled(rulebook, "ecr-steward.yaml", b"").encode()

    with pytest.raises(InvalidRulebookError, match=r"ES614 here does not validate, .*: ES601 credentials\[0\].sinks"):
        parse_compiled(text, "here", PROD)
    assert parse_compiled(text, "here").credentials
    assert json.loads(text)["format"] == 1


def test_the_parameter_is_named_when_a_creation_template_has_a_role_outside(example, outside):
    template = {"prefix": "ROOT", "applied_for": ["replication"], "role": "ecr-steward-creation-template"}
    example["registries"] = [{"name": "all", "creation_templates": [template]}]

    assert outside(example, Bounds(template_role="ecr-steward-creation-template-prod")) == [
        "ES606 registries[0].creation_templates[0].role: `ecr-steward-creation-template` is a role that this "
        "deployment may not pass on to ECR; expected a name that begins with "
        "`ecr-steward-creation-template-prod`, as the template's parameter CreationTemplateRolePrefix says"
    ]
    assert outside(example, Bounds(template_role="ecr-steward-creation-template")) == []
