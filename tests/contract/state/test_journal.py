"""The contract of ``Journal``."""

from datetime import timedelta

from ecr_steward.domain.journal import KEPT, Entry, StepState
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RegistryRef, RepositoryRef
from ecr_steward.domain.plan import (
    AddImageTag,
    DeleteAndRetag,
    DeleteImage,
    PutLifecyclePolicy,
    RemoveImageTag,
    SetRepositoryPolicy,
)
from ecr_steward.domain.registries import DeleteRegistryPolicy

HOME = RegistryRef("111122223333", "us-east-1")
API = RepositoryRef(HOME, "team-a/api")
OLD, NEW = (Digest("sha256:" + digit * 64) for digit in "ab")
REMOVED = RemoveImageTag(
    rule="services", why="latest is denied", image=ImageRef(API, NEW), image_tag=ImageTag("latest")
)
MOVED = AddImageTag(
    rule="services", why="1.4.3 is higher", image=ImageRef(API, NEW), image_tag=ImageTag("1-latest"), previous=OLD
)


def test_a_step_is_intended_until_it_has_ended(world):
    entry_id = world.journal.begin(REMOVED, "enforce_image_tags")
    before = world.journal.entry(entry_id)

    world.journal.end(entry_id, StepState.DONE)

    assert before == Entry(
        id=entry_id,
        at=world.clock.now,
        who="enforce_image_tags",
        rule="services",
        why="latest is denied",
        step="RemoveImageTag",
        what=str(REMOVED),
        registry=HOME,
        state=StepState.INTENDED,
        repository=API,
        digest=NEW,
        image_tags=(ImageTag("latest"),),
    )
    assert world.journal.entry(entry_id).state is StepState.DONE
    assert entry_id.startswith("20261126-041530-")


def test_what_each_step_was_about_is_kept(world):
    deleted = DeleteImage(rule="r", why="w", image=ImageRef(API, OLD), image_tags=frozenset(map(ImageTag, "ba")))
    policy = SetRepositoryPolicy(rule="r", why="w", repository=API, document={}, takes_away=True)
    of_registry = DeleteRegistryPolicy(rule="r", why="w", registry=HOME)
    was = {"rules": [{"rulePriority": 1}]}
    lifecycle = PutLifecyclePolicy(rule="r", why="w", repository=API, document={"rules": []}, previous=was)
    retagged = DeleteAndRetag(rule="r", why="w", image=MOVED.image, image_tag=MOVED.image_tag, previous=OLD)
    steps = (MOVED, retagged, deleted, policy, of_registry, lifecycle)
    entries = [world.journal.entry(world.journal.begin(step, "ana")) for step in steps]

    assert [(each.repository, each.digest, each.image_tags, each.previous) for each in entries] == [
        (API, NEW, ("1-latest",), OLD),
        (API, NEW, ("1-latest",), OLD),
        (API, OLD, ("a", "b"), None),
        (API, None, (), None),
        (None, None, (), None),
        (API, None, (), None),
    ]
    assert [each.document for each in entries] == [None] * 5 + ['{"rules":[{"rulePriority":1}]}']
    assert {each.registry for each in entries} == {HOME}


def test_there_is_no_entry_when_nobody_made_it_and_to_end_it_makes_none(world):
    world.journal.end("20261126-041530-00000000", StepState.DONE)

    assert world.journal.entry("20261126-041530-00000000") is None
    assert world.journal.entry("no id at all") is None


def test_the_latest_entries_come_first_when_those_of_some_days_are_asked_for(world):
    ids = []
    for _ in range(3):
        ids += [world.journal.begin(REMOVED, "ana"), world.journal.begin(MOVED, "ana")]
        world.clock.pass_by(timedelta(days=1))
    today = world.clock.now.date()

    of_two_days = [entry.id for entry in world.journal.entries(today - timedelta(days=2), today)]

    assert set(of_two_days) == set(ids[2:])
    assert [entry.at for entry in world.journal.entries(today - timedelta(days=3), today)] == sorted(
        (entry.at for entry in world.journal.entries(today - timedelta(days=3), today)), reverse=True
    )
    assert len(set(ids)) == 6


def test_an_entry_is_gone_after_ninety_days(world):
    entry_id = world.journal.begin(REMOVED, "ana")

    world.clock.pass_by(KEPT)

    assert world.journal.entry(entry_id) is None
    assert list(world.journal.entries(world.clock.now.date() - KEPT, world.clock.now.date())) == []
