"""What a repository holds as one whole: which images belong to others, and what goes when something goes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import heapify, heappop, heappush

from ecr_steward.domain.circles import circles
from ecr_steward.domain.images import Descriptor, RepositoryImages
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.domain.plan import AddImageTag, DeleteAndRetag, DeleteImage, RemoveImageTag, Step
from ecr_steward.domain.tagging import attached_to


@dataclass(frozen=True)
class Contents:
    """The images of a repository, with what its indexes list.

    An image belongs to the indexes that list it, and a referrer or a signature of cosign's to its subject: it stays as
    long as one of these owners does, be it in ECR's archive. A referrer whose subject is not there is an image like any
    other, and so are images that belong to each other by image tags alone: a pusher could keep them for ever.
    """

    images: RepositoryImages
    children: Mapping[Digest, tuple[Descriptor, ...]] = field(default_factory=dict)
    """What each index lists; not all of it has to be there."""

    @cached_property
    def owners(self) -> Mapping[Digest, frozenset[Digest]]:
        """Whom each image belongs to."""
        owners = self._by_digest
        attached = {digest: held for digest in owners if (held := self._attached(digest))}
        if attached:
            both = {digest: held | attached.get(digest, set()) for digest, held in owners.items()}
            for circle in circles(both):
                attached |= {digest: attached[digest] - circle for digest in circle & attached.keys()}
        return {digest: frozenset((held | attached.get(digest, set())) - {digest}) for digest, held in owners.items()}

    @cached_property
    def _by_digest(self) -> Mapping[Digest, set[Digest]]:
        """Whom each image belongs to by what manifests say, which makes no circle."""
        owners: dict[Digest, set[Digest]] = {digest: set() for digest in self.images.digests}
        for index, listed in self.children.items():
            if index in owners:
                for child in listed:
                    owners.get(child.digest, set()).add(index)
        for digest in self.images.images:
            if (subject := self.images.subject_of(digest)) is not None and self.images.has(subject):
                owners[digest].add(subject)
        return owners

    def _attached(self, digest: Digest) -> set[Digest]:
        """Whom an image belongs to by its image tags."""
        subjects = (attached_to(tag, self.images) for tag in self.images.tags_of(digest))
        return {subject for subject in subjects if subject is not None}

    def is_attached(self, image_tag: ImageTag, digest: Digest) -> bool:
        """Whether an image belongs to another one by this tag of it."""
        return attached_to(image_tag, self.images) in self.owners[digest]

    def depends(self, digest: Digest) -> bool:
        """Whether an image is nothing by itself: an untagged child, a referrer, or what cosign attached."""
        image = self.images.images[digest]
        if not self.owners[digest]:
            return False
        if self.images.subject_of(digest) in self.owners[digest]:
            return True
        return all(self.is_attached(tag, digest) for tag in image.image_tags)

    def family(self, digest: Digest) -> frozenset[Digest]:
        """An image and all that an index leads to, as far as it is there: whoever pulls or runs one means the other."""
        found: set[Digest] = set()
        left = [digest]
        while left:
            member = left.pop()
            if member in self.images.digests and member not in found:
                found.add(member)
                left += [child.digest for child in self.children.get(member, ())]
        return frozenset(found)

    def runnable(self, digest: Digest) -> frozenset[Digest]:
        """What of an image a machine would run: itself, or of an index what it leads to but for attestations."""
        left, found, seen = [digest], set[Digest](), set[Digest]()
        while left:
            member = left.pop()
            if member in seen or member not in self.images.digests:
                continue
            seen.add(member)
            if member in self.children:
                left += [child.digest for child in self.children[member] if not child.runs_nowhere]
            else:
                found.add(member)
        return frozenset(found)

    def going(self, claims: Mapping[Digest, str], stays: Iterable[Digest]) -> dict[Digest, str]:
        """Which of the claimed images can go, and what goes along since only they needed it, each with its reason.

        Owners come before what belongs to them, as ECR wants it. What ``stays`` stays, and with it all that belongs
        to it.
        """
        going: dict[Digest, str] = {}
        if not claims:
            return going
        stays = frozenset(stays)
        for digest in self._owners_first:
            owners = self.owners[digest]
            if digest in stays or not owners <= going.keys():
                continue
            if owners and self.depends(digest):
                going[digest] = f"it belongs to {min(owners)}, which goes"
            elif digest in claims:
                going[digest] = claims[digest]
        return going

    def after(self, steps: Iterable[Step]) -> "Contents":
        """The repository when these steps are done."""
        images = images_after(self.images, steps)
        children = {index: listed for index, listed in self.children.items() if index in images.digests}
        return Contents(images, children)

    @cached_property
    def _owners_first(self) -> tuple[Digest, ...]:
        owned_by = self.images.digests | self.images.archived  # what an archived one owns waits for ever
        belongings: dict[Digest, list[Digest]] = {digest: [] for digest in owned_by}
        waiting: dict[Digest, int] = {}
        for digest, owners in self.owners.items():
            waiting[digest] = len(owners)
            for owner in owners:
                belongings[owner].append(digest)
        ready = [digest for digest, count in waiting.items() if not count]
        heapify(ready)
        order: list[Digest] = []
        while ready:
            digest = heappop(ready)
            order.append(digest)
            for belonging in belongings[digest]:
                waiting[belonging] -= 1
                if not waiting[belonging]:
                    heappush(ready, belonging)
        return tuple(order)


def images_after(before: RepositoryImages, steps: Iterable[Step]) -> RepositoryImages:
    """The images of a repository when these steps are done, as far as they are about images that are there."""
    images = dict(before.images)

    def change(digest: Digest, image_tags: frozenset[ImageTag]) -> None:
        images[digest] = replace(images[digest], image_tags=image_tags)

    for step in steps:
        match step:
            case DeleteImage(image=image):
                images.pop(image.digest, None)
            case RemoveImageTag(image=image, image_tag=tag) if image.digest in images:
                change(image.digest, images[image.digest].image_tags - {tag})
            case AddImageTag(previous=before_it) | DeleteAndRetag(previous=before_it) if step.image.digest in images:
                image, tag = step.image, step.image_tag
                if before_it is not None and before_it in images:
                    change(before_it, images[before_it].image_tags - {tag})
                change(image.digest, images[image.digest].image_tags | {tag})
    return replace(before, images=images)
