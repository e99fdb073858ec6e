"""A copy job within one invocation: what is left when its time is over goes back to its queue."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ecr_steward.domain.deadline import Deadline
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.domain.outcome import Outcome
from ecr_steward.errors import (
    BlobTooLargeError,
    CopyHopsError,
    CopyUnderWayError,
    OutOfTimeError,
    PermanentError,
    RetryableError,
    ShareUsedError,
)
from ecr_steward.ports.messages import ReplicationQueue
from ecr_steward.usecases.moving import BLOB_WORKERS, Pace

HOPS = 50
"""How often the rest of a job may be put back. Waiting for another job does not count: its lease ends."""
BUSY_SECONDS = 60
"""After which a job is looked at again that another one is at work on."""
SHARE_SECONDS = 60
"""After which a job goes on with the referrers of an image: whatever came meanwhile is done before."""
MOST = 0.9
"""Of an invocation's time: a blob that had as much to itself and was not moved never will be."""


def replicate_job(
    job: ReplicationRequested,
    *,
    copy: Callable[[ReplicationRequested, Pace], Sequence[Outcome]],
    queue: ReplicationQueue,
    deadline: Deadline,
) -> tuple[Outcome, ...]:
    """Do what time allows of a job, and put the rest back: the blobs that were moved are there then.

    Where not one of many blobs came to its end they are moved one by one from then on. An outcome carries
    BlobTooLargeError for one that is not moved even so, and CopyHopsError where it took too many turns. After any other
    error that may pass the message itself comes again. What has failed for good is told once: the rest knows of it.
    Referrers that are left when a copy has had its turn are no hop: each turn takes others of them.
    """
    had = deadline.seconds_left()
    outcomes = tuple(copy(job, Pace(1 if job.is_narrow else BLOB_WORKERS, deadline)))
    errors = [outcome.error for outcome in outcomes if isinstance(outcome.error, RetryableError)]
    late = [error for error in errors if isinstance(error, OutOfTimeError)]
    busy = [error for error in errors if isinstance(error, CopyUnderWayError)]
    shared = [error for error in errors if isinstance(error, ShareUsedError)]
    if not errors or len(late) + len(busy) + len(shared) < len(errors):
        return outcomes
    has_moved = any(error.moved for error in late) or any(o.plan.steps for o in outcomes if o.error is None)
    stuck = [error for error in late if job.is_narrow and not error.moved and error.had >= MOST * had]
    outcomes = tuple(_failed(outcome, _too_large) if outcome.error in stuck else outcome for outcome in outcomes)
    if len(stuck) == len(errors):
        return outcomes
    if job.hops >= HOPS:
        return tuple(_failed(outcome, _too_often) for outcome in outcomes)
    is_narrow = job.is_narrow or (bool(late) and not has_moved)
    told = job.told | {outcome.subject for outcome in outcomes if isinstance(outcome.error, PermanentError)}
    after = min(error.after for error in shared) if len(shared) == len(errors) else job.after
    rest = replace(job, hops=job.hops + bool(late), is_narrow=is_narrow, told=told, after=after)
    queue.request(rest, 0 if late else BUSY_SECONDS if busy else SHARE_SECONDS)
    return tuple(_put_back(outcome) for outcome in outcomes)


def _failed(outcome: Outcome, error: Callable[[Outcome], BlobTooLargeError | CopyHopsError]) -> Outcome:
    if not isinstance(outcome.error, OutOfTimeError | CopyUnderWayError):
        return outcome
    failed = error(outcome)
    failed.rule = outcome.error.rule
    return replace(outcome, error=failed)


def _put_back(outcome: Outcome) -> Outcome:
    match outcome.error:
        case OutOfTimeError():
            remark = "the time of this invocation is over: what is left is back on the queue"
        case ShareUsedError():
            remark = f"{outcome.error}: the next turn begins in {SHARE_SECONDS} s"
        case CopyUnderWayError():
            remark = f"{outcome.error}: it is looked at again in {BUSY_SECONDS} s"
        case _:
            return outcome
    return replace(outcome, error=None, remark=remark)


def _too_large(outcome: Outcome) -> BlobTooLargeError:
    assert isinstance(outcome.error, OutOfTimeError)  # noqa: S101  it is one of those that were chosen for that
    return BlobTooLargeError(
        f"{outcome.subject}: {outcome.error.largest} cannot be moved within one invocation, which had "
        f"{outcome.error.had:.0f} s for it alone. Copy this image with `ecr-steward copy`, whose time nobody limits: "
        "what is there then is not copied again"
    )


def _too_often(outcome: Outcome) -> CopyHopsError:
    return CopyHopsError(f"{outcome.subject}: put back {HOPS} times, and not done")
