"""*Scheduled Event*: what EventBridge Scheduler sends to a target that has no input of its own.

``detail`` is the text ``"{}"``, not an object, and is not read.
"""

from typing import Literal

from ecr_steward.events.envelope import Envelope


class ScheduleEvent(Envelope):
    """A schedule came due. ``registry`` is that of the account and region in which the schedule stands."""

    source: Literal["aws.scheduler"]
    detail_type: Literal["Scheduled Event"]
