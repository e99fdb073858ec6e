"""What people do by hand: quarantine, release, undo. The rules honor it afterwards."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.adapters.memory import (
    InMemoryJournal,
    InMemoryRegistry,
    InMemoryRegistrySettings,
    InMemoryReleases,
)
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.backfills import StartReplicationBackfill
from ecr_steward.domain.by_hand import BY_HAND
from ecr_steward.domain.images import Image
from ecr_steward.domain.journal import StepState
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RegistryRef
from ecr_steward.domain.plan import (
    AddImageTag,
    DeleteAndRetag,
    DeleteImage,
    Plan,
    PutLifecyclePolicy,
    RemoveImageTag,
    SetRepositoryPolicy,
)
from ecr_steward.domain.policies.openings import Opening
from ecr_steward.domain.registries import DeleteRegistryPolicy, PutRegistryPolicy, PutReplicationConfiguration
from ecr_steward.domain.releases import RELEASED_FOR
from ecr_steward.domain.repositories import Mutability, Repository, RepositorySettings, TagMutability
from ecr_steward.domain.tag_plan import plan_image_tags
from ecr_steward.errors import CannotUndoError, ImageNotFoundError, ImageTagIsImmutableError
from ecr_steward.usecases.by_hand import ByHand
from tests.given.appliers import applier_of
from tests.given.rules import API, HOME, rulebook

BAD, GOOD = (ImageRef(API, Digest("sha256:" + digit * 64)) for digit in "ab")
QUARANTINE = ImageTag("quarantine-aaaaaaaaaaaa")


class House:
    def __init__(self, bad=("latest", "dev"), good=("1.4.2",), mutability=Mutability.MUTABLE):
        self.now = NOON
        self.releases = InMemoryReleases(lambda: self.now)
        self.journal = InMemoryJournal(lambda: self.now)
        settings = RepositorySettings(mutability=TagMutability(mutability), scan_on_push=False)
        images = [Image(ref, frozenset(map(ImageTag, tags))) for ref, tags in ((BAD, bad), (GOOD, good))]
        self.registry = InMemoryRegistry([Repository(API, settings)], images, releases=self.releases)
        self.settings = InMemoryRegistrySettings()
        self.hands = ByHand(self.registry, self.settings, self.journal, self.releases, lambda: self.now, "ana")

    @property
    def dry(self):
        return replace(self.hands, is_dry=True)

    def enforce(self, image=BAD):
        """Let the rule look at an image, as after a push."""
        images = self.registry.images(API)
        plan = plan_image_tags(rulebook().rules[0], images, [image.digest])
        applier_of(self.registry, journal=self.journal, now=lambda: self.now).apply(plan, API, images)
        return plan

    def tags(self, image=BAD):
        return set(self.registry.tags_of(image))

    def move(self, image_tag, to):
        self.registry.restore(Image(to, frozenset([ImageTag(image_tag)])))

    def entries(self):
        today = self.now.date()
        return list(self.journal.entries(today - timedelta(days=90), today))

    def entry(self, what, image_tag="latest"):
        (found,) = [each for each in self.entries() if (each.step, each.image_tags) == (what.__name__, (image_tag,))]
        return found


# ---------------------------------------------------------------- quarantine


def test_an_image_keeps_nothing_but_a_quarantine_tag_when_it_is_quarantined():
    house = House()

    plan = house.hands.quarantine(BAD, "CVE-2026-12345")

    assert house.tags() == {QUARANTINE}
    assert {(step.rule, step.why) for step in plan.steps} == {(BY_HAND, "CVE-2026-12345")}
    assert {(each.who, each.state) for each in house.entries()} == {("ana", StepState.DONE)}
    assert len(house.entries()) == 3


def test_nothing_is_left_to_do_when_an_image_is_quarantined_again_or_a_rule_looks_at_it():
    house = House()
    house.hands.quarantine(BAD, "CVE-2026-12345")

    assert house.hands.quarantine(BAD, "again").is_empty
    assert house.enforce().is_empty


def test_nothing_changes_and_nothing_is_recorded_when_the_run_is_dry():
    house = House()
    house.enforce()  # the rule quarantines it
    before = (house.tags(), house.tags(GOOD), house.entries())

    plans = [house.dry.quarantine(GOOD, "w"), house.dry.release(BAD, "w"), house.dry.undo(house.entry(RemoveImageTag))]

    assert not any(plan.is_empty for plan in plans)
    assert (house.tags(), house.tags(GOOD), house.entries()) == before
    assert list(house.releases.of(API)) == []


def test_an_image_that_is_gone_is_neither_quarantined_nor_released():
    house = House()
    house.registry.delete(BAD)

    for act in (house.hands.quarantine, house.hands.release):
        with pytest.raises(ImageNotFoundError, match="a" * 64):
            act(BAD, "w")


# ---------------------------------------------------------------- release


@pytest.mark.parametrize("by", ["rule", "hand"])
def test_an_image_has_its_tags_again_and_keeps_them_when_it_is_released(by):
    house = House()
    house.enforce() if by == "rule" else house.hands.quarantine(BAD, "w")
    assert house.tags() == {QUARANTINE}

    house.hands.release(BAD, "we have looked at it")

    assert house.tags() == {"latest", "dev"}
    after = house.enforce()
    assert (after.steps, after.violations) == ((), ())
    assert {(each.who, each.why) for each in house.releases.of(API)} == {("ana", "we have looked at it")}


def test_an_image_is_quarantined_again_when_its_release_is_over():
    house = House()
    house.enforce()
    house.hands.release(BAD, "for now", lasting=timedelta(days=7))

    house.now += timedelta(days=7)
    house.enforce()

    assert house.tags() == {QUARANTINE}


def test_an_image_is_quarantined_again_when_a_person_says_so_after_a_release():
    house = House()
    house.enforce()
    house.hands.release(BAD, "we have looked at it")

    house.hands.quarantine(BAD, "we were wrong")
    house.enforce()

    assert house.tags() == {QUARANTINE}
    assert list(house.releases.of(API)) == []


def test_only_the_released_image_may_have_the_image_tag():
    house = House()
    house.enforce()
    house.hands.release(BAD, "w")

    house.move("latest", to=GOOD)
    house.enforce(GOOD)

    assert "latest" not in house.tags(GOOD) | house.tags()
    assert house.tags() == {"dev"}


def test_another_image_tag_of_a_released_image_is_a_violation_like_any_other():
    house = House()
    house.enforce()
    house.hands.release(BAD, "w")

    house.move("latest-2", to=BAD)
    house.enforce()

    assert house.tags() == {"latest", "dev"}


def test_an_image_tag_stays_where_it_is_by_now_unless_it_is_forced():
    house = House()
    house.enforce()
    house.move("latest", to=GOOD)

    plan = house.hands.release(BAD, "w")

    assert plan.remarks == (f"image tag latest stays with {GOOD.digest}, which holds it by now",)
    assert house.tags() == {"dev"}
    house.hands.release(BAD, "w", image_tags=frozenset([ImageTag("latest")]), is_forced=True)
    assert house.tags() == {"dev", "latest"}


def test_only_what_was_lost_together_comes_back():
    house = House(bad=["old", "2.0.0"])
    house.enforce()
    assert house.tags() >= {"2.0.0"}
    house.now += timedelta(hours=1)
    house.hands.quarantine(BAD, "w")

    house.hands.release(BAD, "w")

    assert "old" not in house.tags()
    assert "2.0.0" in house.tags()


def test_a_release_asks_which_tag_when_the_journal_does_not_know():
    house = House(bad=[QUARANTINE])

    with pytest.raises(CannotUndoError, match="say with --image-tag which it is to hold"):
        house.hands.release(BAD, "w")
    house.hands.release(BAD, "w", image_tags=frozenset([ImageTag("latest")]))

    assert house.tags() == {"latest"}


def test_an_image_that_nobody_has_quarantined_may_be_released_from_what_a_rule_would_say():
    house = House()

    plan = house.hands.release(BAD, "it is a mirror")

    assert plan.is_empty
    assert house.enforce().is_empty


@given(st.sets(st.sampled_from(["latest", "dev", "1.4.3", "2.0.0", "2-latest"]), min_size=1))
def test_a_released_image_is_at_rest_whatever_tags_it_has(tags):
    house = House(bad=tags)
    house.hands.quarantine(BAD, "w")
    house.enforce()

    house.hands.release(BAD, "w")
    house.enforce()

    assert house.enforce().is_empty
    assert {tag for tag in tags if not tag.endswith("-latest")} <= house.tags()


# ---------------------------------------------------------------- undo


def test_a_removed_image_tag_comes_back_and_stays_when_its_removal_is_undone():
    house = House()
    house.enforce()

    house.hands.undo(house.entry(RemoveImageTag))

    assert house.tags() == {QUARANTINE, "latest"}
    assert house.enforce().is_empty
    (release,) = house.releases.of(API)
    assert (release.image_tag, release.until) == ("latest", NOON + RELEASED_FOR)


def test_a_moved_image_tag_goes_back_to_its_image_when_the_move_is_undone():
    house = House(bad=["1.4.1", "1-latest"], good=["1.4.2"])
    house.enforce(GOOD)
    assert "1-latest" in house.tags(GOOD)

    house.hands.undo(house.entry(AddImageTag, "1-latest"))

    assert house.tags() == {"1.4.1", "1-latest"}


def test_an_immutable_image_tag_goes_back_to_its_image_when_the_move_is_undone():
    house = House(bad=["1.4.1", "1-latest"], good=["1.4.2"], mutability=Mutability.IMMUTABLE)
    step = DeleteAndRetag(rule="services", why="w", image=GOOD, image_tag=ImageTag("1-latest"), previous=BAD.digest)
    images = house.registry.images(API)
    applier_of(house.registry, journal=house.journal).apply(Plan((step,)), API, images)
    assert house.tags(GOOD) == {"1.4.2", "1-latest"}

    house.hands.undo(house.entry(DeleteAndRetag, "1-latest"))

    assert house.tags() == {"1.4.1", "1-latest"}


@pytest.mark.parametrize("happened", [True, False])
def test_facts_decide_when_a_step_was_intended_and_nobody_knows_whether_it_was_done(happened):
    house = House()
    step = RemoveImageTag(rule="services", why="w", image=BAD, image_tag=ImageTag("latest"))
    entry_id = house.journal.begin(step, "enforce_image_tags")
    if happened:
        house.registry.take_tag(BAD, ImageTag("latest"))

    plan = house.hands.undo(house.journal.entry(entry_id))

    assert plan.is_empty is not happened
    assert "latest" in house.tags()


def test_an_undo_is_undone_like_any_step():
    house = House()
    house.enforce()
    house.hands.undo(house.entry(RemoveImageTag))

    house.hands.undo(house.entry(AddImageTag))

    assert house.tags() == {QUARANTINE}


def test_an_image_tag_is_not_taken_from_who_holds_it_now_unless_it_is_forced():
    house = House()
    house.enforce()
    house.move("latest", to=GOOD)
    entry = house.entry(RemoveImageTag)

    with pytest.raises(CannotUndoError, match=f"latest is on {GOOD.digest} by now"):
        house.hands.undo(entry)
    assert "latest" in house.tags(GOOD)

    house.hands.undo(entry, is_forced=True)
    assert "latest" in house.tags()


def test_nothing_can_be_undone_when_the_image_is_gone():
    house = House()
    house.enforce()
    house.registry.delete(BAD)

    with pytest.raises(CannotUndoError, match=f"{BAD.digest} is not in {API} any more"):
        house.hands.undo(house.entry(RemoveImageTag))


def test_the_last_image_tag_is_not_taken_when_its_adding_is_undone():
    house = House(bad=[])
    house.hands.release(BAD, "w", image_tags=frozenset([ImageTag("latest")]))

    with pytest.raises(CannotUndoError, match="ECR would delete the image with it"):
        house.hands.undo(house.entry(AddImageTag))


def test_the_registry_has_the_last_word_when_the_tag_is_immutable():
    house = House(bad=["1.4.1", "1-latest"], good=["1.4.2"])
    house.enforce(GOOD)
    house.registry.change_settings(API, mutability=TagMutability(Mutability.IMMUTABLE))

    with pytest.raises(ImageTagIsImmutableError):
        house.hands.undo(house.entry(AddImageTag, "1-latest"))

    assert {each.state for each in house.entries() if each.who == "ana"} == {StepState.FAILED}


def test_a_deleted_image_cannot_be_undone():
    house = House()
    step = DeleteImage(rule="services", why="w", image=BAD)
    entry = house.journal.entry(house.journal.begin(step, "reconcile_registry"))

    with pytest.raises(CannotUndoError, match="a deleted image is gone from the registry"):
        house.hands.undo(entry)


def test_a_backfill_cannot_be_undone():
    house = House()
    to = RegistryRef("111122223333", "eu-west-1")
    step = StartReplicationBackfill(rule="mesh", why="w", registry=API.registry, to=to, prefixes=frozenset({""}))
    entry = house.journal.entry(house.journal.begin(step, "reconcile_registry"))

    with pytest.raises(CannotUndoError, match="what ECR has copied stays"):
        house.hands.undo(entry)


def test_a_refused_step_is_nothing_to_undo():
    house = House()
    step = RemoveImageTag(rule="services", why="w", image=BAD, image_tag=ImageTag("latest"))
    entry_id = house.journal.begin(step, "enforce_image_tags")
    house.journal.end(entry_id, StepState.FAILED)

    with pytest.raises(CannotUndoError, match="was refused and changed nothing"):
        house.hands.undo(house.journal.entry(entry_id))


@pytest.mark.parametrize(
    ("kind", "method"), [(PutLifecyclePolicy, "put_lifecycle_policy"), (SetRepositoryPolicy, "set_repository_policy")]
)
def test_a_policy_is_put_back_when_its_overwriting_is_undone(kind, method):
    """Point 3 of the review: a hand-written policy that the rulebook had replaced was kept nowhere."""
    house = House()
    selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 3}
    lifecycle = {"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]}
    before = lifecycle if kind is PutLifecyclePolicy else {"Version": "2012-10-17", "Statement": []}
    step = kind(rule="services", why="w", repository=API, document={"rules": [1]}, previous=before)
    entry = house.journal.entry(house.journal.begin(step, "apply_repository_policies"))

    plan = house.hands.undo(entry)

    assert [(type(each), each.document, each.rule) for each in plan.steps] == [(kind, before, BY_HAND)]
    assert [call.arguments for call in house.registry.calls.entries if call.method == method] == [(API, before)]


REPLICAS = {
    "Sid": "Replicas",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::222233334444:root"},
    "Action": ["ecr:ReplicateImage"],
    "Resource": "*",
}


@pytest.mark.parametrize("kind", [PutRegistryPolicy, DeleteRegistryPolicy, PutReplicationConfiguration])
def test_a_document_of_a_registry_is_put_back_when_its_overwriting_is_undone(kind):
    """Point 3 of the review: what a sweep put in the place of a registry policy was kept nowhere."""
    house = House()
    before = (
        {"rules": []} if kind is PutReplicationConfiguration else {"Version": "2012-10-17", "Statement": [REPLICAS]}
    )
    after = {} if kind is DeleteRegistryPolicy else {"document": {"rules": [1]}}
    step = kind(rule="mesh", why="w", registry=HOME, previous=before, **after)
    entry = house.journal.entry(house.journal.begin(step, "reconcile_registry"))

    house.hands.undo(entry)

    settings = house.settings.settings_of(HOME)
    assert before in (settings.policy, settings.replication)
    assert [each.state for each in house.entries() if each.who == "ana"] == [StepState.DONE]


def test_a_policy_is_not_put_back_where_there_was_none():
    house = House()
    opens = frozenset({Opening("222233334444")})
    step = SetRepositoryPolicy(rule="services", why="w", repository=API, document={}, opens=opens)
    entry = house.journal.entry(house.journal.begin(step, "apply_repository_policies"))

    with pytest.raises(CannotUndoError, match="there was no document before"):
        house.hands.undo(entry)
