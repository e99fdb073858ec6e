"""A copy job within the time of its invocation."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ecr_steward.adapters import limits
from ecr_steward.adapters.memory import InMemoryLeases, InMemoryNotices, InMemoryReplicationQueue
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.deadline import Deadline
from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import ImageRef, RepositoryRef
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.rules import Destination, ReplicationRules
from ecr_steward.errors import AccessDeniedError, BlobTooLargeError, CopyHopsError, ThrottledError
from ecr_steward.events.copy_job import read_copy_job
from ecr_steward.events.replication_requested import encode_job
from ecr_steward.usecases.leasing import Lessor
from ecr_steward.usecases.moving import LAST_SECONDS, RESERVE_SECONDS, Pace
from ecr_steward.usecases.replicate_image import replicate_image
from ecr_steward.usecases.replicate_job import BUSY_SECONDS, HOPS, replicate_job
from tests.given.appliers import applier_of
from tests.given.rules import API, AWAY, rulebook
from tests.given.worlds import World, blob, manifest, world

BLOBS = [blob(f"blob {number}") for number in range(4)]
IMAGE = manifest("image", blobs=BLOBS)
JOB = ReplicationRequested(ImageRef(API, IMAGE.digest), "pushed as 1.4.2")
REPLICA = API.in_registry(AWAY)
TIME = 900.0


class Invocations:
    """Jobs of one queue, in invocations whose time goes by with each blob."""

    def __init__(self, held: Manifest = IMAGE) -> None:
        self.world: World = world([held], {"1.4.2": held})
        self.queue = InMemoryReplicationQueue()
        self.leases = InMemoryLeases()
        self.paces: list[Pace] = []
        self.rules = rulebook()
        self.seconds_of: dict[RepositoryRef, float] = {}
        """Of the blobs that go to a place, where that differs."""
        self.refused: RepositoryRef | None = None
        """Where nothing may be written."""
        self.tries = 0
        """To write there."""
        self.left = TIME

    def run(self, job: ReplicationRequested = JOB, blob_seconds: float = 0.0) -> tuple[Outcome, ...]:
        """One invocation, in which the bytes of each blob are under way for so long."""
        self.left = TIME

        def copy(asked: ReplicationRequested, pace: Pace) -> tuple[Outcome, ...]:
            self.paces.append(pace)
            one_by_one = replace(pace, workers=1, sleep=lambda _: None)
            return replicate_image(
                asked.image,
                rules=self.rules,
                registry=self.world.registry,
                content=self.world.content,
                scans=self.world.scans,
                notices=InMemoryNotices(),
                now=noon,
                applier=applier_of(self.world.registry, self.world.content).at_pace(one_by_one),
                lessor=Lessor(self.leases, TIME),
                turn=asked.hops,
                told=asked.told,
            )

        def pass_by(to: RepositoryRef) -> None:
            if to == self.refused:
                self.tries += 1
                raise AccessDeniedError("ecr:UploadLayerPart")
            self.left -= self.seconds_of.get(to, blob_seconds)

        self.world.content.before_reading = pass_by
        return replicate_job(job, copy=copy, queue=self.queue, deadline=Deadline(lambda: self.left))

    @property
    def is_there(self) -> bool:
        return self.world.registry.tags_of(ImageRef(REPLICA, IMAGE.digest)) == {"1.4.2"}


@pytest.fixture
def invocations() -> Invocations:
    return Invocations()


def deliver(invocations: Invocations, blob_seconds: float) -> Iterator[tuple[Outcome, ...]]:
    """Invocation after invocation, until the queue is empty."""
    yield invocations.run(blob_seconds=blob_seconds)
    while invocations.queue.requested:
        yield invocations.run(invocations.queue.requested.pop(0), blob_seconds)


def test_nothing_is_put_back_when_there_is_time_enough(invocations: Invocations) -> None:
    (outcome,) = invocations.run(blob_seconds=10)

    assert outcome.error is None
    assert invocations.is_there
    assert invocations.queue.requested == []


def test_the_rest_goes_back_to_the_queue_and_no_blob_moves_twice_when_time_is_over(invocations: Invocations) -> None:
    outcomes = list(deliver(invocations, blob_seconds=TIME / 2))

    assert invocations.is_there
    moved = [call.arguments[2] for call in invocations.world.registry.calls.entries if call.method == "copy_blob"]
    assert sorted(each.digest for each in moved) == sorted(each.digest for each in BLOBS)
    assert len(outcomes) > 2
    assert all(outcome.error is None for (outcome,) in outcomes)
    assert [outcome.remark for (outcome,) in outcomes[:-1]] == [
        "the time of this invocation is over: what is left is back on the queue"
    ] * (len(outcomes) - 1)


def test_the_image_shows_no_tag_before_all_of_it_is_there(invocations: Invocations) -> None:
    invocations.run(blob_seconds=TIME / 2)

    assert not invocations.is_there
    assert not invocations.world.registry.images_in(REPLICA)


def test_what_is_put_back_says_how_often_when_the_queue_delivers_it(invocations: Invocations) -> None:
    invocations.run(blob_seconds=TIME / 2)
    (rest,) = invocations.queue.requested

    assert read_copy_job(encode_job(rest)) == rest == replace(JOB, hops=1)
    assert invocations.queue.delays == [0]


def test_blobs_are_moved_one_by_one_when_of_many_none_came_to_its_end(invocations: Invocations) -> None:
    invocations.run(blob_seconds=TIME)
    (rest,) = invocations.queue.requested

    invocations.run(rest)

    assert rest.is_narrow
    assert [pace.workers for pace in invocations.paces][-1] == 1
    assert invocations.is_there


def test_a_blob_fails_for_good_and_by_name_when_all_of_an_invocation_is_too_short_for_it(
    invocations: Invocations,
) -> None:
    (*_, (outcome,)) = deliver(invocations, blob_seconds=TIME)

    largest = max(BLOBS, key=lambda each: each.size)
    assert isinstance(outcome.error, BlobTooLargeError)
    assert f"{largest.size:,} bytes" in str(outcome.error)
    assert "`ecr-steward copy`" in str(outcome.error)
    assert not invocations.is_there


def test_a_job_fails_for_good_when_it_was_put_back_too_often(invocations: Invocations) -> None:
    (outcome,) = invocations.run(replace(JOB, hops=HOPS), blob_seconds=TIME / 2)

    assert isinstance(outcome.error, CopyHopsError)
    assert invocations.queue.requested == []


def test_the_message_itself_comes_again_when_something_else_may_pass_as_well(invocations: Invocations) -> None:
    invocations.world.registry.calls.fail_before("create_repository", ThrottledError("slow down"))

    (outcome,) = invocations.run(blob_seconds=TIME / 2)

    assert isinstance(outcome.error, ThrottledError)
    assert invocations.queue.requested == []


def test_an_error_is_raised_when_the_queue_does_not_take_the_rest(invocations: Invocations) -> None:
    invocations.queue.calls.fail_before("request", AccessDeniedError("sqs:SendMessage"))

    with pytest.raises(AccessDeniedError):
        invocations.run(blob_seconds=TIME / 2)


def test_a_second_job_waits_when_another_one_is_at_work(invocations: Invocations) -> None:
    what = f"{IMAGE.digest} to {REPLICA}"
    lease = invocations.leases.take(what, 900)

    (outcome,) = invocations.run()

    assert outcome.error is None
    assert outcome.remark == f"another job is copying {what}: it is looked at again in {BUSY_SECONDS} s"
    assert not invocations.is_there
    assert invocations.queue.delays == [BUSY_SECONDS]
    invocations.leases.give_back(what, str(lease))
    invocations.run(invocations.queue.requested[0])
    assert invocations.is_there


def test_nobody_waits_for_a_lease_when_there_is_nothing_to_move(invocations: Invocations) -> None:
    invocations.run()
    invocations.leases.take(f"{IMAGE.digest} to {REPLICA}", 900)

    (outcome,) = invocations.run()

    assert outcome.error is None
    assert outcome.plan.is_empty
    assert invocations.queue.requested == []


def test_the_lease_is_given_back_when_the_copy_fails(invocations: Invocations) -> None:
    invocations.run(blob_seconds=TIME / 2)

    assert invocations.leases.take(f"{IMAGE.digest} to {REPLICA}", 60) is not None


def test_a_registry_may_be_silent_within_the_reserve_and_time_is_left_to_put_the_job_back() -> None:
    assert RESERVE_SECONDS > LAST_SECONDS + limits.READ_SECONDS
    assert LAST_SECONDS > limits.READ_SECONDS


def test_a_destination_gets_its_turn_when_another_one_needs_all_the_time_there_is(invocations: Invocations) -> None:
    second = Destination(repository="mirror/{name}")
    rules = rulebook(replicate=(ReplicationRules((Destination(region=AWAY.region), second)),))
    slow = {REPLICA: TIME * 2, second.of(API): 0.0}
    invocations.rules, invocations.seconds_of = rules, slow

    outcomes = list(deliver(invocations, blob_seconds=0))

    told = [outcome for turn in outcomes for outcome in turn]
    assert any(isinstance(each.error, BlobTooLargeError) and str(REPLICA) in each.subject for each in told)
    assert not any(isinstance(each.error, BlobTooLargeError) and "mirror/" in each.subject for each in told)
    assert invocations.world.registry.tags_of(ImageRef(second.of(API), IMAGE.digest)) == {"1.4.2"}


def test_a_destination_that_fails_for_good_is_told_once_and_left_alone_while_another_one_needs_many_turns(
    invocations: Invocations,
) -> None:
    second = Destination(repository="mirror/{name}")
    invocations.rules = rulebook(replicate=(ReplicationRules((Destination(region=AWAY.region), second)),))
    invocations.refused = second.of(API)

    turns = list(deliver(invocations, blob_seconds=TIME / 2))

    told = [outcome for turn in turns for outcome in turn if outcome.error is not None]
    assert len(turns) > 2
    assert [str(outcome.error) for outcome in told] == ["ecr:UploadLayerPart"]
    assert told[0].subject.endswith(f" to {invocations.refused}")
    assert invocations.tries <= len(BLOBS)
    last = next(outcome for outcome in turns[-1] if outcome.subject == told[0].subject)
    assert last.remark == "it failed for good on an earlier turn, which told of it"
    assert invocations.is_there


def test_a_destination_that_failed_for_good_is_tried_again_when_the_image_is_asked_for_anew(
    invocations: Invocations,
) -> None:
    invocations.world.registry.calls.fail_before("create_repository", AccessDeniedError("ecr:CreateRepository"))
    (first,) = invocations.run()
    assert isinstance(first.error, AccessDeniedError)

    invocations.run()

    assert invocations.is_there


def test_waiting_for_another_job_is_no_turn(invocations: Invocations) -> None:
    invocations.leases.take(f"{IMAGE.digest} to {REPLICA}", 900)

    invocations.run(replace(JOB, hops=HOPS - 1))

    assert invocations.queue.requested[0].hops == HOPS - 1


def test_nothing_moves_twice_when_another_job_was_done_between_plan_and_lease(invocations: Invocations) -> None:
    take = invocations.leases.take

    def late(what: str, seconds: float) -> str | None:
        invocations.leases.take = take  # type: ignore[method-assign]
        invocations.run()
        return take(what, seconds)

    invocations.leases.take = late  # type: ignore[method-assign]

    invocations.run()

    moved = [call for call in invocations.world.registry.calls.entries if call.method == "copy_blob"]
    assert len(moved) == len(BLOBS)
