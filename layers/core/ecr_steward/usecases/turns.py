"""How much of one image a copy job takes at a time, so that one with many referrers keeps no other image waiting."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC

from ecr_steward.domain.images import Image, ImageGraph, Part, RepositoryImages
from ecr_steward.domain.names import Digest
from ecr_steward.errors import ImageNotFoundError, InvalidManifestError
from ecr_steward.ports.stores import ManifestSource
from ecr_steward.usecases.image_graph import read_graph

SHARE = 50
"""Referrers that one turn takes: what one copy job may put in half a minute (``limits.PUTS_A_SECOND``)."""


@dataclass(frozen=True)
class Turn:
    """An image with those of its referrers whose turn it is."""

    graph: ImageGraph
    left_after: str = ""
    """Where the next turn goes on; empty where there is none."""


@dataclass(frozen=True)
class TurnReader:
    """Reads an image from a repository whose images are known."""

    store: ManifestSource
    images: RepositoryImages
    judged: Collection[Digest] | None = None
    """As of ``read_graph``."""

    def read(self, image: Digest, there: Collection[Digest], after: str = "") -> Turn:
        """An image and what refers to it: the oldest first, without those that are there, a share of them.

        Who may push can attach any number of referrers, but not before the image is known: what signs or describes
        it is older than a flood. A few referrers are all read, as the registry lists them; where no image of the
        repository names a subject, no list is asked for. Raises as ``read_graph``.
        """
        if not self.images.with_subject:
            return Turn(self._graph(image, with_referrers=False))
        if sum(map(len, self.images.with_subject.values())) <= SHARE:
            return Turn(self._graph(image, with_referrers=True))
        tree = self._graph(image, with_referrers=False)
        below = self.images.below({part.manifest.digest for part in tree.parts})
        if len(below) <= SHARE:
            return Turn(self._graph(image, with_referrers=True))
        missing = (each for each in below if each.digest not in there and _place(each) > after)
        waiting = sorted(missing, key=_place)
        parts, remarks = {part.manifest.digest: part for part in tree.parts}, [*tree.remarks]
        for each in waiting[:SHARE]:
            remarks += self._add(parts, each.digest)
        if not (left := len(waiting[SHARE:])):
            return Turn(ImageGraph(tuple(parts.values()), tuple(remarks)))
        remarks.append(f"{left} referrers of {image} are left for later turns")
        return Turn(ImageGraph(tuple(parts.values()), tuple(remarks)), _place(waiting[SHARE - 1]))

    def _graph(self, image: Digest, *, with_referrers: bool) -> ImageGraph:
        return read_graph(image, self.store, with_referrers=with_referrers, judged=self.judged)

    def _add(self, parts: dict[Digest, Part], referrer: Digest) -> list[str]:
        """Add what a referrer consists of; answers why it stays behind, if it does."""
        try:
            found = self._graph(referrer, with_referrers=False).parts
        except (InvalidManifestError, ImageNotFoundError) as error:
            return [f"the referrer {referrer} stays behind: {error}"]
        for part in found:
            parts.setdefault(part.manifest.digest, part)
        return []


def _place(image: Image) -> str:
    """Where a referrer stands among the others of its image, as text that sorts."""
    pushed = image.pushed_at.astimezone(UTC).isoformat(timespec="microseconds") if image.pushed_at else ""
    return f"{pushed} {image.digest}"
