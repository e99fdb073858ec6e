"""What the sweep of one repository knows of what its digests say, and what it leaves to the next sweep."""

from collections.abc import Iterable, Mapping
from functools import cached_property

from ecr_steward.domain.known_contents import KnownContents, Said
from ecr_steward.domain.names import Digest, RepositoryRef
from ecr_steward.ports.contents import Contents

FEW = 500
"""Images whose contents are noted before they are written: a sweep that is killed has read no more than these anew."""


class ContentMemory:
    """Of one repository. Nothing is read before something is asked."""

    def __init__(self, repository: RepositoryRef, contents: Contents) -> None:
        self._repository = repository
        self._contents = contents
        self._said: dict[Digest, Said] = {}
        self._artifact_types: dict[Digest, str] = {}

    def said(self, digest: Digest, asked: str) -> Said | None:
        """What an image says of itself, where it was asked for the same before."""
        known = self._known.said.get(digest)
        return known if known is not None and known.asked == asked else None

    def artifact_types(self, referrers: Iterable[Digest]) -> frozenset[str] | None:
        """The artifact types of these; ``None`` where one of them is not known."""
        types = [self._known.artifact_types.get(digest) for digest in referrers]
        return frozenset(filter(None, types)) if None not in types else None

    def note_said(self, digest: Digest, said: Said) -> None:
        """Note what an image says of itself."""
        self._said[digest] = said

    def note_artifact_types(self, types: Mapping[Digest, str]) -> None:
        """Note the artifact types of referrers."""
        self._artifact_types |= types

    def keep(self, *, at_least: int = 1) -> None:
        """Leave what was noted to the next sweep, where it is so much."""
        if len(self._said) + len(self._artifact_types) >= at_least:
            self._contents.keep(self._repository, KnownContents(self._said, self._artifact_types))
            self._said, self._artifact_types = {}, {}

    @cached_property
    def _known(self) -> KnownContents:
        return self._contents.known(self._repository)
