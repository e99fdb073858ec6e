"""Work that a sweep has done and that an event should have started long before: the event was lost, or not answered.

AWS services emit events on a best effort basis (EventBridge user guide), and a sweep mends what they miss. How often
that happens says whether the way of events works.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef
from ecr_steward.domain.plan import Step

OF_A_JOB = timedelta(minutes=15)
"""How long the event of a push or new repository may take to be answered: EventBridge, Lambda and a queue try again."""
OF_A_COPY = timedelta(hours=1)
"""How long a copy may take to be begun and done: it may wait behind others."""


@dataclass(frozen=True)
class MissedEvent:
    """A push or new repository that no event has had answered."""

    subject: str
    """The image or repository, as people write it."""
    at: datetime
    what: str
    """What happened to it then."""

    def __str__(self) -> str:
        return f"{self.subject}, {self.what} {self.at.isoformat(timespec='seconds')}"


@dataclass(frozen=True)
class Unanswered:
    """The time in which something must have happened for its event to count as missed.

    Not just now: its event may be on its way. And not before the last sweep, which would have mended it: what is wrong
    with something older has another cause, such as a changed rule.
    """

    begin: datetime
    end: datetime

    @classmethod
    def at(cls, now: datetime, sweeps_every: timedelta, patience: timedelta) -> "Unanswered":
        """For a sweep that looks now."""
        return cls(now - patience - sweeps_every, now - patience)

    def holds(self, moment: datetime | None) -> bool:
        """Whether something that happened then should have been answered."""
        return moment is not None and self.begin < moment <= self.end

    def pushes(self, concerned: Iterable[Digest], images: RepositoryImages) -> Iterator[MissedEvent]:
        """The pushes of these images that should have been answered."""
        for image in [images.images[digest] for digest in sorted(set(concerned)) if digest in images.images]:
            if image.pushed_at is not None and self.holds(image.pushed_at):
                yield MissedEvent(str(image.ref), image.pushed_at, "pushed")


def images_of(steps: Iterable[Step]) -> frozenset[Digest]:
    """The images that steps are about."""
    return frozenset(image.digest for step in steps if isinstance(image := getattr(step, "image", None), ImageRef))
