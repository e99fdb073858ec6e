"""The rules, as the use cases see them. ``ecr_steward.rulebook`` compiles them from the rulebook file.

Patterns arrive compiled: a ``Matcher`` answers for one text, and says how the rulebook spelled it. So the domain
needs no pattern library, and a pattern that could hang a function cannot get this far.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.repositories import RepositorySettings
from ecr_steward.domain.scans import Severity
from ecr_steward.domain.tag_rules import TagRules


class Mode(StrEnum):
    """What a rule may do. ``observe`` plans and reports, ``enforce`` also applies."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


@dataclass(frozen=True)
class Destination:
    """Where an image is copied to. ``None`` means: as at the source."""

    region: str | None = None
    repository: str | None = None
    """Another name, with ``{name}`` for the source's."""
    account: str | None = None

    def registry(self, source: RegistryRef) -> RegistryRef:
        """The registry that this destination means for a source registry."""
        return RegistryRef(self.account or source.account, self.region or source.region)

    def of(self, source: RepositoryRef) -> RepositoryRef:
        """The repository that this destination means for a source repository."""
        name = (self.repository or "{name}").replace("{name}", source.name)
        return RepositoryRef(self.registry(source.registry), name)


class Condition(StrEnum):
    """What an image has to be before it is copied."""

    SCAN_PASSED = "scan_passed"
    """The verdict on its scans is a pass, derived again when it is copied."""


@dataclass(frozen=True)
class ReplicationRules:
    """One ``replicate`` entry: which images go where, and when."""

    to: tuple[Destination, ...]
    tags: tuple[Matcher, ...] = ()
    """Empty means every tag that the rule's image tag rules do not object to."""
    referrers: bool = True
    """Whether signatures, SBOMs and attestations travel along."""
    when: frozenset[Condition] = frozenset()
    """Empty: at once."""


class Unscannable(StrEnum):
    """The verdict on what a scanner cannot scan."""

    FAIL = "fail"
    PASS = "pass"  # noqa: S105 - no password


@dataclass(frozen=True)
class ScanRules:
    """Which findings an image may have."""

    fail_on: Severity
    """This severity and all above it fail, unless they are waived."""
    unscannable: Unscannable = Unscannable.FAIL


@dataclass(frozen=True)
class Waiver:
    """A finding that is tolerated for a time, in some repositories."""

    finding: str
    """Such as ``CVE-2026-12345``."""
    repositories: tuple[Matcher, ...]
    until: date
    """The last day on which it holds, in UTC."""
    reason: str
    owner: str | None = None

    def covers(self, repository: RepositoryRef) -> bool:
        """Whether the waiver speaks about this repository, whatever its account and region."""
        return any(pattern.matches(repository.name) for pattern in self.repositories)

    def holds_on(self, day: date) -> bool:
        """Whether the waiver has not expired."""
        return day <= self.until


@dataclass(frozen=True)
class CredentialRegistry:
    """A registry that a credential is for. ``None`` means: that of the steward itself."""

    account: str | None = None
    region: str | None = None

    def registry(self, home: RegistryRef) -> RegistryRef:
        """The registry that is meant where the steward stands in ``home``."""
        return RegistryRef(self.account or home.account, self.region or home.region)


class SecretFormat(StrEnum):
    """What a sink holds."""

    DOCKER_CONFIG = "dockerconfigjson"
    """``{"auths": {"<host>": {"auth": ...}}}``, which Docker, Kubernetes and External Secrets read."""


@dataclass(frozen=True)
class SecretSink:
    """A secret of AWS Secrets Manager, in the steward's own account and region."""

    secret: str
    format: SecretFormat = SecretFormat.DOCKER_CONFIG


@dataclass(frozen=True)
class Credential:
    """A registry login that is kept fresh in other places."""

    name: str
    role: str
    """Name of the IAM role, in the registry's account, that the token is fetched under, and so speaks as."""
    registries: tuple[CredentialRegistry, ...]
    sinks: tuple[SecretSink, ...]


@dataclass(frozen=True)
class Match:
    """Which repositories a rule speaks about."""

    repositories: tuple[Matcher, ...]
    accounts: tuple[Matcher, ...] = ()
    regions: tuple[Matcher, ...] = ()

    def covers(self, repository: RepositoryRef) -> bool:
        """Whether the rule speaks about this repository."""
        return (
            any(pattern.matches(repository.name) for pattern in self.repositories)
            and _any_or_none(self.accounts, repository.registry.account)
            and _any_or_none(self.regions, repository.registry.region)
        )


@dataclass(frozen=True)
class Rule:
    """One named rule. Every step and violation carries its name."""

    name: str
    match: Match
    mode: Mode = Mode.OBSERVE
    image_tags: TagRules | None = None
    repository: Callable[[RepositoryRef], RepositorySettings] | None = None
    """The wanted settings for a repository: a policy names the account it stands in."""
    scan: ScanRules | None = None
    replicate: tuple[ReplicationRules, ...] = ()


@dataclass(frozen=True)
class Rules:
    """A whole rulebook, compiled. Of the rules that cover a repository, the first one governs it."""

    rules: tuple[Rule, ...]
    waivers: tuple[Waiver, ...] = ()
    credentials: tuple[Credential, ...] = ()

    def rule_for(self, repository: RepositoryRef) -> Rule | None:
        """The rule that governs this repository, or ``None``: the steward leaves it alone."""
        return next((rule for rule in self.rules if rule.match.covers(repository)), None)

    def waivers_for(self, repository: RepositoryRef) -> tuple[Waiver, ...]:
        """The waivers that were given for this repository, expired or not."""
        return tuple(waiver for waiver in self.waivers if waiver.covers(repository))


def _any_or_none(patterns: tuple[Matcher, ...], text: str) -> bool:
    return not patterns or any(pattern.matches(text) for pattern in patterns)
