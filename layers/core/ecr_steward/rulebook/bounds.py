"""What a rulebook may name, given what the deployed roles allow: each bound is a parameter of the template.

The roles would refuse the rest anyway, one call at a time and hours later. Here it is said at once, with the parameter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ecr_steward.domain.policies.rules import Inside
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.credentials import Credential
from ecr_steward.rulebook.lifecycle import LifecycleEntry
from ecr_steward.rulebook.model import Rulebook
from ecr_steward.rulebook.problems import Path, Problem
from ecr_steward.rulebook.replicate import Replicate
from ecr_steward.rulebook.trust import Untrusted, untrusted

SECRET_PREFIX: Final = "SecretPrefix"  # noqa: S105  no secret
PULL_ONLY_ROLE: Final = "PullOnlyRoleName"
SPOKE_ACCOUNTS: Final = "SpokeAccounts"
SPOKE_ORGANIZATION: Final = "SpokeOrganization"
OTHER_REGISTRIES: Final = "OtherRegistries"
TRUSTED_PRINCIPALS: Final = "TrustedPrincipals"
TEMPLATE_ROLE: Final = "CreationTemplateRolePrefix"
SEE_WORKLOADS: Final = "SeeWorkloads"
OWN_ACCOUNT: Final = "AWS::AccountId"

_PULL_ONLY: Final = "pull-only"
"""The rulebook's word for the role of the parameter, whatever its name."""


@dataclass(frozen=True)
class Bounds:
    """What the parameters of a deployment allow. ``None`` where nobody knows, and then nothing is refused."""

    secret_prefix: str | None = None
    pull_only_role: str | None = None
    template_role: str | None = None
    """What the names of roles begin with that creation templates may name."""
    connected: frozenset[str] | None = None
    """Accounts beside the steward's own; ``None`` also where those of an organization announce themselves."""
    other_registries: frozenset[str] | None = None
    """Hosts of registries that are not ECR's."""
    trusted: Inside | None = None
    """Whom policies and ECR's own replication may name: accounts, connected ones included, and organizations."""
    sees_workloads: bool | None = None
    """Whether the sweep may ask ECS and Lambda what they run."""
    own_account: str | None = None
    said_in: Mapping[str, str] = field(default_factory=dict)
    """By parameter: where its value was found, for people."""

    def outside(self, rulebook: Rulebook) -> Iterator[Problem]:
        """Everything that the rulebook names and that the deployed roles would refuse."""
        for at, copies in _copies_of(rulebook):
            for number, copy in enumerate(copies):
                for which, destination in enumerate(copy.to):
                    to = (*at, number, "to", which)
                    yield from self._account_outside(destination.account, (*to, "account"))
                    yield from self._registry_outside(destination.registry, (*to, "registry"))
                    yield from self._secret_outside(destination.login, (*to, "login"), "read")
        if self.sees_workloads is False:
            yield from self._workloads_outside(rulebook)
        for position, credential in enumerate(rulebook.credentials):
            yield from self._credential_outside(credential, ("credentials", position))
        for position, registry in enumerate(rulebook.registries):
            for number, template in enumerate(registry.creation_templates or ()):
                at = ("registries", position, "creation_templates", number, "role")
                yield from self._template_role_outside(template.role, at)

        if self.trusted is not None:
            own = frozenset({self.own_account} if self.own_account else ())
            trusted = Inside(self.trusted.accounts | own, self.trusted.organizations)
            for found in untrusted(rulebook, trusted):
                yield self._not_trusted(found, trusted)

    def _not_trusted(self, found: Untrusted, trusted: Inside) -> Problem:
        expected = f"one of {', '.join(sorted(trusted.accounts | trusted.organizations))}"
        if found.in_statement:
            expected += ", or a condition such as `aws:PrincipalOrgID` or `aws:SourceAccount` that allows only those"
        return Problem(
            found.at,
            f"`{found.name}` is a principal that this deployment does not trust",
            f"{expected}, {self._as_said(TRUSTED_PRINCIPALS)}{self._own_unknown(found.account)}",
            code=Code.OUTSIDE_TRUSTED_PRINCIPALS,
        )

    def _credential_outside(self, credential: Credential, at: Path) -> Iterator[Problem]:
        role = self.pull_only_role
        named = credential.role
        if role is not None and named not in {_PULL_ONLY, role} and not named.startswith(f"{role}-"):
            yield Problem(
                (*at, "role"),
                f"`{named}` is a role that this deployment may not become",
                f"{_PULL_ONLY}, or a name that begins with `{role}-`, {self._as_said(PULL_ONLY_ROLE)}",
                code=Code.OUTSIDE_PULL_ONLY_ROLE,
            )
        for number, registry in enumerate(credential.registries):
            yield from self._account_outside(registry.account, (*at, "registries", number, "account"))
        for number, sink in enumerate(credential.sinks):
            yield from self._secret_outside(sink.secretsmanager, (*at, "sinks", number, "secretsmanager"), "write")

    def _secret_outside(self, secret: str | None, at: Path, done: str) -> Iterator[Problem]:
        prefix = self.secret_prefix
        if secret is not None and prefix is not None and not secret.startswith(prefix):
            yield Problem(
                at,
                f"`{secret}` is a secret that this deployment may not {done}",
                f"a name that begins with `{prefix}`, {self._as_said(SECRET_PREFIX)}",
                f"{prefix}{secret.rpartition('/')[2]}",
                code=Code.OUTSIDE_SECRET_PREFIX,
            )

    def _registry_outside(self, host: str | None, at: Path) -> Iterator[Problem]:
        if host is not None and self.other_registries is not None and host not in self.other_registries:
            yield Problem(
                at,
                f"`{host}` is a registry that this deployment may not copy to",
                f"one of {', '.join(sorted(self.other_registries)) or 'none'}, {self._as_said(OTHER_REGISTRIES)}",
                code=Code.OUTSIDE_OTHER_REGISTRIES,
            )

    def _workloads_outside(self, rulebook: Rulebook) -> Iterator[Problem]:
        for at, entries in _lifecycles_of(rulebook):
            for number, entry in enumerate(entries):
                if entry.keep is not None and {"ecs", "lambda"}.intersection(entry.keep.in_use or ()):
                    yield Problem(
                        (*at, number, "keep", "in_use"),
                        "this deployment may not see what ECS and Lambda run",
                        f"`inspector` alone, or the template's parameter {SEE_WORKLOADS} as `true`: it is not, "
                        f"{self._as_said(SEE_WORKLOADS)}",
                        code=Code.OUTSIDE_WORKLOADS,
                    )

    def _template_role_outside(self, role: str | None, at: Path) -> Iterator[Problem]:
        if role is not None and self.template_role is not None and not role.startswith(self.template_role):
            yield Problem(
                at,
                f"`{role}` is a role that this deployment may not pass on to ECR",
                f"a name that begins with `{self.template_role}`, {self._as_said(TEMPLATE_ROLE)}",
                code=Code.OUTSIDE_TEMPLATE_ROLE,
            )

    def _account_outside(self, account: str | None, at: Path) -> Iterator[Problem]:
        if account is None or self.connected is None or account in self.connected or account == self.own_account:
            return
        yield Problem(
            at,
            f"the account {account} is not connected",
            f"one of {', '.join(sorted(self.connected)) or 'none'}, {self._as_said(SPOKE_ACCOUNTS)}"
            f"{self._own_unknown(account)}",
            code=Code.OUTSIDE_SPOKE_ACCOUNTS,
        )

    def _own_unknown(self, account: str | None) -> str:
        if account is None or self.own_account is not None:
            return ""
        return f"; where it is the steward's own, say so: --parameter {OWN_ACCOUNT}={account}"

    def _as_said(self, parameter: str) -> str:
        where = self.said_in.get(parameter)
        return f"as the template's parameter {parameter} says" + (f" ({where})" if where else "")


def _copies_of(rulebook: Rulebook) -> Iterator[tuple[Path, tuple[Replicate, ...]]]:
    """Each ``replicate`` as it stands in the rulebook, with its place: also of what is only inherited."""
    for at, said in rulebook.sections:
        yield (*at, "replicate"), said.replicate or ()


def _lifecycles_of(rulebook: Rulebook) -> Iterator[tuple[Path, tuple[LifecycleEntry, ...]]]:
    """Likewise each ``lifecycle`` of repositories."""
    for at, said in rulebook.sections:
        if said.repository is not None:
            yield (*at, "repository", "lifecycle"), said.repository.lifecycle or ()


UNBOUNDED: Final = Bounds()
