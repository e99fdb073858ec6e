"""What the sweep of one repository knows of earlier verdicts, and what it leaves to the next sweep."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from ecr_steward.domain.judged import LONGEST, MOST_PARTS, Judged, basis_of
from ecr_steward.domain.names import Digest, RepositoryRef
from ecr_steward.domain.rules import Rule, Rules
from ecr_steward.domain.scans import Verdict
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.verdicts import Verdicts


class VerdictMemory:
    """Of one repository, for one sweep. Nothing is read before something is asked."""

    def __init__(self, repository: RepositoryRef, rules: Rules, verdicts: Verdicts, now: Clock) -> None:
        self.repository = repository
        self._rules = rules
        self._verdicts = verdicts
        self._now = now
        self._began = now()
        """Before any scan was read: an event that is heard later than this speaks against what is noted."""
        self._noted: dict[Digest, Judged] = {}

    def has_passed(self, rule: Rule, digest: Digest) -> bool:
        """Whether an image has passed, and need not be judged."""
        judged, heard = self._known
        before = judged.get(digest)
        return before is not None and before.still_holds(digest, self._basis(rule), self._now(), heard.get(digest))

    def parts(self, digest: Digest) -> Sequence[Digest]:
        """What of an image is scanned; empty where that is not known."""
        before = self._known[0].get(digest)
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
            self._verdicts.keep(self.repository, self._noted)
            self._noted = {}

    @cached_property
    def _known(self) -> tuple[Mapping[Digest, Judged], Mapping[Digest, datetime]]:
        return self._verdicts.known(self.repository)

    def _basis(self, rule: Rule) -> str:
        return basis_of(rule, self._rules.waivers_for(self.repository), self._began.date())
