"""Image tags that an invocation puts itself, so that the events of these puts need not be answered.

An invocation notes an image tag before it puts it, and looks at the repository once more afterwards: what another push
or a person did meanwhile is seen by that look. The event of the put would only have asked for the same look.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ecr_steward.domain.names import Digest
from ecr_steward.domain.observations import Push

LATEST = timedelta(minutes=1)
"""How long after its note an image tag is put at the latest, with the difference of two clocks."""
KEPT = timedelta(minutes=15)
"""For how long events of a put may be under way. One that comes later is answered like any other."""


@dataclass(frozen=True)
class OwnTag:
    """What an image tag was to hold, and since when."""

    digest: Digest
    at: datetime
    """Before it was put."""

    def explains(self, push: Push) -> bool:
        """Whether a push of this image tag is the put that was noted, and none of a person or a pipeline after it."""
        return push.image.digest == self.digest and push.at is not None and push.at <= self.at + LATEST
