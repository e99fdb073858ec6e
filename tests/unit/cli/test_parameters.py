"""Which parameters bound a rulebook, and where they are found."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ecr_steward.domain.policies.rules import Inside
from ecr_steward.rulebook.bounds import UNBOUNDED
from ecr_steward.rulebook.codes import Code
from ecr_steward_cli import parameters
from ecr_steward_cli.parameters import ParameterError, bounds_of

TEMPLATE = Path(__file__).parents[3] / "template.yaml"
SHORT_TEMPLATE = """\
Parameters:
  SecretPrefix: {Type: String, Default: ecr-steward/}
  SpokeAccounts: {Type: CommaDelimitedList, Default: ""}
  SpokeOrganization: {Type: String, Default: ""}
Resources:
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: !Ref Name}}
"""
RULEBOOK = """\
version: 1
rules:
  - name: services
    match: {repositories: ["**"], accounts: ["111122223333"]}
    replicate: [{to: [{account: "222233334444"}]}]
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    """A folder with a template, and its rulebook where ours has it."""
    (tmp_path / "template.yaml").write_text(SHORT_TEMPLATE, encoding="utf-8")
    (tmp_path / "layers" / "rulebook").mkdir(parents=True)
    return tmp_path


def rulebook_in(deployment: Path) -> Path:
    return deployment / "layers" / "rulebook" / "ecr-steward.yaml"


def configure(deployment: Path, text: str) -> None:
    (deployment / "samconfig.toml").write_text(text, encoding="utf-8")


def test_nothing_is_bounded_when_there_is_no_template_and_no_parameter(tmp_path: Path) -> None:
    assert bounds_of(tmp_path / "ecr-steward.yaml", [], "default") == UNBOUNDED


def test_the_defaults_bound_when_the_template_is_two_folders_above(deployment: Path) -> None:
    bounds = bounds_of(rulebook_in(deployment), [], "default")

    assert (bounds.secret_prefix, bounds.connected, bounds.pull_only_role) == ("ecr-steward/", frozenset(), None)
    assert bounds.said_in["SecretPrefix"] == "the default in template.yaml"


@pytest.mark.parametrize(
    "overrides",
    [
        '"SecretPrefix=ecr-steward/prod/ SpokeAccounts=222233334444,333344445555 Architecture=arm64"',
        '\'SecretPrefix="ecr-steward/prod/" SpokeAccounts="222233334444,333344445555"\'',
        '["SecretPrefix=ecr-steward/prod/", "SpokeAccounts=222233334444,333344445555"]',
        '"ParameterKey=SecretPrefix,ParameterValue=ecr-steward/prod/ '
        'ParameterKey=SpokeAccounts,ParameterValue=222233334444,333344445555"',
    ],
)
def test_samconfig_wins_over_the_defaults_in_each_form_that_sam_takes(deployment: Path, overrides: str) -> None:
    configure(deployment, f"[prod.deploy.parameters]\nparameter_overrides = {overrides}\n")

    bounds = bounds_of(rulebook_in(deployment), [], "prod")

    assert bounds.secret_prefix == "ecr-steward/prod/"
    assert bounds.connected == {"222233334444", "333344445555"}
    assert bounds.said_in["SpokeAccounts"] == "prod in samconfig.toml"
    assert bounds_of(rulebook_in(deployment), [], "default").connected == frozenset()


def test_what_is_given_wins_over_samconfig(deployment: Path) -> None:
    configure(deployment, '[default.global.parameters]\nparameter_overrides = "SecretPrefix=ecr-steward/a/"\n')

    bounds = bounds_of(rulebook_in(deployment), ["SecretPrefix=ecr-steward/b/"], "default")

    assert (bounds.secret_prefix, bounds.said_in["SecretPrefix"]) == ("ecr-steward/b/", "--parameter")


@pytest.mark.parametrize(
    ("samconfig", "given", "code", "told"),
    [
        ("", ["SecretPrefxi=a"], Code.PARAMETER, "did you mean SecretPrefix?"),
        ("", ["SecretPrefix"], Code.PARAMETER, "write NAME=VALUE"),
        ("", ["SecretPrefix=prod/"], Code.PARAMETER, r"the template takes no SecretPrefix=prod/ (--parameter)"),
        ("[", [], Code.PARAMETERS_UNREADABLE, "samconfig.toml cannot be read"),
    ],
)
def test_it_is_said_what_is_wrong_when_a_parameter_cannot_be(
    deployment: Path, samconfig: str, given: list[str], code: Code, told: str
) -> None:
    configure(deployment, samconfig)

    with pytest.raises(ParameterError, match=re.escape(told)) as refused:
        bounds_of(rulebook_in(deployment), given, "default")

    assert refused.value.code is code


def test_an_account_outside_is_refused_with_the_parameter_and_where_it_is_set(deployment: Path, run) -> None:
    configure(deployment, '[default.deploy.parameters]\nparameter_overrides = "SpokeAccounts=333344445555"\n')
    rulebook_in(deployment).write_text(RULEBOOK, encoding="utf-8")

    refused = run("validate")
    allowed = run("validate", "--parameter", "SpokeAccounts=222233334444")
    own = run("validate", "--parameter", "AWS::AccountId=222233334444")

    assert refused.returncode == 1
    assert "ecr-steward.yaml:5:33: ES603 the account 222233334444 is not connected" in refused.stdout
    assert "as the template's parameter SpokeAccounts says (default in samconfig.toml)" in refused.stdout
    assert (allowed.returncode, own.returncode) == (0, 0)


def test_hosts_are_known_by_the_address_that_is_spoken_to(deployment: Path) -> None:
    bounds = bounds_of(rulebook_in(deployment), ["OtherRegistries=docker.io,ghcr.io,nohost"], "default")

    assert bounds.other_registries == {"registry-1.docker.io", "ghcr.io"}


def test_our_own_template_takes_what_is_checked_here() -> None:
    yaml = YAML(typ="safe", pure=True)
    ours = yaml.load(parameters._parameter_lines(TEMPLATE))["Parameters"]
    known = {name: ours[name] for name in parameters._PATTERNS if name in ours}
    patterns = {name: one.get("AllowedPattern") or "|".join(one["AllowedValues"]) for name, one in known.items()}

    assert patterns == {
        "SecretPrefix": parameters._PATTERNS["SecretPrefix"],
        "PullOnlyRoleName": parameters._PATTERNS["PullOnlyRoleName"],
        "CreationTemplateRolePrefix": parameters._PATTERNS["CreationTemplateRolePrefix"],
        "SpokeOrganization": parameters._PATTERNS["SpokeOrganization"],
        "SpokeAccounts": "([0-9]{12})?",  # SAM checks each entry of a list
        "OtherRegistries": r"[a-z0-9.:=\[\]-]*",
        "TrustedPrincipals": "([0-9]{12}|o-[a-z0-9]{10,32})?",
        "SeeWorkloads": "true|false",
    }


def test_connected_accounts_are_trusted_beside_those_that_are_listed(deployment: Path) -> None:
    given = ["SpokeAccounts=222233334444", "TrustedPrincipals=333344445555,o-abcde12345"]

    bounds = bounds_of(rulebook_in(deployment), given, "default")

    assert bounds.trusted == Inside(frozenset({"222233334444", "333344445555"}), frozenset({"o-abcde12345"}))
    assert bounds_of(rulebook_in(deployment), ["TrustedPrincipals="], "default").trusted is None
    with pytest.raises(ParameterError, match="the template takes no TrustedPrincipals=everyone"):
        bounds_of(rulebook_in(deployment), ["TrustedPrincipals=everyone"], "default")


def test_an_account_of_an_organization_may_be_connected_whichever_it_is(deployment: Path) -> None:
    """The accounts announce themselves, so no file says which are connected."""
    given = ["SpokeOrganization=o-abcde12345", "SpokeAccounts=222233334444", "TrustedPrincipals=333344445555"]

    bounds = bounds_of(rulebook_in(deployment), given, "default")

    assert bounds.connected is None
    assert bounds.trusted == Inside(frozenset({"222233334444", "333344445555"}), frozenset({"o-abcde12345"}))
