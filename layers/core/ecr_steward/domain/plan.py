"""Plans: what should change, why, and which rule asks for it. A plan is data that a person can read.

A step names everything that the change needs, so applying it decides nothing. A plan is empty when all is well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ecr_steward.domain.asked import Asked, Overwriting
from ecr_steward.domain.backfills import StartReplicationBackfill
from ecr_steward.domain.images import Descriptor
from ecr_steward.domain.names import (
    AnyRepository,
    Digest,
    ImageRef,
    ImageTag,
    OtherRepository,
    RegistryRef,
    RepositoryRef,
)
from ecr_steward.domain.policies.openings import Opening
from ecr_steward.domain.registries import RegistrySettingsStep
from ecr_steward.domain.repositories import Document, Encryption, TagMutability


@dataclass(frozen=True, kw_only=True)
class AddImageTag(Asked):
    """Let an image hold an image tag, moving the tag from ``previous`` where another image holds it."""

    image: ImageRef
    image_tag: ImageTag
    previous: Digest | None = None

    def __str__(self) -> str:
        moved = f", moving it from {self.previous}" if self.previous else ""
        return f"add image tag {self.image_tag} to {self.image}{moved}"


@dataclass(frozen=True, kw_only=True)
class RemoveImageTag(Asked):
    """Take an image tag from exactly this image. Never planned for an image's only tag: ECR would delete the image."""

    is_destructive: ClassVar[bool] = True
    image: ImageRef
    image_tag: ImageTag

    def __str__(self) -> str:
        return f"remove image tag {self.image_tag} from {self.image}"


@dataclass(frozen=True, kw_only=True)
class DeleteAndRetag(Asked):
    """Move an image tag that is immutable: take it from ``previous``, then give it to the image.

    In between nobody can pull it. ``previous`` keeps another image tag. Where the second half is missing, the next plan
    adds the tag.
    """

    image: ImageRef
    image_tag: ImageTag
    previous: Digest

    def __str__(self) -> str:
        return f"delete image tag {self.image_tag} from {self.previous} and add it to {self.image}"


@dataclass(frozen=True, kw_only=True)
class DeleteImage(Asked):
    """Delete an image with its image tags: a tagged one by these, an untagged one by its digest.

    Comes after every index that lists it.
    """

    is_destructive: ClassVar[bool] = True
    image: ImageRef
    image_tags: frozenset[ImageTag] = frozenset()
    """What it holds as far as the plan knows: with any other image tag it is another decision."""
    belongs_to: frozenset[Digest] = frozenset()
    """Images that go before it, since it is theirs: where one of them stays after all, so does this one."""

    def __str__(self) -> str:
        if not self.image_tags:
            return f"delete untagged image {self.image}"
        return f"delete image {self.image} by its image tags {', '.join(sorted(self.image_tags))}"


@dataclass(frozen=True, kw_only=True)
class CreateRepository(Asked):
    """Create a repository; the settings that can follow do so as steps of their own."""

    repository: RepositoryRef
    mutability: TagMutability | None = None
    encryption: Encryption | None = None
    resource_tags: Mapping[str, str] = field(default_factory=dict)
    """Those that it has from its first moment on; others are a step of their own."""

    def __str__(self) -> str:
        return f"create repository {self.repository}"


@dataclass(frozen=True, kw_only=True)
class SetRepositoryPolicy(Overwriting):
    """Replace the repository policy."""

    repository: RepositoryRef
    document: Document
    takes_away: bool = False
    """Whether somebody may be allowed less than by the policy that is there."""
    opens: frozenset[Opening] = frozenset()
    """What it opens to other accounts, organizations or the public, and the policy that is there does not."""

    def __str__(self) -> str:
        return f"set the repository policy of {self.repository}"


@dataclass(frozen=True, kw_only=True)
class DeleteRepositoryPolicy(Overwriting):
    """Have no repository policy."""

    is_destructive: ClassVar[bool] = True
    repository: RepositoryRef

    def __str__(self) -> str:
        return f"delete the repository policy of {self.repository}"


@dataclass(frozen=True, kw_only=True)
class PutLifecyclePolicy(Overwriting):
    """Replace the lifecycle policy."""

    repository: RepositoryRef
    document: Document

    def __str__(self) -> str:
        return f"put the lifecycle policy of {self.repository}"


@dataclass(frozen=True, kw_only=True)
class DeleteLifecyclePolicy(Overwriting):
    """Have no lifecycle policy."""

    repository: RepositoryRef

    def __str__(self) -> str:
        return f"delete the lifecycle policy of {self.repository}"


@dataclass(frozen=True, kw_only=True)
class PutTagMutability(Asked):
    """Set which image tags may move."""

    repository: RepositoryRef
    mutability: TagMutability

    def __str__(self) -> str:
        return f"make image tags of {self.repository} {self.mutability}"


@dataclass(frozen=True, kw_only=True)
class PutScanOnPush(Asked):
    """Switch basic scanning on push on or off."""

    repository: RepositoryRef
    scan_on_push: bool

    def __str__(self) -> str:
        return f"switch scan on push of {self.repository} {'on' if self.scan_on_push else 'off'}"


@dataclass(frozen=True, kw_only=True)
class AddResourceTags(Asked):
    """Set these resource tags of the repository; others stay as they are."""

    repository: RepositoryRef
    resource_tags: Mapping[str, str]

    def __str__(self) -> str:
        pairs = ", ".join(f"{key}={value}" for key, value in sorted(self.resource_tags.items()))
        return f"add resource tags {pairs} to {self.repository}"


@dataclass(frozen=True, kw_only=True)
class CopyBlob(Asked):
    """Copy a layer or config to the destination repository."""

    source: RepositoryRef
    destination: AnyRepository
    blob: Descriptor

    def __str__(self) -> str:
        return f"copy blob {self.blob.digest} ({self.blob.size} bytes) to {self.destination}"


@dataclass(frozen=True, kw_only=True)
class CopyManifest(Asked):
    """Copy a manifest or index, byte for byte and untagged. Comes after all that it points to."""

    source: RepositoryRef
    destination: AnyRepository
    manifest: Descriptor

    def __str__(self) -> str:
        return f"copy manifest {self.manifest.digest} to {self.destination}"


@dataclass(frozen=True, kw_only=True)
class PutImageTag(Asked):
    """Let an image hold an image tag in a registry that is not ECR, where ``previous`` may hold it by now."""

    source: RepositoryRef
    """Where the bytes of its manifest are read."""
    destination: OtherRepository
    digest: Digest
    image_tag: ImageTag
    previous: Digest | None = None

    def __str__(self) -> str:
        moved = f", moving it from {self.previous}" if self.previous else ""
        return f"put image tag {self.image_tag} on {self.digest} in {self.destination}{moved}"


@dataclass(frozen=True, kw_only=True)
class PublishCredential(Asked):
    """Put fresh logins to these registries into a sink. ``rule`` is the credential's name; a step holds no login."""

    sink: str
    """The secret's name."""
    role: str
    """Whom the logins speak as."""
    registries: tuple[RegistryRef, ...]
    replaces_dead: bool = False
    """Whether the sink was fresh, but a registry refused a login that lay in it."""

    def __str__(self) -> str:
        return f"publish logins to {', '.join(map(str, self.registries))} as {self.role} in the secret {self.sink}"


type RegistryStep = (
    AddImageTag
    | RemoveImageTag
    | DeleteAndRetag
    | DeleteImage
    | CreateRepository
    | SetRepositoryPolicy
    | DeleteRepositoryPolicy
    | PutLifecyclePolicy
    | DeleteLifecyclePolicy
    | PutTagMutability
    | PutScanOnPush
    | AddResourceTags
)
"""A change by a call of the registry's API."""
type ContentStep = CopyBlob | CopyManifest | PutImageTag
"""A change by moving bytes."""
type Step = RegistryStep | ContentStep | PublishCredential | RegistrySettingsStep | StartReplicationBackfill
"""One intended change."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A breach of a rule, found in the facts."""

    rule: str
    subject: ImageRef | RepositoryRef
    why: str
    image_tag: ImageTag | None = None
    """Which of the image's tags broke the rule, where it is not the image or the repository as a whole."""


@dataclass(frozen=True)
class Plan:
    """The steps that bring one subject back to its rules, in the order in which they are applied."""

    steps: tuple[Step, ...] = ()
    violations: tuple[Violation, ...] = ()
    remarks: tuple[str, ...] = ()
    """What a reader should know although nothing is done about it, such as "the tag has moved since"."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to change. Violations that are only reported do not count."""
        return not self.steps

    def __add__(self, other: "Plan") -> "Plan":
        return Plan(self.steps + other.steps, self.violations + other.violations, self.remarks + other.remarks)


NOTHING = Plan()
