"""Judging images by their scans, from facts that are read at most once however many images share them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ecr_steward.domain.images import DEPTH_LIMIT, INDEX_MEDIA_TYPES, PARTS_LIMIT, Descriptor, RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, RepositoryRef
from ecr_steward.domain.notices import ImageVerdict
from ecr_steward.domain.rules import Rule, Rules
from ecr_steward.domain.scans import Scan, ScanStatus
from ecr_steward.domain.verdict import Assessment, assess, bounded, top_images
from ecr_steward.errors import ImageNotFoundError, InvalidManifestError, RetryableError, StewardError
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.scans import Scans
from ecr_steward.usecases.reading import Remembered
from ecr_steward.usecases.verdict_memory import VerdictMemory


@dataclass
class Assessor:
    """The verdicts of one job: a batch of scans, a copy, a sweep. For the next job there is another one.

    A copy takes its time, so it forgets verdicts before it puts image tags.
    """

    rules: Rules
    registry: Registry
    scans: Scans
    now: Clock
    _children: dict[ImageRef, tuple[Descriptor, ...] | StewardError | None] = field(default_factory=dict)
    """What each index that was read points to; ``None`` for what is no index."""
    _assessments: Remembered[ImageRef, Assessment] = field(default_factory=Remembered)
    _scans: dict[ImageRef, Scan] = field(default_factory=dict)
    memory: VerdictMemory | None = None
    """What earlier sweeps have judged in one repository; without it every image is judged."""

    def has_passed(self, rule: Rule, image: ImageRef) -> bool:
        """Whether an earlier sweep saw it pass, and nothing has spoken against that since."""
        return self.memory is not None and self.memory.has_passed(rule, image)

    def assess(self, rule: Rule, digest: Digest, images: RepositoryImages) -> Assessment:
        """Judge one top image of a repository. The rule must speak of scans.

        Raises InvalidManifestError for an index that cannot be read, and whatever the ports raise; then again for
        whoever asks again.
        """
        image = ImageRef(images.repository, digest)
        return self._assessments.get(image, lambda: self._assess(rule, image, images))

    def forget_verdicts(self) -> None:
        """Judge anew from now on. What an index lists is remembered: a digest never says anything else."""
        self._scans.clear()
        self._assessments.forget()

    def forget_findings(self, *, beyond: int = 0) -> None:
        """Let go of what the scanner said of more images than so many; verdicts stay.

        Else a sweep would hold the findings of a whole registry.
        """
        if len(self._scans) > beyond:
            self._scans.clear()

    def top_images_over(self, scanned: Digest, images: RepositoryImages) -> list[Digest]:
        """The top images that the scan of an image is about: itself, and every index that leads to it; sorted.

        Raises a RetryableError where an index could not be read that may be one of them.
        """
        tops = top_images(images)
        self.read_indexes(images, tops)
        return [digest for digest in tops if digest == scanned or self._leads_to(digest, scanned, images.repository)]

    def _assess(self, rule: Rule, image: ImageRef, images: RepositoryImages) -> Assessment:
        if rule.scan is None:
            raise TypeError(f"the rule {rule.name} does not speak of scans")
        waivers = self.rules.waivers_for(image.repository)
        scans = [self._scan(ImageRef(image.repository, digest)) for digest in self.parts(image, images)]
        return assess(rule.scan, waivers, self.now().date(), scans)

    def _scan(self, image: ImageRef) -> Scan:
        if image not in self._scans:
            try:
                self._scans[image] = self.scans.scan(image)
            except ImageNotFoundError:
                self._scans[image] = Scan(image.digest, ScanStatus.MISSING, said="the image is not there")
        return self._scans[image]

    def parts(self, image: ImageRef, images: RepositoryImages) -> list[Digest]:
        """What of an image is to be scanned: itself, or of an index all images that it leads to."""
        if self.memory is not None and (known := self.memory.parts(image)):
            return list(known)
        self.read_indexes(images, [image.digest])
        parts: set[Digest] = set()
        seen = {image.digest}
        level = [image.digest]
        for _ in range(DEPTH_LIMIT + 1):
            below: list[Digest] = []
            for digest in level:
                children = self._children_of(ImageRef(image.repository, digest))
                if children is None:
                    parts.add(digest)
                    continue
                below += [child.digest for child in children if not child.runs_nowhere and child.digest not in seen]
                seen.update(below)
            if not below:
                return sorted(parts)
            if len(seen) > PARTS_LIMIT:
                break
            level = below
        raise InvalidManifestError(f"{image} has more than {DEPTH_LIMIT} levels or {PARTS_LIMIT} manifests")

    def _leads_to(self, digest: Digest, scanned: Digest, repository: RepositoryRef) -> bool:
        """Whether an index leads to an image. What lies deeper than the limit is for ``assess`` to refuse."""
        level = {digest}
        for _ in range(DEPTH_LIMIT + 1):
            below: set[Digest] = set()
            for each in level:
                children = self._children.get(ImageRef(repository, each))
                if isinstance(children, RetryableError):
                    raise children
                if isinstance(children, tuple):
                    below |= {child.digest for child in children}
            if scanned in below:
                return True
            level = below
        return False

    def _children_of(self, image: ImageRef) -> tuple[Descriptor, ...] | None:
        children = self._children[image]
        if isinstance(children, StewardError):
            raise children
        return children

    def read_indexes(self, images: RepositoryImages, digests: Iterable[Digest]) -> None:
        """Read what these lead to, level by level, all of a level at once.

        Judging reads what it needs; whoever is going to judge many images saves calls by this.
        """
        repository = images.repository
        level, seen = set(digests), set[Digest]()
        for _ in range(DEPTH_LIMIT + 1):
            seen |= level
            unknown = {digest for digest in level if ImageRef(repository, digest) not in self._children}
            asked = {digest for digest in unknown if _may_be_index(digest, images)}
            found = self.registry.children(repository, asked) if asked else {}
            self._children |= {ImageRef(repository, digest): found.get(digest) for digest in unknown}
            held = [self._children[ImageRef(repository, digest)] for digest in level]
            level = {child.digest for children in held if isinstance(children, tuple) for child in children} - seen
            if not level:
                return


def _may_be_index(digest: Digest, images: RepositoryImages) -> bool:
    """Whether an image that is there is an index, or one of which the registry does not say what it is."""
    image = images.images.get(digest)
    return image is not None and (image.media_type is None or image.media_type in INDEX_MEDIA_TYPES)


def verdict_notice(rule: Rule, image: ImageRef, assessment: Assessment) -> ImageVerdict:
    """The notice of a verdict: as much of its grounds as an event can hold, and nothing that changes by itself."""
    return ImageVerdict(
        rule=rule.name,
        image=image,
        verdict=assessment.verdict,
        reasons=bounded(assessment.reasons),
        waived=bounded(assessment.waived),
        remarks=bounded(assessment.remarks),
    )
