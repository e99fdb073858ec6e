"""Settings of a whole registry: how they are, how the rulebook wants them, and the steps that change them.

Documents are kept as ECR tells them, whole: a rule of a newer ECR may hold members that nobody here knows, and they
come back to ECR when the rule is written again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from ecr_steward.domain.asked import Asked, Overwriting
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.policies.openings import Opening
from ecr_steward.domain.repositories import Document, Encryption, TagMutability


class Part(StrEnum):
    """A setting of a registry that a rule decides as one: the keys of an entry of ``registries``."""

    ACCOUNT_SETTINGS = "account_settings"
    POLICY = "policy"
    SCANNING = "scanning"
    CREATION_TEMPLATES = "creation_templates"
    REPLICATION = "replication"


@dataclass(frozen=True)
class CreationTemplate:
    """What ECR gives to the repositories that it creates below a prefix.

    Read from ECR it is complete; in a rule, ``None`` means "leave this as it is".
    """

    prefix: str
    """``ROOT`` is for all that no other template is for."""
    applied_for: frozenset[str]
    """What makes ECR create by it, in its words: ``REPLICATION``, ``PULL_THROUGH_CACHE``, ``CREATE_ON_PUSH``."""
    description: str | None = None
    mutability: TagMutability | None = None
    policy: Document | None = None
    lifecycle: Document | None = None
    """In a rule, one without rules means that there is to be none."""
    encryption: Encryption | None = None
    resource_tags: Mapping[str, str] = field(default_factory=dict)
    """In a rule, those that there have to be; others stay."""
    role: str | None = None
    """The ARN of the role that ECR creates the repository as."""

    @property
    def key(self) -> str:
        """The prefix without the slash at its end, which ECR implies."""
        return self.prefix.removesuffix("/")


@dataclass(frozen=True)
class RegistrySettings:
    """A registry's settings as read at one moment; what nobody asked for is not read and holds what is here."""

    policy: Document | None = None
    """``None`` where the registry has none."""
    scanning: Document = field(default_factory=lambda: {"scanType": "BASIC", "rules": []})
    """``scanningConfiguration`` of GetRegistryScanningConfiguration."""
    replication: Document = field(default_factory=lambda: {"rules": []})
    """``replicationConfiguration`` of DescribeRegistry."""
    creation_templates: Mapping[str, CreationTemplate] = field(default_factory=dict)
    """By their keys."""
    account_settings: Mapping[str, str] = field(default_factory=dict)
    """By name, such as ``BLOB_MOUNTING``."""


@dataclass(frozen=True)
class WantedPolicy:
    """The statements that a registry policy has to hold, each with a ``Sid``."""

    statements: tuple[Document, ...] = ()
    keeps_foreign: bool = True
    """Whether statements stay that the rulebook does not know."""


@dataclass(frozen=True)
class WantedScanning:
    """The whole scanning configuration: which repositories are scanned when, by ECR's own filters."""

    type: str
    """``BASIC`` or ``ENHANCED``."""
    rules: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Filters by frequency, such as ``SCAN_ON_PUSH``."""


@dataclass(frozen=True)
class NativeReplication:
    """One rule of the replication configuration, known by its prefixes."""

    prefixes: frozenset[str]
    """Beginnings of repository names; none means every repository."""
    destinations: frozenset[RegistryRef]
    deletes: bool | None = None
    """Whether deletions are replicated, too; ``None`` leaves that as it is."""

    def covers(self, name: str) -> bool:
        """Whether it is about repositories of this name."""
        return not self.prefixes or name.startswith(tuple(self.prefixes))


@dataclass(frozen=True)
class WantedReplication:
    """What ECR itself copies."""

    rules: tuple[NativeReplication, ...] = ()
    keeps_foreign: bool = True
    """Whether rules stay whose prefixes the rulebook does not name."""
    backfill: bool = False
    """Whether ECR copies, too, what was there before."""


@dataclass(frozen=True)
class WantedSettings:
    """What one rule wants of a registry. ``None`` means: it does not say."""

    policy: WantedPolicy | None = None
    scanning: WantedScanning | None = None
    replication: WantedReplication | None = None
    creation_templates: tuple[CreationTemplate, ...] | None = None
    account_settings: Mapping[str, str] | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is said, in the order in which it is to be written.

        The scope of the registry policy before the policy, and templates before the replication that creates by them.
        """
        return tuple(part for part in Part if getattr(self, part) is not None)

    def only(self, *parts: Part) -> "WantedSettings":
        """The same, silent about everything else."""
        return WantedSettings(**{part.value: getattr(self, part) for part in parts})


# ---------------------------------------------------------------- steps


@dataclass(frozen=True, kw_only=True)
class PutAccountSetting(Asked):
    """Set one account setting of a registry."""

    registry: RegistryRef
    name: str
    value: str

    def __str__(self) -> str:
        return f"set the account setting {self.name} of registry {self.registry} to {self.value}"


@dataclass(frozen=True, kw_only=True)
class PutRegistryPolicy(Overwriting):
    """Replace the registry policy."""

    registry: RegistryRef
    document: Document
    takes_away: bool = False
    """Whether something that the policy allows now is no longer in it."""
    opens: frozenset[Opening] = frozenset()
    """What it opens to other accounts, organizations or the public, and the policy that is there does not."""

    def __str__(self) -> str:
        return f"put the registry policy of registry {self.registry}"


@dataclass(frozen=True, kw_only=True)
class DeleteRegistryPolicy(Overwriting):
    """Delete the registry policy, of which nothing is left: ECR takes no empty one."""

    is_destructive: ClassVar[bool] = True
    registry: RegistryRef

    def __str__(self) -> str:
        return f"delete the registry policy of registry {self.registry}"


@dataclass(frozen=True, kw_only=True)
class PutRegistryScanning(Asked):
    """Replace the scanning configuration."""

    registry: RegistryRef
    document: Document

    def __str__(self) -> str:
        return f"put the scanning configuration of registry {self.registry}"


@dataclass(frozen=True, kw_only=True)
class PutCreationTemplate(Asked):
    """Create a creation template, or change what the step holds of one that is there."""

    registry: RegistryRef
    template: CreationTemplate
    is_new: bool
    opens: frozenset[Opening] = frozenset()
    """What repositories that are created by it open, and those by the template that is there do not."""

    def __str__(self) -> str:
        does = "create" if self.is_new else "change"
        return f"{does} the creation template {self.template.prefix} of registry {self.registry}"


@dataclass(frozen=True, kw_only=True)
class PutReplicationConfiguration(Overwriting):
    """Replace the replication configuration."""

    registry: RegistryRef
    document: Document
    takes_away: bool = False
    """Whether what is deleted here is deleted there from now on, as it was not before."""

    def __str__(self) -> str:
        return f"put the replication configuration of registry {self.registry}"


type RegistrySettingsStep = (
    PutAccountSetting
    | PutRegistryPolicy
    | DeleteRegistryPolicy
    | PutRegistryScanning
    | PutCreationTemplate
    | PutReplicationConfiguration
)
"""A change of a whole registry's settings. None of them leans on another."""
