"""A registry in memory that behaves as Amazon ECR does where the steward could notice.

Modelled, with the fact's source: an image that loses a tag to another stays, untagged; immutability with its exclusion
filters (PutImageTagMutability API reference); another tag for an image changes nothing of when it was pushed
(``imagePushedAt`` of DescribeImages); an image that an index lists cannot be deleted (``ImageReferencedByManifestList``
of BatchDeleteImage); and of the port, that nobody can take an image's last tag.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from types import MappingProxyType

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.adapters.memory.state import InMemoryReleases
from ecr_steward.domain.images import Descriptor, Image, RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RegistryRef, RepositoryRef
from ecr_steward.domain.policies.text import POLICY_LIMIT, is_too_long
from ecr_steward.domain.repositories import (
    SETTINGS,
    Document,
    Encryption,
    Mutability,
    Part,
    Repository,
    RepositorySettings,
    TagMutability,
)
from ecr_steward.errors import (
    ImageIsListedError,
    ImageNotFoundError,
    ImageTaggedMeanwhileError,
    ImageTagIsImmutableError,
    LastImageTagError,
    RefusedByRegistryError,
    RepositoryNotFoundError,
    StewardError,
)
from ecr_steward.ports.clock import Clock

AS_CREATED = RepositorySettings(
    mutability=TagMutability(Mutability.MUTABLE), scan_on_push=False, encryption=Encryption("AES256")
)
"""The settings of a repository that was created without any."""


class InMemoryRegistry:
    """A ``Registry``. Images that are given make their repositories where these are not given too."""

    def __init__(
        self,
        repositories: Iterable[Repository] = (),
        images: Iterable[Image] = (),
        calls: Calls | None = None,
        now: Clock = noon,
        releases: InMemoryReleases | None = None,
    ) -> None:
        self.calls = calls or Calls()
        self.releases = releases or InMemoryReleases()
        self._now = now
        self._settings = {repository.ref: repository.settings for repository in repositories}
        self._images: dict[RepositoryRef, dict[Digest, Image]] = {}
        self.scanned_by_registry: dict[RepositoryRef, str] = {}
        """How often the registry's scanning rules let these be scanned."""
        self._archived: set[ImageRef] = set()
        self.before_deletion: Callable[[], None] = lambda: None
        """What happens after ``delete_image`` has read the tags of an image, and before it deletes them."""
        self._children: dict[ImageRef, tuple[Descriptor, ...] | StewardError] = {}
        for image in images:
            self.create_missing(image.ref.repository)
            self._put(image)

    # ------------------------------------------------------------------ what tests do and see

    def create_missing(self, repository: RepositoryRef) -> None:
        """Have a repository, as created without any settings where it is not there."""
        self._settings.setdefault(repository, AS_CREATED)

    def push(self, image: Image) -> None:
        """Put an image with its image tags as a client would: immutable tags refuse, others move."""
        self.settings_of(image.ref.repository)
        for image_tag in image.image_tags:
            self._refuse_immutable(image.ref, image_tag)
        self._put(image)

    def record_pull(self, image: ImageRef) -> None:
        """Have somebody have pulled an image just now."""
        self._images[image.repository][image.digest] = replace(self._image(image), last_pulled_at=self._now())

    def hold_children(self, index: ImageRef, children: tuple[Descriptor, ...] | StewardError) -> None:
        """Have an index point to these, or be one that cannot be read."""
        self._children[index] = children

    def change_settings(self, repository: RepositoryRef, **settings: object) -> None:
        """Change some settings of a repository, without a recorded call."""
        self._settings[repository] = replace(self.settings_of(repository), **settings)  # type: ignore[arg-type]

    def restore(self, image: Image) -> None:
        """Put an image with its image tags past all immutability: the repository was not always governed."""
        self._put(image)

    def take_tag(self, image: ImageRef, image_tag: ImageTag) -> None:
        """Take a tag from an image, as somebody by hand."""
        held = self._image(image)
        self._images[image.repository][image.digest] = replace(held, image_tags=held.image_tags - {image_tag})

    def delete(self, image: ImageRef) -> None:
        """Remove an image and its tags, as somebody by hand."""
        self._images_of(image.repository).pop(image.digest, None)

    def archive(self, image: ImageRef) -> None:
        """Put an image into the archive, as somebody by hand."""
        self._image(image)
        self.delete(image)
        self._archived.add(image)

    def holds(self, image: ImageRef) -> bool:
        """Whether the image is there."""
        return image.digest in self._images.get(image.repository, {})

    def tags_of(self, image: ImageRef) -> frozenset[ImageTag]:
        """The image tags that this image holds; none where there is no such image."""
        held = self._images.get(image.repository, {}).get(image.digest)
        return held.image_tags if held else frozenset()

    def images_in(self, repository: RepositoryRef) -> frozenset[Image]:
        """Everything in a repository, tagged or not; empty where there is no repository."""
        return frozenset(self._images.get(repository, {}).values())

    def settings_of(self, repository: RepositoryRef) -> RepositorySettings:
        """The settings of a repository, without a recorded call."""
        if repository not in self._settings:
            raise RepositoryNotFoundError(f"there is no repository {repository}")
        return self._settings[repository]

    # ------------------------------------------------------------------ the port

    def repositories(self, registry: RegistryRef) -> Iterator[Repository]:
        with self.calls.record("repositories", registry):
            for ref in sorted(ref for ref in self._settings if ref.registry == registry):
                yield self._with(Repository.unread(ref), {Part.DESCRIPTION})

    def described(self, registry: RegistryRef, names: Sequence[str]) -> Iterator[Repository]:
        with self.calls.record("described", registry):
            for name in names:
                yield self._with(Repository.unread(RepositoryRef(registry, name)), {Part.DESCRIPTION})

    def with_registry_scanning(self, registry: RegistryRef, repositories: Sequence[Repository]) -> Iterator[Repository]:
        with self.calls.record("with_registry_scanning", registry):
            there = [each for each in repositories if each.ref in self._settings]
            yield from (self._with(each, {Part.REGISTRY_SCANNING}) for each in there)

    def repository(self, of: RepositoryRef | Repository, parts: Set[Part] = SETTINGS) -> Repository:
        repository = of if isinstance(of, Repository) else Repository.unread(of)
        if not parts - repository.read:
            return repository
        with self.calls.record("repository", repository.ref):
            return self._with(repository, parts - repository.read)

    def resource_tags(self, repository: RepositoryRef) -> Mapping[str, str]:
        with self.calls.record("resource_tags", repository):
            return dict(self.settings_of(repository).resource_tags)

    def images(self, repository: RepositoryRef) -> RepositoryImages:
        with self.calls.record("images", repository):
            released = ((each.image.digest, each.image_tag) for each in self.releases.of(repository))
            archived = (image.digest for image in self._archived if image.repository == repository)
            return RepositoryImages.of(repository, self._images_of(repository).values(), released, archived)

    def children(
        self, repository: RepositoryRef, digests: Iterable[Digest]
    ) -> Mapping[Digest, tuple[Descriptor, ...] | StewardError]:
        asked = sorted(set(digests))
        with self.calls.record("children", repository, *asked):
            there = self._images_of(repository)
            indexes = {digest: ImageRef(repository, digest) for digest in asked if digest in there}
            return {digest: self._children[ref] for digest, ref in indexes.items() if ref in self._children}

    def add_image_tag(self, image: ImageRef, image_tag: ImageTag) -> None:
        with self.calls.record("add_image_tag", image, image_tag):
            held = self._image(image)
            self._refuse_immutable(image, image_tag)
            self._put(replace(held, image_tags=held.image_tags | {image_tag}))

    def remove_image_tag(self, image: ImageRef, image_tag: ImageTag) -> None:
        with self.calls.record("remove_image_tag", image, image_tag):
            held = self._images_of(image.repository).get(image.digest)
            if held is None or image_tag not in held.image_tags:
                return
            left = held.image_tags - {image_tag}
            if not left:
                raise LastImageTagError(f"{image_tag} is the last image tag of {image}")
            self._images[image.repository][image.digest] = replace(held, image_tags=left)

    def delete_image(self, image: ImageRef, image_tags: Set[ImageTag]) -> None:
        with self.calls.record("delete_image", image, image_tags):
            held = self._images_of(image.repository).get(image.digest)
            if held is None:
                return
            if others := held.image_tags - image_tags:
                raise ImageTaggedMeanwhileError(f"{image} holds another image tag now: {', '.join(sorted(others))}")
            self.before_deletion()
            now = self._image(image)
            left = now.image_tags - held.image_tags
            if held.image_tags and (left or not now.image_tags):
                self._images[image.repository][image.digest] = replace(now, image_tags=left)
                raise ImageTaggedMeanwhileError(f"{image} holds {', '.join(sorted(left)) or 'no image tag'} now")
            if indexes := self._indexes_of(image):
                last = frozenset(sorted(now.image_tags)[-1:])
                self._images[image.repository][image.digest] = replace(now, image_tags=last)
                raise ImageIsListedError(f"{image} is listed by {', '.join(map(str, indexes))}")
            self.delete(image)

    def create_repository(
        self,
        repository: RepositoryRef,
        mutability: TagMutability | None,
        encryption: Encryption | None = None,
        resource_tags: Mapping[str, str] = MappingProxyType({}),
    ) -> bool:
        with self.calls.record("create_repository", repository, mutability):
            created = replace(AS_CREATED, mutability=mutability) if mutability else AS_CREATED
            created = replace(created, encryption=encryption) if encryption else created
            created = replace(created, resource_tags=resource_tags) if resource_tags else created
            is_new = repository not in self._settings
            self._settings.setdefault(repository, created)
            return is_new

    def set_repository_policy(self, repository: RepositoryRef, document: Document) -> None:
        with self.calls.record("set_repository_policy", repository, document):
            if "Statement" not in document:
                raise RefusedByRegistryError(f"{repository}: a repository policy has statements")
            if is_too_long(document):
                raise RefusedByRegistryError(f"{repository}: a repository policy has at most {POLICY_LIMIT} characters")
            self.change_settings(repository, policy=document)

    def delete_repository_policy(self, repository: RepositoryRef) -> None:
        with self.calls.record("delete_repository_policy", repository):
            self.change_settings(repository, policy=None)

    def put_lifecycle_policy(self, repository: RepositoryRef, document: Document) -> None:
        with self.calls.record("put_lifecycle_policy", repository, document):
            if not document.get("rules"):
                raise RefusedByRegistryError(f"{repository}: a lifecycle policy has rules")
            self.change_settings(repository, lifecycle=document)

    def delete_lifecycle_policy(self, repository: RepositoryRef) -> None:
        with self.calls.record("delete_lifecycle_policy", repository):
            self.change_settings(repository, lifecycle=None)

    def put_tag_mutability(self, repository: RepositoryRef, mutability: TagMutability) -> None:
        with self.calls.record("put_tag_mutability", repository, mutability):
            self.change_settings(repository, mutability=mutability)

    def put_scan_on_push(self, repository: RepositoryRef, scan_on_push: bool) -> None:
        with self.calls.record("put_scan_on_push", repository, scan_on_push):
            self.change_settings(repository, scan_on_push=scan_on_push)

    def add_resource_tags(self, repository: RepositoryRef, resource_tags: Mapping[str, str]) -> None:
        with self.calls.record("add_resource_tags", repository, resource_tags):
            self.change_settings(
                repository, resource_tags={**self.settings_of(repository).resource_tags, **resource_tags}
            )

    # ------------------------------------------------------------------ inside

    def _with(self, repository: Repository, parts: Set[Part]) -> Repository:
        """A repository with these parts of what is there."""
        there, known = self.settings_of(repository.ref), repository.settings
        parts_of = {
            "policy": Part.POLICY,
            "lifecycle": Part.LIFECYCLE,
            "resource_tags": Part.RESOURCE_TAGS,
            "mutability": Part.DESCRIPTION,
            "scan_on_push": Part.DESCRIPTION,
            "encryption": Part.DESCRIPTION,
        }
        read = {name: getattr(there, name) for name, part in parts_of.items() if part in parts}
        decided = self.scanned_by_registry.get(repository.ref) if Part.REGISTRY_SCANNING in parts else None
        return replace(
            repository,
            settings=replace(known, **read),
            read=repository.read | parts,
            scanned_by_registry=decided or repository.scanned_by_registry,
        )

    def _images_of(self, repository: RepositoryRef) -> dict[Digest, Image]:
        self.settings_of(repository)
        return self._images.setdefault(repository, {})

    def _indexes_of(self, image: ImageRef) -> list[Digest]:
        """The indexes that list an image."""
        return sorted(
            index.digest
            for index, children in self._children.items()
            if index.repository == image.repository
            and self.holds(index)
            and not isinstance(children, StewardError)
            and any(child.digest == image.digest for child in children)
        )

    def _image(self, ref: ImageRef) -> Image:
        image = self._images_of(ref.repository).get(ref.digest)
        if image is None:
            raise ImageNotFoundError(f"there is no image {ref}")
        return image

    def _put(self, image: Image) -> None:
        """Hold an image and add its tags to those it has. Whoever held one of them stays, without it.

        What it is asked to hold it holds; what is not said of it stays as it was, or is as of a push just now.
        """
        self._archived.discard(image.ref)  # a push brings back what was archived
        images = self._images_of(image.ref.repository)
        for digest, other in images.items():
            images[digest] = replace(other, image_tags=other.image_tags - image.image_tags)
        before = images.get(image.digest, image)
        images[image.digest] = replace(
            image,
            image_tags=before.image_tags | image.image_tags,
            size=before.size if image.size is None else image.size,
            artifact_media_type=image.artifact_media_type or before.artifact_media_type,
            pushed_at=image.pushed_at or before.pushed_at or self._now(),
            last_pulled_at=image.last_pulled_at or before.last_pulled_at,
        )

    def _refuse_immutable(self, image: ImageRef, image_tag: ImageTag) -> None:
        holders = {tag: held.digest for held in self._images_of(image.repository).values() for tag in held.image_tags}
        if holders.get(image_tag, image.digest) == image.digest:
            return
        mutability = self.settings_of(image.repository).mutability or TagMutability(Mutability.MUTABLE)
        if _is_immutable(mutability, image_tag):
            raise ImageTagIsImmutableError(f"{image.repository}: the tag {image_tag} cannot move to {image.digest}")


def _is_immutable(mutability: TagMutability, image_tag: ImageTag) -> bool:
    excluded = any(
        re.fullmatch(".*".join(re.escape(part) for part in exclusion.split("*")), image_tag)
        for exclusion in mutability.exclusions
    )
    match mutability.mode:
        case Mutability.MUTABLE:
            return False
        case Mutability.IMMUTABLE:
            return True
        case Mutability.IMMUTABLE_WITH_EXCLUSION:
            return not excluded
        case Mutability.MUTABLE_WITH_EXCLUSION:
            return excluded
        case _:
            return False  # a word of a newer ECR: what it refuses is not known
