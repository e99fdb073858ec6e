"""Plans: what should change, why, and which rule asks for it. A plan is data that a person can read.

A step names everything that the change needs, so applying it decides nothing. A plan is empty when all is well.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ecr_steward.domain.images import Descriptor
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.repositories import Document, TagMutability


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """Every step says who asks for it and why."""

    rule: str
    why: str


@dataclass(frozen=True, kw_only=True)
class AddImageTag(_Asked):
    """Let an image hold an image tag, moving the tag from ``previous`` where another image holds it."""

    image: ImageRef
    image_tag: ImageTag
    previous: Digest | None = None


@dataclass(frozen=True, kw_only=True)
class RemoveImageTag(_Asked):
    """Take an image tag from exactly this image. Never planned for an image's only tag: ECR would delete the image."""

    image: ImageRef
    image_tag: ImageTag


@dataclass(frozen=True, kw_only=True)
class CreateRepository(_Asked):
    """Create a repository; the settings follow as steps of their own."""

    repository: RepositoryRef
    mutability: TagMutability | None = None


@dataclass(frozen=True, kw_only=True)
class SetRepositoryPolicy(_Asked):
    """Replace the repository policy."""

    repository: RepositoryRef
    document: Document


@dataclass(frozen=True, kw_only=True)
class PutLifecyclePolicy(_Asked):
    """Replace the lifecycle policy."""

    repository: RepositoryRef
    document: Document


@dataclass(frozen=True, kw_only=True)
class PutTagMutability(_Asked):
    """Set which image tags may move."""

    repository: RepositoryRef
    mutability: TagMutability


@dataclass(frozen=True, kw_only=True)
class PutScanOnPush(_Asked):
    """Switch basic scanning on push on or off."""

    repository: RepositoryRef
    scan_on_push: bool


@dataclass(frozen=True, kw_only=True)
class AddResourceTags(_Asked):
    """Set these resource tags of the repository; others stay as they are."""

    repository: RepositoryRef
    resource_tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class CopyBlob(_Asked):
    """Copy a layer or config to the destination repository."""

    source: RepositoryRef
    destination: RepositoryRef
    blob: Descriptor


@dataclass(frozen=True, kw_only=True)
class CopyManifest(_Asked):
    """Copy a manifest or index, byte for byte and untagged. Comes after all that it points to."""

    source: RepositoryRef
    destination: RepositoryRef
    manifest: Descriptor


type RegistryStep = (
    AddImageTag
    | RemoveImageTag
    | CreateRepository
    | SetRepositoryPolicy
    | PutLifecyclePolicy
    | PutTagMutability
    | PutScanOnPush
    | AddResourceTags
)
"""A change by a call of the registry's API."""
type ContentStep = CopyBlob | CopyManifest
"""A change by moving bytes."""
type Step = RegistryStep | ContentStep
"""One intended change."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A breach of a rule, found in the facts."""

    rule: str
    image: ImageRef
    image_tag: ImageTag
    why: str


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
