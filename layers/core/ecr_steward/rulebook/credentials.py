"""The key ``credentials``: registry logins that are kept fresh for those who cannot fetch their own."""

from typing import Literal

from pydantic import Field

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import Name, RulebookModel


class CredentialRegistry(RulebookModel):
    """A registry to log in to; what is not named is as where the steward runs."""

    account: words.AccountId | None = Field(
        default=None,
        description="Its account, one that the template's parameter SpokeAccounts names; none means the steward's own.",
        examples=["222233334444"],
    )
    region: words.RegionWord | None = Field(
        default=None, description="Its region; none means the one where the steward runs.", examples=["us-east-1"]
    )


class Sink(RulebookModel):
    """Where a login is kept fresh."""

    secretsmanager: words.SecretName = Field(
        description="A secret of AWS Secrets Manager, by its name, in the account and region where the steward runs. "
        "It is created where it is missing; other registries' logins in it stay.",
        examples=["ecr-steward/on-prem-cluster"],
    )
    format: Literal["dockerconfigjson"] = Field(
        default="dockerconfigjson",
        description="What the secret holds: a Docker config, as Docker, Kubernetes and External Secrets read it.",
        examples=["dockerconfigjson"],
    )


class Credential(RulebookModel):
    """A login to registries, fetched anew long before its 12 hours end, tried, and written to its sinks."""

    name: Name = Field(description="What reports and notices call it.", examples=["on-prem-cluster"])
    role: words.RoleName = Field(
        default="pull-only",
        description="Name of the IAM role, in the account of each registry, that the token is fetched under: it may do "
        "what this role may. `pull-only` is the role that the templates bring along; the name of another one starts "
        "with `ecr-steward-pull-only`, as the template's parameter PullOnlyRoleName does. A token that can begin an "
        "upload in one of the first repositories of a registry is not published; no other right of the role is tried, "
        "so name one that may only pull.",
        examples=["pull-only", "ecr-steward-pull-only-team-a"],
    )
    registries: tuple[CredentialRegistry, ...] = Field(
        min_length=1, description="The registries to log in to.", examples=[[{"region": "us-east-1"}]]
    )
    sinks: tuple[Sink, ...] = Field(
        min_length=1,
        description="Where the login is written; every sink holds it for all the registries.",
        examples=[[{"secretsmanager": "ecr-steward/on-prem-cluster", "format": "dockerconfigjson"}]],
    )
