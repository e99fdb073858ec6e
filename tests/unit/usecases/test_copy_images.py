"""Copying images between two stores, whatever fails."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.adapters.manifests import digest_of, subset
from ecr_steward.adapters.memory import InMemoryStore
from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.errors import (
    DigestMismatchError,
    GivenUpError,
    ImageNotFoundError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    StewardError,
    ThrottledError,
)
from ecr_steward.usecases.copy_images import (
    IMAGE_WORKERS,
    WINDOW,
    Copied,
    CopyRun,
    How,
    Result,
    Wanted,
)
from ecr_steward.usecases.moving import RETRIES, TRIES, Pace
from tests.given.graphs import blob_of, fill, image_of, index_of

TAG, OTHER = ImageTag("1.0.0"), ImageTag("2.0.0")
WANTED = Wanted(TAG, TAG)
BLOBS = [b"{}", b"layer", b"another layer", b"signature"]
ARM, INTEL = image_of(b"{}", b"layer"), image_of(b"{}", b"layer", b"another layer")
INDEX = index_of(ARM, INTEL, platforms=("linux/arm64/v8", "linux/amd64"))
SIGNATURE = image_of(b"{}", b"signature", subject=INDEX)
SIGNATURE_OF_ARM = image_of(b"{}", b"signature", subject=ARM)


class Nobody:
    def begun(self, blob: Descriptor) -> None: ...
    def moved(self, blob: Descriptor, count: int) -> None: ...
    def ended(self, blob: Descriptor) -> None: ...


class Watched(InMemoryStore):
    """Takes anything, and notices when an image tag shows what is not all there."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: list[str] = []

    def put_manifest(self, manifest: Manifest, image_tag: ImageTag | None, *, is_top: bool = False) -> None:
        with self.calls.record("put_manifest", image_tag or manifest.digest):
            self.manifests[manifest.digest] = manifest
            if image_tag is not None:
                self.tags[image_tag] = manifest.digest
                if not whole(self, manifest.digest):
                    self.broken.append(f"{image_tag} shows {manifest.digest}")


def whole(store: InMemoryStore, digest: Digest) -> bool:
    """Whether an image is there with all that it consists of."""
    manifest = store.manifests.get(digest)
    return (
        manifest is not None
        and all(blob.digest in store.blobs for blob in manifest.stored_blobs)
        and all(whole(store, child.digest) for child in manifest.children)
    )


@dataclass
class House:
    source: InMemoryStore = field(default_factory=InMemoryStore)
    destination: Watched = field(default_factory=Watched)
    pauses: list[float] = field(default_factory=list)

    def copy(self, *wanted: Wanted, **how: Any) -> list[Copied]:
        with self.run(**how) as run:
            return [run.copy(each) for each in wanted or (WANTED,)]

    def run(self, **how: Any) -> CopyRun:
        return CopyRun(self.source, self.destination, How(**how), Nobody(), pace=Pace(3, sleep=self.pauses.append))


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    fill(made.source, [ARM, INTEL, INDEX, SIGNATURE, SIGNATURE_OF_ARM], BLOBS)
    made.source.put_manifest(INDEX, TAG)
    made.source.calls.clear()
    yield made
    assert made.destination.broken == []


def test_an_image_arrives_with_all_that_it_consists_of(house: House) -> None:
    (copied,) = house.copy()

    there = house.destination
    assert (copied.result, copied.digest, there.tags) == (Result.COPIED, INDEX.digest, {TAG: INDEX.digest})
    assert (copied.manifests, copied.blobs, copied.bytes) == (3, 3, len(b"{}layeranother layer"))
    assert {each.content for each in there.manifests.values()} == {ARM.content, INTEL.content, INDEX.content}


def test_only_two_questions_are_asked_when_the_image_is_there(house: House) -> None:
    house.copy()
    for store in (house.source, house.destination):
        store.calls.clear()

    (copied,) = house.copy()

    assert copied.result is Result.PRESENT
    assert house.source.calls.methods == house.destination.calls.methods == ["digest_of"]


def test_nothing_is_written_when_the_run_is_dry(house: House) -> None:
    (copied,) = house.copy(dry_run=True)

    assert (copied.result, copied.manifests, copied.blobs) == (Result.PLANNED, 3, 3)
    assert house.destination.calls.changes == []


def test_signatures_come_along_when_asked_for(house: House) -> None:
    house.copy(referrers=True)

    assert house.destination.manifests.keys() == house.source.manifests.keys()


def test_a_signature_that_came_later_comes_along_when_the_image_is_there(house: House) -> None:
    house.copy()

    (copied,) = house.copy(referrers=True)

    assert (copied.result, copied.manifests) == (Result.COPIED, 2)
    assert house.destination.manifests.keys() == house.source.manifests.keys()


def test_what_cosign_attached_by_tag_comes_along_before_the_image_shows_itself(house: House) -> None:
    attached = image_of(b"{}", b"signature")
    tags = [ImageTag(f"sha256-{of.digest.hex}.{ending}") for of, ending in ((INDEX, "sig"), (ARM, "att"))]
    for tag in tags:
        house.source.put_manifest(attached, tag)

    (without,) = house.copy(dry_run=True)
    (copied,) = house.copy(referrers=True)
    (again,) = house.copy(referrers=True)

    put = [call.arguments[0] for call in house.destination.calls.changes if call.method == "put_manifest"]
    assert [each for each in put if not isinstance(each, Digest)] == [*sorted(tags, key=tags[::-1].index), TAG]
    assert (without.manifests, copied.manifests, again.result) == (3, 6, Result.PRESENT)


def test_a_signature_is_listed_again_when_a_run_ended_before_that(house: House) -> None:
    house.copy(referrers=True)
    there, lists = house.destination, dict(house.destination.manifests)
    hidden = {SIGNATURE.digest}
    there.referrers = lambda subject: tuple(  # type: ignore[method-assign]
        each.descriptor for each in lists.values() if each.subject and each.digest not in hidden
    )
    there.calls.clear()

    house.copy(referrers=True)

    assert [call.arguments for call in there.calls.changes] == [(SIGNATURE.digest,)]


def test_an_image_is_said_to_be_there_when_it_was_copied_by_its_digest_before(house: House) -> None:
    by_digest = Wanted(INDEX.digest, None)

    (first,), (second,) = house.copy(by_digest), house.copy(by_digest)

    assert (first.result, second.result, house.destination.tags) == (Result.COPIED, Result.PRESENT, {})


def test_nothing_more_is_begun_when_one_fails_and_nobody_wants_to_go_on(house: House) -> None:
    digest_of = house.source.digest_of
    with house.run() as run:

        def answer_late(reference: Digest | ImageTag) -> Digest | None:
            if reference == TAG:
                run._mover._is_over.wait(10)
            return digest_of(reference)

        house.source.digest_of = answer_late  # type: ignore[method-assign]
        first, *others = run.copy_all([Wanted(OTHER, OTHER), *[WANTED] * 40], keep_going=False)

    assert isinstance(first, tuple)
    assert len(others) <= IMAGE_WORKERS
    assert [type(why) for _, why in others] == [GivenUpError] * len(others)  # type: ignore[misc]
    assert house.destination.tags == {}


def test_a_tag_stays_when_it_is_not_to_be_clobbered(house: House) -> None:
    fill(house.destination, [ARM], [b"{}", b"layer"])
    house.destination.put_manifest(ARM, TAG)

    (copied,) = house.copy(no_clobber=True)

    assert (copied.result, house.destination.tags) == (Result.SKIPPED, {TAG: ARM.digest})


def test_a_tag_names_the_image_itself_when_one_platform_is_wanted(house: House) -> None:
    (copied,) = house.copy(select=partial(subset, platforms=["linux/arm64"]))

    assert (copied.digest, house.destination.tags) == (ARM.digest, {TAG: ARM.digest})
    assert house.destination.manifests.keys() == {ARM.digest}


def test_a_smaller_index_is_made_when_several_platforms_are_wanted(house: House) -> None:
    (copied,) = house.copy(select=partial(subset, platforms=["linux/amd64", "linux/arm64/v8"]))

    index = house.destination.manifests[copied.digest]
    assert [child.digest for child in index.children] == [INTEL.digest, ARM.digest]
    assert copied.digest != INDEX.digest


def test_nothing_is_put_when_a_platform_is_not_there(house: House) -> None:
    with pytest.raises(ImageNotFoundError, match="linux/s390x"):
        house.copy(select=partial(subset, platforms=["linux/s390x"]))

    assert house.destination.calls.changes == []


def test_a_blob_of_several_images_is_moved_once(house: House) -> None:
    house.source.put_manifest(ARM, OTHER)

    with house.run() as run:
        done = list(run.copy_all([WANTED, Wanted(OTHER, OTHER)]))

    assert house.destination.tags == {TAG: INDEX.digest, OTHER: ARM.digest}
    assert house.destination.calls.methods.count("write_blob") == 3
    assert sum(each.blobs for each in done if isinstance(each, Copied)) == 3


def test_the_others_arrive_when_one_image_is_not_there(house: House) -> None:
    with house.run() as run:
        lost, found = run.copy_all([Wanted(OTHER, OTHER), WANTED])

    assert isinstance(lost, tuple)
    assert isinstance(lost[1], ImageNotFoundError)
    assert isinstance(found, Copied)


def test_a_blob_is_tried_again_when_its_registry_was_away_for_a_moment(house: House) -> None:
    house.destination.calls.fail_before("write_blob", RegistryUnavailableError("gone"))
    house.source.calls.fail_before("read_blob", ThrottledError("slow down"))

    house.copy()

    assert len(house.pauses) == 2
    assert whole(house.destination, INDEX.digest)


def test_the_tag_is_not_there_when_a_blob_fails_to_the_end(house: House) -> None:
    for _ in range(3 * TRIES):
        house.destination.calls.fail_before("write_blob", RegistryUnavailableError("gone"))

    with pytest.raises(RegistryUnavailableError, match="gone"):
        house.copy()

    assert house.destination.tags == {}


def test_no_more_is_tried_again_when_everything_fails(house: House) -> None:
    many = [image_of(f"{number}".encode(), b"layer") for number in range(RETRIES)]
    fill(house.source, many, [b"layer", *(f"{number}".encode() for number in range(RETRIES))])
    for _ in range(10 * RETRIES):
        house.destination.calls.fail_before("has_blob", ThrottledError("slow down"))

    with house.run() as run:
        done = list(run.copy_all([Wanted(each.digest, None) for each in many]))

    assert all(isinstance(each, tuple) for each in done)
    assert len(house.pauses) == RETRIES


def test_nothing_is_tagged_when_the_source_has_other_bytes(house: House) -> None:
    house.source.blobs[blob_of(b"layer").digest] = b"LAYER"

    with pytest.raises(DigestMismatchError):
        house.copy()

    assert (house.destination.tags, house.destination.manifests) == ({}, {})


def test_what_is_missing_under_an_index_that_is_there_is_brought_when_the_copy_is_deep(house: House) -> None:
    house.copy()
    del house.destination.blobs[blob_of(b"another layer").digest], house.destination.manifests[ARM.digest]

    (shallow,), (deep,) = house.copy(), house.copy(deep=True)

    assert (shallow.result, deep.result) == (Result.PRESENT, Result.COPIED)
    assert whole(house.destination, INDEX.digest)


def test_a_lie_is_found_when_the_destination_keeps_another_tag(house: House) -> None:
    house.destination.manifest = lambda reference: ARM  # type: ignore[method-assign]

    with pytest.raises(DigestMismatchError, match=r"was put as .*, and is"):
        house.copy()


@st.composite
def graphs(draw: st.DrawFn) -> list[Manifest]:
    """Manifests, each after what it points to: images of few layers, indexes, and what refers to any of them."""
    made: list[Manifest] = []
    for number in range(draw(st.integers(1, 7))):
        kind = draw(st.sampled_from(["image", "index", "referrer"])) if made else "image"
        if kind == "index":
            made.append(index_of(*draw(st.lists(st.sampled_from(made), max_size=3))))
        else:
            layers = draw(st.lists(st.sampled_from(BLOBS), max_size=3))
            subject = draw(st.sampled_from(made)) if kind == "referrer" else None
            made.append(image_of(f"config {number}".encode(), *layers, subject=subject))
    return made


@given(graph=graphs(), data=st.data())
def test_both_sides_are_equal_after_the_last_delivery_wherever_a_run_was_broken_off(
    graph: list[Manifest], data: st.DataObject
) -> None:
    house = House()
    fill(house.source, graph, [*BLOBS, *(f"config {number}".encode() for number in range(len(graph)))])
    house.source.put_manifest(graph[-1], TAG)
    faults = st.sampled_from(["write_blob", "put_manifest", "digest_of", "has_blob", "manifest"])
    for method in data.draw(st.lists(faults, max_size=4)):
        fail = data.draw(st.sampled_from([house.destination.calls.fail_before, house.destination.calls.fail_after]))
        fail(method, DigestMismatchError("broken off"))

    for _ in range(6):
        try:
            house.copy(referrers=True, deep=True)
        except StewardError:
            continue
        break

    assert house.destination.broken == []
    assert house.destination.tags == house.source.tags
    assert whole(house.destination, graph[-1].digest)
    assert all(
        house.source.manifests[digest].content == each.content for digest, each in house.destination.manifests.items()
    )
    assert {each.digest for each in house.source.referrers(graph[-1].digest)} <= house.destination.manifests.keys()


def test_children_are_read_and_put_at_the_same_time_and_before_their_index(house: House) -> None:
    read, put = Barrier(2), Barrier(2)
    source, destination = house.source.manifest, house.destination.put_manifest

    def read_together(reference: Digest | ImageTag) -> Manifest:
        if reference in (ARM.digest, INTEL.digest):
            read.wait(10)
        return source(reference)

    def put_together(manifest: Manifest, image_tag: ImageTag | None, *, is_top: bool = False) -> None:
        if manifest in (ARM, INTEL):
            put.wait(10)
        destination(manifest, image_tag, is_top=is_top)

    house.source.manifest = read_together  # type: ignore[method-assign]
    house.destination.put_manifest = put_together  # type: ignore[method-assign]

    house.copy()

    calls = [call.arguments[0] for call in house.destination.calls.entries if call.method == "put_manifest"]
    assert set(calls[:2]) == {ARM.digest, INTEL.digest}
    assert calls[2:] == [TAG]


def test_others_are_still_read_ahead_when_the_children_of_one_cannot_be_read(house: House) -> None:
    gone = [image_of(b"{}", f"gone {number}".encode()) for number in range(20)]
    broken = index_of(*gone)
    house.source.manifests[broken.digest], house.source.tags[OTHER] = broken, broken.digest

    with house.run() as run:
        (_, error), copied = run.copy_all([Wanted(OTHER, OTHER), WANTED])
        assert isinstance(error, ImageNotFoundError)
        assert isinstance(copied, Copied)


@pytest.mark.parametrize("lost", ["write_blob", "put_manifest"])
def test_nothing_is_tagged_when_the_destination_takes_something_and_does_not_keep_it(house: House, lost: str) -> None:
    taken = getattr(house.destination, lost)

    def lose(what: Any, *arguments: Any, **named: Any) -> Any:
        answer = taken(what, *arguments, **named)
        if lost == "write_blob" and what.digest == digest_of(b"layer"):
            del house.destination.blobs[what.digest]
        if lost == "put_manifest" and what == ARM:
            del house.destination.manifests[ARM.digest]
        return answer

    setattr(house.destination, lost, lose)

    with pytest.raises(RefusedByRegistryError, match="was accepted, and is not there"):
        house.copy()

    assert house.destination.tags == {}


def test_images_are_begun_as_others_end_when_there_are_many(house: House) -> None:
    wanted = [Wanted(INDEX.digest, ImageTag(f"v{number}")) for number in range(3 * WINDOW)]

    with house.run() as run:
        told = run.copy_all(wanted)
        next(told)
        begun = run._images._work_queue.qsize()
        rest = list(told)

    assert begun <= WINDOW
    assert len(rest) == 3 * WINDOW - 1
    assert house.destination.tags.keys() == {each.image_tag for each in wanted}


def test_a_referrer_comes_after_the_index_that_it_lists_although_the_walk_meets_it_first(house: House) -> None:
    first = index_of(INTEL, subject=ARM)
    second = index_of(first, subject=INTEL)
    fill(house.source, [first, second], [])

    for digest in (ARM.digest, INDEX.digest):
        with CopyRun(house.source, InMemoryStore(), How(referrers=True), Nobody(), pace=Pace(1)) as run:
            assert run.copy(Wanted(digest, TAG)).result is Result.COPIED
