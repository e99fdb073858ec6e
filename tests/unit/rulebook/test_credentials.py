"""The key ``credentials``: whom a login speaks as, and that each login has one source."""

import pytest

from ecr_steward.domain.rules import Credential, CredentialRegistry, SecretFormat, SecretSink
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.validate import validate

OWN_ROLE = "steward-RefreshCredentialsFunctionRole-1A2B3C4D5E6F"
OWN_ROLE_OF_AN_ODD_STACK = "ecr-steward-pull-only-RefreshCredentialsFunctionRole-1A2B"
ANOTHER_ROLE = (
    "expected pull-only, or a name that starts with ecr-steward-pull-only, "
    "as the template's parameter PullOnlyRoleName says"
)


def credentials_of(data):
    rulebook, problems = validate(data)
    assert problems == ()
    return compile_rulebook(rulebook).credentials


def test_a_credential_is_that_of_the_rulebook_when_compiled(with_credential):
    assert credentials_of(with_credential(role="ecr-steward-pull-only-team-a")) == (
        Credential(
            name="on-prem-cluster",
            role="ecr-steward-pull-only-team-a",
            registries=(CredentialRegistry(region="us-east-1"), CredentialRegistry(account="222233334444")),
            sinks=(SecretSink("ecr-steward/on-prem-cluster", SecretFormat.DOCKER_CONFIG),),
        ),
    )


def test_a_login_only_pulls_from_here_into_a_docker_config_when_nothing_else_is_said(with_credential):
    (credential,) = credentials_of(
        with_credential(registries=[{}], sinks=[{"secretsmanager": "ecr-steward/on-prem-cluster"}])
    )

    assert credential.role == "pull-only"
    assert credential.registries == (CredentialRegistry(),)
    assert credential.sinks == (SecretSink("ecr-steward/on-prem-cluster", SecretFormat.DOCKER_CONFIG),)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"name": None}, "credentials[0]: `name` is missing"),
        ({"registries": []}, "credentials[0].registries: `[]` does not fit here; expected at least 1 entry"),
        ({"sinks": []}, "credentials[0].sinks: `[]` does not fit here; expected at least 1 entry"),
        (
            {"role": "arn:aws:iam::111122223333:role/reader"},
            "credentials[0].role: `arn:aws:iam::111122223333:role/reader` is an ARN, and the role is looked for in the "
            "account of each registry; expected the name of the role: pull-only, or one that starts with "
            "ecr-steward-pull-only",
        ),
        (
            {"role": OWN_ROLE},
            f"credentials[0].role: `{OWN_ROLE}` is the role of the function itself: a token speaks as whoever fetched "
            "it, and this one may do more than pull; did you mean `pull-only`?; "
            "expected a role that may do nothing but pull",
        ),
        (
            {"role": OWN_ROLE.lower()},
            f"credentials[0].role: `{OWN_ROLE.lower()}` is the role of the function itself: a token speaks as whoever "
            "fetched it, and this one may do more than pull; did you mean `pull-only`?; "
            "expected a role that may do nothing but pull",
        ),
        (
            {"role": OWN_ROLE_OF_AN_ODD_STACK},
            f"credentials[0].role: `{OWN_ROLE_OF_AN_ODD_STACK}` is the role of the function itself: a token "
            "speaks as whoever fetched it, and this one may do more than pull; did you mean `pull-only`?; "
            "expected a role that may do nothing but pull",
        ),
        (
            {"role": "admin"},
            f"credentials[0].role: `admin` is a role that the steward may not become; {ANOTHER_ROLE}",
        ),
        (
            {"role": "pul-only"},
            "credentials[0].role: `pul-only` is a role that the steward may not become; did you mean `pull-only`?; "
            + ANOTHER_ROLE,
        ),
        (
            {"role": "pull-only-team-a"},
            "credentials[0].role: `pull-only-team-a` is a role that the steward may not become; "
            f"did you mean `ecr-steward-pull-only-team-a`?; {ANOTHER_ROLE}",
        ),
        (
            {"role": "ecr-steward-readers"},
            f"credentials[0].role: `ecr-steward-readers` is a role that the steward may not become; {ANOTHER_ROLE}",
        ),
        (
            {"role": "ecr-steward-pull-only/reader"},
            "credentials[0].role: `ecr-steward-pull-only/reader` is not the name of a role: up to 64 letters, digits "
            "and +=,.@_-, and no path",
        ),
        (
            {"registries": [{"region": "Ireland"}]},
            "credentials[0].registries[0].region: 'Ireland' is not a region such as eu-west-1",
        ),
        (
            {"registries": [{"account": 222233334444}]},
            "credentials[0].registries[0].account: `222233334444` does not fit here; expected text: put it in quotes",
        ),
        (
            {"registries": [{"region": "us-east-1"}, {"region": "us-east-1"}]},
            "credentials[0].registries[1]: this stands above already; expected each once",
        ),
        (
            {"sinks": [{"secretsmanager": "ecr-steward/a"}, {"secretsmanager": "ecr-steward/a"}]},
            "credentials[0].sinks[1]: this stands above already; expected each once",
        ),
        ({"sinks": [{"format": "dockerconfigjson"}]}, "credentials[0].sinks[0]: `secretsmanager` is missing"),
        (
            {"sinks": [{"secretsmanager": "ecr-steward/a", "format": "docker-config-json"}]},
            "credentials[0].sinks[0].format: `docker-config-json` is not known here; "
            "did you mean `dockerconfigjson`?; expected dockerconfigjson",
        ),
        (
            {"sinks": [{"secretsmanager": "on-prem"}]},
            "credentials[0].sinks[0].secretsmanager: `on-prem` is a secret that the steward may not write; "
            "did you mean `ecr-steward/on-prem`?; "
            "expected a name that starts with ecr-steward/, as the template's parameter SecretPrefix says",
        ),
        (
            {"sinks": [{"secretsmanager": "my secret"}]},
            "credentials[0].sinks[0].secretsmanager: `my secret` is a secret that the steward may not write; "
            "expected a name that starts with ecr-steward/, as the template's parameter SecretPrefix says",
        ),
        (
            {"sinks": [{"secretsmanager": "arn:aws:secretsmanager:us-east-1:111122223333:secret:x"}]},
            "credentials[0].sinks[0].secretsmanager: `arn:aws:secretsmanager:us-east-1:111122223333:secret:x` is an "
            "ARN; expected the name of the secret, which starts with ecr-steward/",
        ),
        (
            {"sinks": [{"secretsmanager": "ecr-steward/a b"}]},
            "credentials[0].sinks[0].secretsmanager: `ecr-steward/a b` is not the name of a secret: up to 512 letters, "
            "digits and /_+=.@-, after the prefix",
        ),
        (
            {"sinks": [{"secretmanager": "ecr-steward/a"}]},
            "credentials[0].sinks[0].secretmanager: unknown key `secretmanager`; did you mean `secretsmanager`?; "
            "expected one of secretsmanager, format",
        ),
    ],
)
def test_the_reason_is_told_when_a_credential_is_wrong(with_credential, problems_of, keys, told):
    assert problems_of(with_credential(**keys)) == [told]


@pytest.mark.parametrize(("length", "is_valid"), [(21, True), (64, True), (65, False)])
def test_a_role_is_accepted_when_its_name_is_as_long_as_aws_takes(with_credential, problems_of, length, is_valid):
    data = with_credential(role="ecr-steward-pull-only".ljust(length, "x"))

    assert (problems_of(data) == []) is is_valid


@pytest.mark.parametrize(("length", "is_valid"), [(512, True), (513, False)])
def test_a_secret_is_accepted_when_its_name_is_as_long_as_aws_takes(with_credential, problems_of, length, is_valid):
    data = with_credential(sinks=[{"secretsmanager": "ecr-steward/".ljust(length, "x")}])

    assert (problems_of(data) == []) is is_valid


@pytest.mark.parametrize("registries", [[{"region": "us-east-1"}], [{"region": "eu-west-1"}]], ids=["same", "other"])
def test_the_other_is_named_when_two_credentials_write_into_the_same_secret(with_credential, problems_of, registries):
    data = with_credential()
    data["credentials"].append(
        data["credentials"][0] | {"name": "other", "role": "ecr-steward-pull-only-team-a", "registries": registries}
    )

    assert problems_of(data) == [
        "credentials[1].sinks[0].secretsmanager: `on-prem-cluster` writes into this secret already: "
        "credentials[0]; expected a secret of its own"
    ]


def test_the_first_is_named_when_two_credentials_share_a_name(with_credential, problems_of):
    data = with_credential()
    data["credentials"].append(data["credentials"][0] | {"sinks": [{"secretsmanager": "ecr-steward/other"}]})

    assert problems_of(data) == ["credentials[1].name: there is a credential `on-prem-cluster` already: credentials[0]"]
