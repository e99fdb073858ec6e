"""Tells images that a client can run from signatures and SBOMs, where they claim to belong to another image."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ecr_steward.domain.images import DEPTH_LIMIT, Manifest, RepositoryImages
from ecr_steward.domain.names import Digest, RepositoryRef
from ecr_steward.domain.tagging import claimed_attachments
from ecr_steward.errors import InvalidManifestError, StewardError

REMEMBERED = 100_000
"""How many manifests are remembered by their digests, which say the same for ever: some 40 MB at most."""

type ReadManifests = Callable[[RepositoryRef, Iterable[Digest]], Iterable[tuple[Digest, Manifest | StewardError]]]
"""Reads manifests, verified; one that is gone is left out, one that cannot be read comes with its error."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a manifest says for ever."""

    can_run: bool
    children: tuple[Digest, ...] = ()


class Attachments:
    """Reads the manifests that decide, once each in a process: cosign's look like images until one sees their layers.

    A manifest that cannot be parsed counts as one that can run, since another reader may accept it.
    """

    def __init__(self, read: ReadManifests) -> None:
        self._read = read
        self._known: dict[Digest, _Known] = {}

    def marked(self, images: RepositoryImages) -> RepositoryImages:
        """The same images, each of those that claim to belong to another with whether a client can run it.

        Needs ecr:BatchGetImage: a call for each hundred of them that were not read before, none where there are none.
        """
        claimed = claimed_attachments(images)
        if not claimed:
            return images
        if len(self._known) > REMEMBERED:
            self._known.clear()
        level = claimed
        for _ in range(DEPTH_LIMIT):
            self._learn(images.repository, level)
            level = self._below(level, images)
        read = {digest: replace(images.images[digest], can_run=self._can_run(digest, images)) for digest in claimed}
        return replace(images, images={**images.images, **read})

    def _learn(self, repository: RepositoryRef, digests: frozenset[Digest]) -> None:
        if unknown := digests - self._known.keys():
            for digest, read in self._read(repository, unknown):
                if isinstance(read, Manifest):
                    self._known[digest] = _Known(read.can_run, tuple(child.digest for child in read.children))
                elif isinstance(read, InvalidManifestError):
                    self._known[digest] = _Known(can_run=True)

    def _below(self, digests: Iterable[Digest], images: RepositoryImages) -> frozenset[Digest]:
        """What these lead to, as far as it is there."""
        children = (child for digest in digests if (known := self._known.get(digest)) for child in known.children)
        return frozenset(child for child in children if child in images.images)

    def _can_run(self, digest: Digest, images: RepositoryImages) -> bool:
        """Whether something can run that an image leads to. What is deeper than is read counts as what can."""
        level = frozenset({digest})
        for _ in range(DEPTH_LIMIT):
            if any(self._known[member].can_run for member in level & self._known.keys()):
                return True
            level = self._below(level, images)
        return bool(level)
