"""An image with many referrers arrives first, then they do, turn after turn, and other repositories need not wait."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from heapq import heappop, heappush

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecr_steward.adapters.memory import InMemoryLeases, InMemoryNotices, InMemoryReplicationQueue
from ecr_steward.adapters.memory.clock import NOON, noon
from ecr_steward.domain.deadline import NEVER
from ecr_steward.domain.images import OCI_MANIFEST, Image, Manifest
from ecr_steward.domain.names import ImageRef, OtherRepository, RepositoryRef
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.rules import Destination, OtherDestination, ReplicationRules
from ecr_steward.events.copy_job import read_copy_job
from ecr_steward.events.replication_requested import encode_job
from ecr_steward.usecases import turns
from ecr_steward.usecases.leasing import Lessor
from ecr_steward.usecases.moving import Pace
from ecr_steward.usecases.replicate_image import replicate_image
from ecr_steward.usecases.replicate_job import SHARE_SECONDS, replicate_job
from tests.given.appliers import applier_of
from tests.given.rules import API, AWAY, rulebook
from tests.given.worlds import World, blob, config, give_tag, manifest, sbom_of, world

SHARE = 5
OTHER = RepositoryRef(API.registry, "team-b/other")
TO_AWAY = ReplicationRules((Destination(region=AWAY.region),))
PUT_SECONDS = 0.625
"""That one of five copy jobs needs for a manifest, at 8 a second for all of them."""
EARLIER = NOON - timedelta(hours=1)
FIRST = manifest("first", blobs=[blob("layer")])


@pytest.fixture(autouse=True)
def small_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SHARE", SHARE)


def referrer(name: str, subject: Manifest) -> Manifest:
    return manifest(name, blobs=sbom_of(subject).blobs, subject=subject)


@dataclass
class House:
    """A queue of copy jobs, and one worker, whose time goes by with each manifest that it puts."""

    world: World
    replication: ReplicationRules = TO_AWAY
    leases: InMemoryLeases = field(default_factory=InMemoryLeases)
    now: float = 0.0
    arrived: dict[ImageRef, float] = field(default_factory=dict)
    """When each image first held its tag at its destination."""
    jobs: list[tuple[float, int, ReplicationRequested]] = field(default_factory=list)
    turns: list[tuple[Outcome, ...]] = field(default_factory=list)

    def ask(self, *images: ImageRef) -> None:
        for image in images:
            self._put(ReplicationRequested(image, "pushed"), 0)

    def work(self) -> Iterator[list[object]]:
        """Job after job, in the order in which they may be seen; what each put."""
        while self.jobs:
            visible_at, _, job = heappop(self.jobs)
            self.now = max(self.now, visible_at)
            yield self._run(job)

    def _run(self, job: ReplicationRequested) -> list[object]:
        queue, registry = InMemoryReplicationQueue(), self.world.registry
        before = len(registry.calls.entries)

        def copy(asked: ReplicationRequested, pace: Pace) -> tuple[Outcome, ...]:
            return replicate_image(
                asked.image,
                rules=rulebook(replicate=(self.replication,)),
                registry=registry,
                content=self.world.content,
                scans=self.world.scans,
                notices=InMemoryNotices(),
                now=noon,
                applier=applier_of(registry, self.world.content).at_pace(replace(pace, sleep=lambda _: None)),
                lessor=Lessor(self.leases, 900),
                after=asked.after,
            )

        self.turns.append(replicate_job(job, copy=copy, queue=queue, deadline=NEVER))
        put = [call.arguments[-1] for call in registry.calls.entries[before:] if call.method == "put_manifest"]
        self.now += PUT_SECONDS * len(put)
        if registry.tags_of(job.image.in_repository(job.image.repository.in_registry(AWAY))):
            self.arrived.setdefault(job.image, self.now)
        for rest, delay in zip(queue.requested, queue.delays, strict=True):
            self._put(read_copy_job(encode_job(rest)), delay)
        return put

    def _put(self, job: ReplicationRequested, delay: float) -> None:
        heappush(self.jobs, (self.now + delay, len(self.jobs) + 1000 * len(self.turns), job))

    def holds(self, image: Manifest, repository: RepositoryRef = API) -> bool:
        return self.world.registry.holds(ImageRef(repository.in_registry(AWAY), image.digest))


def flooded(image: Manifest, count: int) -> tuple[World, list[Manifest]]:
    """An image that so many things refer to, each pushed a second after the one before it."""
    flood = [referrer(f"flood {number}", image) for number in range(count)]
    made = world([image, *flood], {"1.4.2": image})
    for seconds, each in enumerate([image, *flood]):
        held = made.registry.images(API).images[each.digest]
        made.registry.restore(replace(held, pushed_at=NOON + timedelta(seconds=seconds)))
    made.registry.calls.clear()
    return made, flood


def test_an_image_holds_its_tag_after_the_first_turn_and_its_referrers_follow_oldest_first() -> None:
    """M7, M8"""
    made, flood = flooded(FIRST, 3 * SHARE + 1)
    house = House(made)
    house.ask(ImageRef(API, FIRST.digest))

    put = list(house.work())

    assert [len(each) for each in put] == [1 + SHARE, SHARE, SHARE, 1]
    assert [each for turn in put for each in turn] == [FIRST, *flood]
    assert house.arrived[ImageRef(API, FIRST.digest)] == PUT_SECONDS * (1 + SHARE)
    assert house.now > 3 * SHARE_SECONDS
    assert [outcome.error for turn in house.turns for outcome in turn] == [None] * 4
    assert "the next turn begins in 60 s" in str(house.turns[0][0].remark)


def test_a_few_referrers_arrive_before_the_tag_does() -> None:
    made, flood = flooded(FIRST, SHARE)
    house = House(made)
    house.ask(ImageRef(API, FIRST.digest))

    assert [len(put) for put in house.work()] == [1 + SHARE]
    assert all(house.holds(each) for each in flood)


def test_a_referrer_that_cannot_be_read_keeps_none_of_those_behind_it_from_their_turn() -> None:
    """M8"""
    made, flood = flooded(FIRST, 2 * SHARE)
    for number in range(SHARE):  # older than all others
        unreadable = ImageRef(API, blob(f"nothing {number}").digest)
        made.registry.restore(Image(unreadable, subject=FIRST.digest, media_type=OCI_MANIFEST, pushed_at=EARLIER))
    house = House(made)
    house.ask(ImageRef(API, FIRST.digest))

    list(house.work())

    assert all(house.holds(each) for each in flood)
    assert len(house.turns) == 3


def test_what_refers_to_a_referrer_arrives_too() -> None:
    made, flood = flooded(FIRST, 2 * SHARE)
    signature = referrer("signature", flood[0])
    made.content.hold(API, signature)
    house = House(made)
    house.ask(ImageRef(API, FIRST.digest))

    list(house.work())

    assert house.holds(signature)


def test_all_referrers_arrive_at_a_registry_that_is_not_ecr_too() -> None:
    made, flood = flooded(FIRST, 3 * SHARE)
    house = House(made, ReplicationRules((), elsewhere=(OtherDestination("ghcr.io", "acme/{name}", "a-login"),)))
    house.ask(ImageRef(API, FIRST.digest))

    put = list(house.work())

    mirror = made.content.elsewhere(OtherRepository("ghcr.io", f"acme/{API.name}", "a-login"))
    assert set(mirror.manifests) == {each.digest for each in [FIRST, *flood]}
    assert mirror.tags == {"1.4.2": FIRST.digest}
    assert max(map(len, put)) <= SHARE + 2


def test_a_flood_does_not_hide_what_can_run_and_has_no_verdict() -> None:
    """H2, M8"""
    made, flood = flooded(FIRST, 2 * SHARE)
    runs = manifest("runs", blobs=[config("runs"), blob("program")], subject=FIRST)
    made.content.hold(API, runs)
    made.registry.restore(replace(made.registry.images(API).images[runs.digest], pushed_at=EARLIER))
    images = made.registry.images(API)
    reader = turns.TurnReader(made.content.store(API), images, judged={FIRST.digest})

    turn = reader.read(FIRST.digest, there=())

    assert [part.manifest.digest for part in turn.graph.parts] == [each.digest for each in [FIRST, *flood[: SHARE - 1]]]
    assert "can be run like an image, and has no verdict of its own" in turn.graph.remarks[0]


def test_one_job_at_a_time_goes_on_with_referrers_of_a_repository() -> None:
    """M8"""
    made, _ = flooded(FIRST, 3 * SHARE)
    house = House(made)
    house.ask(ImageRef(API, FIRST.digest))
    work = house.work()
    next(work)
    house.leases.take(f"referrers of {API}", 900)

    assert next(work) == []
    assert "another job is copying referrers of" in str(house.turns[-1][0].remark)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(floods=st.lists(st.integers(0, 4 * SHARE), min_size=1, max_size=4), place=st.integers(0, 4))
def test_another_repository_waits_for_one_turn_of_each_image_that_was_pushed_before_at_most(
    floods: list[int], place: int
) -> None:
    """M8"""
    images = [manifest(f"image {number}", blobs=[blob("layer")]) for number in range(len(floods))]
    flood = [
        referrer(str(number), image) for image, count in zip(images, floods, strict=True) for number in range(count)
    ]
    made = world([*images, *flood], {f"1.0.{number}": image for number, image in enumerate(images)})
    made.registry.create_missing(OTHER)
    made.content.hold(OTHER, FIRST)
    give_tag(made.registry, ImageRef(OTHER, FIRST.digest), "2.0.0")
    asked = [ImageRef(API, image.digest) for image in images]
    asked.insert(min(place, len(asked)), other := ImageRef(OTHER, FIRST.digest))
    house = House(made)
    house.ask(*asked)

    list(house.work())

    assert house.arrived[other] <= PUT_SECONDS * (1 + len(floods) * (1 + SHARE))
    assert all(house.holds(each) for each in [*images, *flood])
    assert max(house.arrived.values()) <= PUT_SECONDS * (1 + len(floods) * (1 + SHARE))
