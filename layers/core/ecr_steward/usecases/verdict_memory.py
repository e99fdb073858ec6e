"""What the sweep of one repository knows of earlier verdicts, and what it leaves to the next sweep."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from ecr_steward.domain.judged import LONGEST, MOST_PARTS, Judged, basis_of
from ecr_steward.domain.names import Digest, ImageRef, RepositoryRef
from ecr_steward.domain.rules import Rule, Rules
from ecr_steward.domain.scans import Verdict
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.verdicts import Verdicts


class VerdictMemory:
    """Of one repository, for one sweep. Nothing is read before something is asked."""

    def __init__(self, repository: RepositoryRef, rules: Rules, verdicts: Verdicts, now: Clock) -> None:
        self._repository = repository
        self._rules = rules
        self._verdicts = verdicts
        self._now = now
        self._began = now()
        """Before any scan was read: an event that is heard later than this speaks against what is noted."""
        self._noted: dict[Digest, Judged] = {}

    def has_passed(self, rule: Rule, image: ImageRef) -> bool:
        """Whether an image has passed, and need not be judged. Of other repositories nothing is known."""
        if (before := self._judged(image)) is None:
            return False
        heard_at = self._known[1].get(image.digest)
        return before.still_holds(image.digest, self._basis(rule), self._now(), heard_at)

    def parts(self, image: ImageRef) -> Sequence[Digest]:
        """What of an image is scanned; empty where that is not known."""
        before = self._judged(image)
        return before.parts if before else ()

    def note(self, rule: Rule, digest: Digest, verdict: Verdict, parts: Sequence[Digest]) -> None:
        """Note what an image was judged, and what of it is scanned."""
        few = tuple(parts) if len(parts) <= MOST_PARTS else ()
        noted = Judged(verdict, self._basis(rule), self._began, few)
        before = self._known[0].get(digest)
        is_news = before is None or replace(noted, at=before.at) != before or self._began - before.at > LONGEST / 2
        if verdict is Verdict.PASS or is_news:
            self._noted[digest] = noted

    def keep(self) -> None:
        """Leave what was noted to the next sweep."""
        if self._noted:
            self._verdicts.keep(self._repository, self._noted)
            self._noted = {}

    def _judged(self, image: ImageRef) -> Judged | None:
        return self._known[0].get(image.digest) if image.repository == self._repository else None

    @cached_property
    def _known(self) -> tuple[Mapping[Digest, Judged], Mapping[Digest, datetime]]:
        return self._verdicts.known(self._repository)

    def _basis(self, rule: Rule) -> str:
        return basis_of(rule, self._rules.waivers_for(self._repository), self._began.date())
