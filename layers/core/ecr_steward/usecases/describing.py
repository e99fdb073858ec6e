"""Reading what an image says of itself and who refers to it, as far as a rule about image tags asks for it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import batched

from ecr_steward.domain.images import (
    DEPTH_LIMIT,
    IMAGE_CONFIG_MEDIA_TYPES,
    INDEX_MEDIA_TYPES,
    Manifest,
    RepositoryImages,
)
from ecr_steward.domain.known_contents import Said, asked_by
from ecr_steward.domain.names import Digest, ImageRef, RepositoryRef
from ecr_steward.domain.requirements import VALUE_LIMIT, Description, Facts, shortcomings
from ecr_steward.domain.tag_plan import has_to_be_described
from ecr_steward.domain.tag_rules import Requirement, TagRules
from ecr_steward.domain.tagging import own_tags
from ecr_steward.errors import (
    DigestMismatchError,
    ImageNotFoundError,
    InvalidImageConfigError,
    InvalidManifestError,
    RetryableError,
    StewardError,
)
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.stores import ImageContent
from ecr_steward.usecases.content_memory import FEW, ContentMemory

_IMAGES_LIMIT = 1_000
"""Images that one index may lead to."""
_SAYS_NOTHING = Said("", {}, {})
_MALFORMED = (InvalidManifestError, InvalidImageConfigError, DigestMismatchError)
"""What trying again does not mend: it is a violation, and no failure of the job."""


@dataclass(frozen=True)
class Describer:
    """Finds out what images lack. It reads content only of those images of which a rule asks for it."""

    registry: Registry
    content: ImageContent
    now: Clock
    workers: int = 4
    """Images that are read at a time."""
    memory: ContentMemory | None = None
    """What is remembered of the contents of one repository; without it they are read."""

    def facts(self, rules: TagRules, images: RepositoryImages, focus: Iterable[Digest]) -> Facts:
        """What is known of these images beside their tags. One that was deleted meanwhile lacks nothing.

        What cannot be read for now hides no other image, but after an error that trying again may mend nobody is asked
        any more.
        """
        now = self.now()
        errors: list[StewardError] = []
        lacking: dict[Digest, tuple[str, ...]] = {}
        descriptions: dict[Digest, Description] = {}
        asked = [digest for digest in sorted(set(focus)) if has_to_be_described(rules, digest, images, now)]
        for digest, description in self._remembered_or_described(rules, images, asked):
            if isinstance(description, StewardError):
                errors.append(description)
            elif description and (found := tuple(shortcomings(rules, digest, images, description, now))):
                lacking[digest], descriptions[digest] = found, description
        of_a_part = replace(rules, annotations=(), companions=None)
        for digest in self._parts_of_indexes(images, descriptions):
            lacking[digest] = tuple(shortcomings(of_a_part, digest, images, descriptions[digest], now))
        return Facts(now, lacking, tuple(errors))

    def _remembered_or_described(
        self, rules: TagRules, images: RepositoryImages, asked: Sequence[Digest]
    ) -> Iterator[tuple[Digest, Description | StewardError | None]]:
        """What is remembered first, then what has to be read, which is remembered from now on."""
        if self.memory is None or not asked:
            yield from self._described(rules, images, asked)
            return
        referrers = _referrers(images) if rules.companions and rules.companions.artifact_types else {}
        unknown: list[Digest] = []
        for digest in asked:
            said = self.memory.said(digest, asked_by(rules)) if rules.labels or rules.annotations else _SAYS_NOTHING
            types = self.memory.artifact_types(referrers.get(digest, ()))
            if said is None or types is None:
                unknown.append(digest)
            else:
                yield digest, Description(said.annotations, said.labels, types)
        try:
            for digest, description in self._described(rules, images, unknown):
                if isinstance(description, Description) and not description.unreadable:
                    self.memory.note_said(digest, Said(asked_by(rules), description.annotations, description.labels))
                    self.memory.keep(at_least=FEW)
                yield digest, description
        finally:
            self.memory.keep()

    def _described(
        self, rules: TagRules, images: RepositoryImages, asked: Sequence[Digest]
    ) -> Iterator[tuple[Digest, Description | StewardError | None]]:
        """Read several images at a time: each takes some requests, and a sweep asks for thousands."""
        subjects = {image.subject for image in images.images.values()}

        def describe(digest: Digest) -> Description | StewardError | None:
            try:
                return self._describe(rules, ImageRef(images.repository, digest), digest in subjects)
            except StewardError as error:
                return error

        if len(asked) <= 1:  # an event's: no thread is worth it
            yield from ((digest, describe(digest)) for digest in asked)
            return
        with ThreadPoolExecutor(self.workers) as pool:
            for some in batched(asked, self.workers, strict=False):
                found = list(pool.map(describe, some))
                yield from zip(some, found, strict=True)
                if any(isinstance(each, RetryableError) for each in found):
                    return

    def _describe(self, rules: TagRules, image: ImageRef, has_referrers: bool) -> Description | None:
        types: frozenset[str] = frozenset()
        if rules.companions and rules.companions.artifact_types and has_referrers:
            referrers = self.content.store(image.repository).referrers(image.digest)
            if self.memory is not None:
                self.memory.note_artifact_types({each.digest: each.artifact_type or "" for each in referrers})
            types = frozenset(referrer.artifact_type for referrer in referrers if referrer.artifact_type)
        if not rules.labels and not rules.annotations:
            return Description(artifact_types=types)
        try:
            manifest = self.content.store(image.repository).manifest(image.digest)
        except ImageNotFoundError:
            return None
        except _MALFORMED as error:
            return Description(artifact_types=types, unreadable=(str(error),))
        reader = _LabelReader(image.repository, self.content, rules.labels)
        labels = dict(reader.read(manifest, 0)) if rules.labels else {}
        if reader.unreadable and not self._is_there(image):
            return None
        annotations = _asked(rules.annotations, manifest.annotations)
        return Description(annotations, labels, types, tuple(reader.unreadable))

    def _is_there(self, image: ImageRef) -> bool:
        """Whether an image is still there of which something could not be read."""
        try:
            self.content.store(image.repository).manifest(image.digest)
        except ImageNotFoundError:
            return False
        return True

    def _parts_of_indexes(self, images: RepositoryImages, suspects: Collection[Digest]) -> set[Digest]:
        """Which of these images a tagged index lists: annotations and companions are asked of the index."""
        media_types = {digest: image.media_type for digest, image in images.images.items()}
        if all(media_types[digest] in INDEX_MEDIA_TYPES for digest in suspects):
            return set()
        indexes = {digest for digest in images.holders.values() if media_types[digest] in INDEX_MEDIA_TYPES}
        if not (tagged := [digest for digest in indexes if own_tags(digest, images)]):
            return set()
        found = self.registry.children(images.repository, tagged).values()
        listed = {child.digest for children in found if not isinstance(children, StewardError) for child in children}
        return listed & set(suspects)


def _referrers(images: RepositoryImages) -> Mapping[Digest, list[Digest]]:
    """What the listing says refers to each image."""
    found: dict[Digest, list[Digest]] = {}
    for digest, image in images.images.items():
        if image.subject is not None:
            found.setdefault(image.subject, []).append(digest)
    return found


class _LabelReader:
    """Reads the labels of an image, or of each image that an index leads to but for attestations."""

    def __init__(self, repository: RepositoryRef, content: ImageContent, wanted: tuple[Requirement, ...]) -> None:
        self._repository = repository
        self._content = content
        self._wanted = wanted
        self._seen: set[Digest] = set()
        self.unreadable: list[str] = []

    def read(self, manifest: Manifest, depth: int) -> Iterator[tuple[Digest, Mapping[str, str]]]:
        self._seen.add(manifest.digest)
        if depth > DEPTH_LIMIT or len(self._seen) > _IMAGES_LIMIT:
            self.unreadable.append(
                f"{manifest.digest} is more than {DEPTH_LIMIT} levels or {_IMAGES_LIMIT} images deep"
            )
            return
        if not manifest.is_index:
            labels = self._labels(manifest)
            if labels is not None:
                yield manifest.digest, labels
            return
        for child in manifest.children:
            if child.digest in self._seen or child.runs_nowhere:
                continue
            part = self._attempt(partial(self._content.store(self._repository).manifest, child.digest))
            if part is not None:
                yield from self.read(part, depth + 1)

    def _labels(self, manifest: Manifest) -> Mapping[str, str] | None:
        config = manifest.blobs[0]
        if config.media_type not in IMAGE_CONFIG_MEDIA_TYPES:
            return {}  # a chart, or whatever else is no image, says nothing of itself there
        read = self._attempt(partial(self._content.labels, self._repository, config))
        return None if read is None else _asked(self._wanted, read)

    def _attempt[Content](self, read: Callable[[], Content]) -> Content | None:
        try:
            return read()
        except (*_MALFORMED, ImageNotFoundError) as error:
            self.unreadable.append(str(error))
            return None


def _asked(wanted: tuple[Requirement, ...], said: Mapping[str, str]) -> dict[str, str]:
    """Only what is asked for, and no more of it than matters: the rest may be megabytes, of each of many images."""
    return {each.key: said[each.key][: VALUE_LIMIT + 1] for each in wanted if each.key in said}
