"""*Replication Requested*: a copy job for a push or a sweep, or what is left of one. It goes to no bus."""

import json
from typing import Literal, Self

from pydantic import Field

from ecr_steward.domain.notices import SOURCE, ReplicationRequested
from ecr_steward.events.envelope import EventModel
from ecr_steward.events.own_base import OwnDetail, common_keys


class ReplicationRequestedDetail(OwnDetail):
    """A copy job: this image is not where the rulebook wants it."""

    DETAIL_TYPE = "Replication Requested"

    why: str = Field(description="For people: what was found missing.")
    hops: int = Field(default=0, ge=0, description="How often the rest of this job was put back on the queue.")
    narrow: bool = Field(default=False, description="Whether one blob is moved at a time.")
    withdrawal: bool = Field(
        default=False, description="Whether only entries that withdraw what failed its scan are looked at."
    )
    told: list[str] = Field(default=[], description="Copies of this job that failed for good on an earlier turn.")

    after: str = Field(default="", description="The last referrer of the image that an earlier turn of this job took.")
    deep: bool = Field(
        default=False, description="Whether each manifest is looked for, although what leads to it is there."
    )

    @classmethod
    def of(cls, job: ReplicationRequested) -> Self:
        """The event for a job."""
        turn = {"hops": job.hops, "narrow": job.is_narrow, "withdrawal": job.is_withdrawal}
        left = {"told": sorted(job.told), "after": job.after, "deep": job.is_deep}
        return cls.model_validate({**common_keys(job.image), "why": job.why, **turn, **left})

    def to_job(self) -> ReplicationRequested:
        """The job that this event asks for."""
        told = frozenset(self.told)
        how = (self.hops, self.narrow, self.withdrawal, told, self.after, self.deep)
        return ReplicationRequested(self.image, self.why, *how)


class ReplicationRequestedEvent(EventModel):
    """A copy job as the replication queue holds it: no bus has seen it, so it has no envelope but these two keys."""

    source: Literal["ecr.steward"]
    detail_type: Literal["Replication Requested"]
    detail: ReplicationRequestedDetail


def encode_job(job: ReplicationRequested) -> str:
    """A copy job as the body of a queue message."""
    detail = ReplicationRequestedDetail.of(job)
    return json.dumps({"source": SOURCE, "detail-type": detail.DETAIL_TYPE, "detail": detail.model_dump(by_alias=True)})
