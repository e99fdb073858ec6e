"""What the sandbox holds before and after an invocation, and who asked it for what meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from local_ecr import AccessDecision

HOME, ABROAD = "us-east-1", "eu-west-1"

type Images = Mapping[str, frozenset[str]]
"""The image tags of each digest."""


@dataclass(frozen=True)
class RepositoryState:
    """One repository, as the ECR API shows it."""

    images: Images
    policy: str | None
    lifecycle: str | None
    mutability: str
    scan_on_push: bool
    resource_tags: Mapping[str, str]

    def tags_of(self, digest: str) -> frozenset[str]:
        return self.images.get(digest, frozenset())


@dataclass(frozen=True)
class Notice:
    """One of the steward's own events, as it came to the bus."""

    detail_type: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Login:
    """What a login does that lies in a secret: both were tried at the registry."""

    registry: RegistryRef
    pulls: bool
    """Whether the image's manifest and a layer of it came back."""
    pushes: bool
    """Whether the upload of a blob was accepted."""


@dataclass(frozen=True)
class State:
    """What the sandbox holds."""

    repositories: Mapping[RepositoryRef, RepositoryState]
    failures: frozenset[str] = frozenset()
    """Bodies of the messages on the failure queue."""
    notices: tuple[Notice, ...] = ()
    """All so far, oldest first."""
    secrets: Mapping[str, tuple[Login, ...]] = field(default_factory=dict)
    """The logins in each secret, by its name."""


@dataclass(frozen=True)
class Seen:
    """One invocation."""

    source: RepositoryRef
    """Where the image is."""
    digests: tuple[str, ...]
    """Of all manifests that belong to the image, its own first."""
    before: State
    after: State
    session: str = ""
    """ARN of the session that the function had."""
    decisions: tuple[AccessDecision, ...] = ()
    """About access, between before and after, whoever asked."""

    @property
    def image(self) -> str:
        """The image's own digest."""
        return self.digests[0]

    @property
    def home(self) -> RepositoryState | None:
        return self.after.repositories.get(self.source)

    @cached_property
    def destination(self) -> RepositoryRef:
        """Where the shipped rulebook copies the image to."""
        return self.source.in_registry(RegistryRef(self.source.registry.account, ABROAD))

    @property
    def abroad(self) -> RepositoryState | None:
        return self.after.repositories.get(self.destination)

    @property
    def new_failures(self) -> frozenset[str]:
        return self.after.failures - self.before.failures

    def new_notices(self, detail_type: str) -> list[Mapping[str, Any]]:
        """What the steward told meanwhile."""
        new = self.after.notices[len(self.before.notices) :]
        return [notice.detail for notice in new if notice.detail_type == detail_type]

    def asked(self, action: str) -> list[AccessDecision]:
        """The decisions about one IAM action, whoever asked."""
        return [decision for decision in self.decisions if decision.action == action]
