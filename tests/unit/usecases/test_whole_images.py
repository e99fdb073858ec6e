"""Whether an image is wholly at a destination is a question about that image, and both listings answer it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.adapters.memory import InMemoryNotices, InMemoryReplicationQueue
from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import Digest, ImageRef
from ecr_steward.domain.rules import Rules
from ecr_steward.usecases.reconcile_registry import reconcile_registry
from tests.given.copy_jobs import do_jobs
from tests.given.rules import API, AWAY, HOME, SCAN_RULES, WHEN_PASSED, rulebook
from tests.given.worlds import World, blob, config, give_tag, hands_of, manifest, manifest_sets, world

REPLICA = API.in_registry(AWAY)
READS_OF_CONTENT = {"manifest", "referrers", "known_blobs", "blob"}


def version(number: int) -> tuple[Manifest, Manifest, Manifest]:
    """Two platforms, and the index over them."""
    platforms = [manifest(f"{number} {name}", blobs=[config(f"{number} {name}")]) for name in ("amd64", "arm64")]
    return (*platforms, manifest(f"version {number}", children=platforms))


class Mirrored:
    """A world whose images have been copied; ``quiet`` are the calls of a sweep that comes then."""

    def __init__(self, there: World, rules: Rules | None = None) -> None:
        self.world = there
        self.rules = rules or rulebook()
        while self.sweep():
            pass

    def sweep(self, *, is_deep: bool = False) -> list[ImageRef]:
        """Sweep, and do what the sweep asks for; answers what that was."""
        queue = InMemoryReplicationQueue()
        hands = replace(hands_of(self.world, InMemoryNotices(), queue), is_deep=is_deep)
        found = reconcile_registry([HOME], rules=self.rules, hands=hands)
        assert found.failures == ()
        do_jobs(queue.requested, self.world, self.rules)
        return [job.image for job in queue.requested]

    def quiet(self) -> list[str]:
        """The calls of a sweep that finds nothing to do."""
        self.world.registry.calls.clear()
        assert self.sweep() == []
        return self.world.registry.calls.methods

    def reads(self) -> list[str]:
        """Those of them that read content."""
        return [call for call in self.quiet() if call in READS_OF_CONTENT]


def versions(count: int) -> World:
    """As many versions of two platforms, all tagged."""
    made = [version(number) for number in range(count)]
    return world([each for one in made for each in one], {f"1.0.{n}": one[-1] for n, one in enumerate(made)})


@pytest.fixture
def mirrored() -> Mirrored:
    """Ten versions, copied."""
    return Mirrored(versions(10))


def leftover(there: World) -> None:
    there.content.hold(API, manifest("what a moved tag has left"))


def quarantined(there: World) -> None:
    held = manifest("in quarantine")
    there.content.hold(API, held)
    give_tag(there.registry, ImageRef(API, held.digest), f"quarantine-{held.digest.hex[:12]}")


@pytest.mark.parametrize("stays", [leftover, quarantined])
def test_no_content_is_read_when_something_stays_at_home(mirrored: Mirrored, stays: object) -> None:
    before = len(mirrored.quiet())
    stays(mirrored.world)  # type: ignore[operator]

    assert mirrored.reads() == []
    assert len(mirrored.quiet()) == before


def test_no_content_is_read_of_other_images_when_one_waits_for_its_scan() -> None:
    there = versions(10)
    waiting = version(3)[0].digest
    for held in there.manifests:
        if not held.children and held.digest != waiting:
            there.scans.end(ImageRef(API, held.digest))
    mirrored = Mirrored(there, rulebook(replicate=(WHEN_PASSED,), scan=SCAN_RULES))

    assert not there.registry.holds(ImageRef(REPLICA, version(3)[-1].digest))
    assert there.registry.holds(ImageRef(REPLICA, version(4)[-1].digest))
    assert mirrored.reads() == []


def attach(there: World, subject: Manifest, name: str = "signature") -> Manifest:
    """Let something refer to an image at home."""
    held = manifest(name, blobs=[blob(name)], subject=subject)
    there.content.hold(API, held)
    return held


@pytest.mark.parametrize("part", [0, 2], ids=["child", "index"])
def test_what_refers_to_an_image_follows_when_it_is_attached_later(mirrored: Mirrored, part: int) -> None:
    signature = attach(mirrored.world, version(3)[part])
    of_signature = attach(mirrored.world, signature, "a signature of it")

    asked = mirrored.sweep()

    assert {image.digest for image in asked} == {version(3)[-1].digest}
    for held in (signature, of_signature):
        assert mirrored.world.registry.holds(ImageRef(REPLICA, held.digest))
    assert mirrored.reads() == []


def test_a_deep_look_finds_a_child_that_is_gone(mirrored: Mirrored) -> None:
    gone = ImageRef(REPLICA, version(3)[0].digest)
    mirrored.world.registry.delete(gone)

    assert mirrored.sweep() == []
    assert [image.digest for image in mirrored.sweep(is_deep=True)] == [version(3)[-1].digest]
    assert mirrored.world.registry.holds(gone)


@given(manifest_sets(), st.data())
def test_whatever_is_pushed_a_sweep_asks_for_what_is_missing_and_then_for_nothing(
    manifests: Sequence[Manifest], data: st.DataObject
) -> None:
    """All of the tagged images is there in the end, as a deep look says, which takes nothing on trust."""
    late = data.draw(st.sets(st.sampled_from(manifests)))
    tagged = data.draw(st.lists(st.sampled_from(manifests), min_size=1, max_size=3, unique_by=lambda held: held.digest))
    early = [held for held in manifests if not (_needs(held, manifests) & {each.digest for each in late})]
    tags = {f"1.0.{n}": held for n, held in enumerate(tagged) if held in early}
    mirrored = Mirrored(world(early, tags))

    for held in manifests:
        mirrored.world.content.hold(API, held)
    for number, held in enumerate(tagged):
        give_tag(mirrored.world.registry, ImageRef(API, held.digest), f"1.0.{number}")
    while mirrored.sweep():
        pass

    assert mirrored.sweep(is_deep=True) == []


def _needs(held: Manifest, manifests: Sequence[Manifest]) -> set[Digest]:
    """An image, what it lists, and what it refers to."""
    by_digest = {each.digest: each for each in manifests}
    found, left = set[Digest](), [held.digest]
    while left:
        digest = left.pop()
        if digest not in found and digest in by_digest:
            found.add(digest)
            of = by_digest[digest]
            left += [each.digest for each in of.children] + ([of.subject.digest] if of.subject else [])
    return found
