from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ecr_steward.domain.brake import Brake
from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST, Descriptor
from ecr_steward.domain.names import ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.observations import Push
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.pause import Pause
from ecr_steward.domain.retention_rules import ExpireRule, ProtectingKeep, RetentionRules, Use
from ecr_steward.domain.rules import Governing, Match, Mode, Rule, Rules
from ecr_steward.domain.sightings import Sighting
from ecr_steward.domain.tag_rules import TagExpiry, TagRules
from ecr_steward.domain.usage import UsedImage
from ecr_steward.errors import (
    AccessDeniedError,
    ImageIsListedError,
    ImageTaggedMeanwhileError,
    RegistryUnavailableError,
    ThrottledError,
)
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.retain_images import RetentionFacts, note_push, plan_repository_retention, retain_images
from ecr_steward_fakes import Calls, FakeRegistry, FakeSightings, FakeWorkloads
from ecr_steward_fakes.appliers import UNBRAKED, applier_of
from ecr_steward_fakes.contents import digest, image
from ecr_steward_fakes.rules import API, NOON, WANTED, Pattern, service_rule
from ecr_steward_fakes.state import FakeSwitch

PRS = TagRules(expire=(TagExpiry((Pattern("pr-.*"),), 14),))
OLD = RetentionRules(expires=(ExpireRule("expire all after 30d", after=30),))
IN_USE = frozenset(Use)
UNLESS_IN_USE = replace(OLD, keeps=(ProtectingKeep("keep in use", in_use=IN_USE),))


class House:
    """A repository whose tags were first seen a while ago, and all that is known of it."""

    def __init__(self, *images: object, tags: TagRules = PRS, retention: RetentionRules = OLD) -> None:
        self.calls = Calls()
        self.now = NOON
        self.registry = FakeRegistry(images=images, calls=self.calls)  # type: ignore[arg-type]
        self.sightings = FakeSightings(self.calls, now=lambda: self.now)
        self.workloads = FakeWorkloads(self.calls)
        self.tag_rule = service_rule(name="tags", image_tags=tags)
        self.settings_rule = service_rule(name="images", repository=lambda _: replace(WANTED, retention=retention))
        self.calls.clear()

    @property
    def facts(self) -> RetentionFacts:
        return RetentionFacts(self.registry, lambda: self.now, self.sightings, self.workloads)

    @property
    def governing(self) -> Governing:
        return Governing(image_tags=self.tag_rule, settings=(self.settings_rule,))

    def sweep(self, applier: Applier | None = None, *, is_dry: bool = False) -> tuple[Outcome, ...]:
        images = self.registry.images(API)
        self.calls.clear()
        return retain_images(self.governing, images, self.facts, applier or applier_of(self.registry), is_dry=is_dry)

    def age(self, days: float) -> None:
        """Have the tags been seen, and wait."""
        self.sweep()
        self.now += timedelta(days=days)
        self.calls.clear()

    def lists(self, index: str, *children: str) -> None:
        """Have one image be an index of others."""
        ref = ImageRef(API, digest(index))
        held = self.registry.images(API).images[ref.digest]
        self.registry.restore(replace(held, media_type=OCI_INDEX))
        listed = tuple(Descriptor(OCI_MANIFEST, digest(child), 1, "linux/amd64") for child in children)
        self.registry.hold_children(ref, listed)

    def there(self, *names: str) -> list[str]:
        """Which of these images are there."""
        return [name for name in names if self.registry.holds(ImageRef(API, digest(name)))]


# ---------------------------------------------------------------- what is done


def test_images_and_tags_go_when_both_rules_enforce() -> None:
    house = House(image("old", "v0", age=31), image("new", "v1", "pr-1"), image("draft", "pr-2"))
    house.age(14.5)

    outcomes = house.sweep()

    assert house.there("old", "new", "draft") == ["new"]
    assert house.registry.tags_of(ImageRef(API, digest("new"))) == {"v1"}
    assert [(one.subject, one.rule, one.mode, one.applied, len(one.plan.steps)) for one in outcomes] == [
        (str(API), "tags", Mode.ENFORCE, True, 2),
    ]
    assert house.sweep() == ()


def test_an_old_image_goes_at_the_first_sweep_and_a_tag_does_not() -> None:
    house = House(image("old", "v0", age=31), image("draft", "pr-2", age=29))

    (outcome,) = house.sweep()

    assert outcome.rule == "images"
    assert house.there("old", "draft") == ["draft"]


def test_an_index_goes_before_what_it_lists() -> None:
    house = House(image("index", "v0", age=31), image("child", age=31))
    house.lists("index", "child")

    house.sweep()

    assert house.there("index", "child") == []
    assert [call.arguments[0].digest for call in house.calls.changes] == [digest("index"), digest("child")]  # type: ignore[attr-defined]


def test_what_belongs_to_an_image_stays_when_the_image_could_not_go() -> None:
    """A signature would be missed most by an image that somebody has tagged for production in between."""
    house = House(
        image("promoted", "v0", age=31),
        image("signature", age=31, subject="promoted"),
        image("of the signature", age=31, subject="signature"),
        image("old", "v1", age=31),
        image("signature of old", age=31, subject="old"),
    )
    house.calls.fail_before("delete_image", ImageTaggedMeanwhileError("it holds another image tag now: prod"))

    (outcome,) = house.sweep()

    stayed = house.there("promoted", "signature", "of the signature")
    others = house.there("old", "signature of old")
    assert (len(stayed), len(others)) in ((3, 0), (0, 2))
    assert "somebody was faster" in outcome.plan.remarks[-1]


def test_no_rule_builds_on_what_another_one_could_not_take_away() -> None:
    house = House(image("draft", "pr-1"), image("old", "v0", age=20))
    house.age(14.5)
    house.calls.fail_before("delete_image", ImageTaggedMeanwhileError("it holds another image tag now: prod"))

    (outcome,) = house.sweep()

    assert outcome.rule == "tags"
    assert house.there("draft", "old") == ["draft", "old"]


def test_what_belongs_to_an_archived_image_stays() -> None:
    """Who restores the image wants it signed."""
    house = House(
        image("archived", "v0", age=31),
        image("referrer", age=31, subject="archived"),
        image("signature", f"sha256-{digest('archived').hex}.sig", age=31),
        image("orphan", age=31, subject="nobody pushed this"),
    )
    house.registry.archive(ImageRef(API, digest("archived")))

    house.sweep()

    assert house.there("referrer", "signature", "orphan") == ["referrer", "signature"]


def test_nothing_is_done_when_the_rules_only_observe() -> None:
    house = House(image("old", "v0", age=31), image("draft", "pr-2"))
    house.age(15)
    house.tag_rule, house.settings_rule = (
        replace(rule, mode=Mode.OBSERVE) for rule in (house.tag_rule, house.settings_rule)
    )
    house.registry.restore(image("old", "v0", age=31))

    outcomes = house.sweep()

    assert [(one.rule, len(one.plan.steps), one.applied) for one in outcomes] == [
        ("tags", 1, False),
        ("images", 1, False),
    ]
    assert house.there("old", "draft") == ["old", "draft"]


def test_a_dry_run_changes_nothing_and_notes_nothing() -> None:
    house = House(image("old", "v0", age=31), image("draft", "pr-2"))

    (outcome,) = house.sweep(is_dry=True)

    assert len(outcome.plan.steps) == 1
    assert house.calls.changes == []
    assert house.sightings.seen(API) == {}


def test_nothing_is_said_of_a_repository_of_which_no_rule_speaks() -> None:
    house = House(image("old", "pr-1", age=99), tags=TagRules(), retention=RetentionRules())

    assert house.sweep() == ()
    assert plan_repository_retention(Governing(), house.registry.images(API), house.facts) == ()
    assert "seen" not in house.calls.methods


def test_the_second_rule_is_not_tried_when_the_first_was_halted() -> None:
    house = House(image("old", "v0", age=31), image("draft", "pr-2"))
    house.age(15)
    house.registry.restore(image("old", "v0", age=31))
    paused = FakeSwitch(lambda: house.now)
    paused.elsewhere = Pause("me", NOON, "to look")

    outcomes = house.sweep(applier_of(house.registry, switch=paused))

    assert [(one.rule, one.halt) for one in outcomes] == [("tags", paused.elsewhere)]
    assert house.there("old", "draft") == ["old", "draft"]


def test_the_brake_holds_a_plan_as_a_whole() -> None:
    house = House(*(image(f"old {number}", f"v{number}", age=31) for number in range(8)))

    (outcome,) = house.sweep(applier_of(house.registry, brake=Brake(removals=7, share=100)))

    assert outcome.halt is not None
    assert not outcome.applied
    assert len(house.registry.images(API).digests) == 8


# ---------------------------------------------------------------- as few calls as will do


def test_nothing_more_is_read_when_nothing_could_go() -> None:
    house = House(image("index", "v0", age=29), image("child", age=29), retention=UNLESS_IN_USE)
    house.lists("index", "child")

    assert house.sweep() == ()
    assert house.calls.methods == ["seen"]


def test_nobody_is_asked_what_is_in_use_when_only_children_of_an_index_that_stays_are_old() -> None:
    house = House(image("index", "v0", age=29), image("child", age=31), retention=UNLESS_IN_USE)
    house.lists("index", "child")

    assert house.sweep() == ()
    assert house.calls.methods == ["seen", "children"]


def test_everybody_is_asked_of_whom_a_keep_speaks() -> None:
    house = House(image("old", "v0", age=31), retention=UNLESS_IN_USE)
    house.workloads.cover(API, [digest("old")])

    house.sweep()

    assert house.calls.methods[:4] == ["seen", "run_by_ecs", "counted_by_inspector", "run_by_lambda"]
    assert house.there("old") == []


def test_a_tag_is_noted_once_as_long_as_it_stays() -> None:
    house = House(image("draft", "pr-2", "main"))
    house.sweep()
    first = house.calls.methods
    house.sweep()

    assert (first, house.calls.methods) == (["seen", "keep"], ["seen"])


def test_a_tag_that_is_gone_is_forgotten() -> None:
    house = House(image("draft", "pr-2", "main"))
    house.sweep()
    house.registry.take_tag(ImageRef(API, digest("draft")), ImageTag("pr-2"))

    house.sweep()

    assert house.sightings.seen(API) == {}


# ---------------------------------------------------------------- what is in use


@pytest.mark.parametrize("source", ["ecs", "functions"])
def test_what_a_workload_of_this_repository_runs_stays(source: str) -> None:
    house = House(image("used", "v0", age=31), image("other", "v1", age=31), retention=UNLESS_IN_USE)
    house.workloads.cover(API, [digest("used"), digest("other")])
    elsewhere = RepositoryRef(API.registry, "team-b/api")
    getattr(house.workloads, source).extend(
        [UsedImage(API, "api:7", image_tag=ImageTag("v0")), UsedImage(elsewhere, "b:1", image_tag=ImageTag("v1"))]
    )

    house.sweep()

    assert house.there("used", "other") == ["used"]


@pytest.mark.parametrize("method", ["run_by_ecs", "run_by_lambda", "counted_by_inspector"])
def test_nothing_that_could_be_in_use_goes_when_one_source_cannot_be_read(method: str) -> None:
    house = House(image("old", "v0", age=31), retention=UNLESS_IN_USE)
    house.workloads.cover(API, [digest("old")])
    error = AccessDeniedError("not allowed")
    house.calls.fail_before(method, error)

    (outcome,) = house.sweep()

    assert house.there("old") == ["old"]
    assert outcome.error is error
    assert outcome.plan.is_empty
    assert outcome.plan.remarks == (f"{digest('old')} would go, but stays: it may be in use: not allowed",)


def test_nothing_that_could_be_in_use_goes_where_nobody_can_be_asked() -> None:
    house = House(image("old", "v0", age=31), retention=UNLESS_IN_USE)
    facts = replace(house.facts, workloads=None)

    (outcome,) = plan_repository_retention(house.governing, house.registry.images(API), facts)

    assert outcome.plan.is_empty
    assert "it may be in use: nobody was asked here" in outcome.plan.remarks[0]


# ---------------------------------------------------------------- what cannot be known


def test_no_image_goes_and_the_error_is_told_when_one_index_cannot_be_read() -> None:
    house = House(image("index", "v0", age=29), image("old", "v1", age=31))
    house.lists("index")
    error = RegistryUnavailableError("cut short")
    house.registry.hold_children(ImageRef(API, digest("index")), error)

    (outcome,) = house.sweep()

    assert house.there("index", "old") == ["index", "old"]
    assert outcome.error is error
    assert outcome.plan.remarks == (
        f"{digest('old')} would go, but stays: what the index {digest('index')} lists cannot be read: cut short",
    )


def test_images_go_and_tags_stay_when_sightings_cannot_be_read() -> None:
    house = House(image("old", "v0", age=31), image("draft", "pr-2"))
    house.age(15)
    house.registry.restore(image("old", "v0", age=31))
    error = ThrottledError("slow down")
    house.calls.fail_before("seen", error)

    outcomes = house.sweep()

    assert house.there("old", "draft") == ["draft"]
    assert [(one.rule, one.error, one.applied) for one in outcomes] == [("tags", error, False), ("images", None, True)]
    assert outcomes[0].remark == "no image tag expires: since when each is where it is, is not known"


def test_no_tag_expires_where_nobody_remembers_tags() -> None:
    house = House(image("draft", "pr-2"))
    house.age(15)
    facts = replace(house.facts, sightings=None)

    assert plan_repository_retention(house.governing, house.registry.images(API), facts) == ()


# ---------------------------------------------------------------- somebody is faster


@pytest.mark.parametrize("error", [ImageIsListedError("an index lists it"), ImageTaggedMeanwhileError("it is tagged")])
def test_other_images_go_and_it_is_told_when_one_has_changed_meanwhile(error: Exception) -> None:
    house = House(image("one", "v0", age=31), image("two", "v1", age=31), image("three", "v2", age=31))
    house.calls.fail_before("delete_image", error)

    (outcome,) = house.sweep()

    assert len(house.there("one", "two", "three")) == 1
    assert outcome.applied
    assert outcome.error is None
    assert outcome.plan.remarks == (f"somebody was faster, and the next sweep looks again: {error}",)


def test_the_rest_waits_when_a_deletion_is_refused() -> None:
    house = House(image("one", "v0", age=31), image("two", "v1", age=31))
    error = AccessDeniedError("not allowed")
    house.calls.fail_before("delete_image", ImageIsListedError("an index lists it"))
    house.calls.fail_before("delete_image", error)

    (outcome,) = house.sweep()

    assert house.there("one", "two") == ["one", "two"]
    assert outcome.error is error
    assert not outcome.applied


def test_an_image_stays_that_was_tagged_after_it_was_looked_at() -> None:
    house = House(image("one", "v0", age=31))
    images = house.registry.images(API)
    house.registry.add_image_tag(ImageRef(API, digest("one")), ImageTag("v1"))

    (outcome,) = retain_images(house.governing, images, house.facts, applier_of(house.registry))

    assert house.there("one") == ["one"]
    assert "holds another image tag now: v1" in outcome.plan.remarks[0]


def test_a_tag_stays_with_its_new_image_when_it_has_moved_meanwhile() -> None:
    house = House(image("one", "pr-1", "main"), image("two", "v2"))
    house.age(15)
    images = house.registry.images(API)
    house.registry.add_image_tag(ImageRef(API, digest("two")), ImageTag("pr-1"))

    retain_images(house.governing, images, house.facts, applier_of(house.registry, brake=UNBRAKED))

    assert house.registry.tags_of(ImageRef(API, digest("two"))) == {"pr-1", "v2"}
    assert house.registry.tags_of(ImageRef(API, digest("one"))) == {"main"}


# ---------------------------------------------------------------- a push is a sign of life


def pushed(tag: str | None, at: datetime | None = NOON) -> Push:
    return Push(ImageRef(API, digest("draft")), ImageTag(tag) if tag else None, at=at)


RULES = Rules((service_rule(image_tags=PRS),))


def test_a_push_to_the_same_image_keeps_a_tag_for_as_long_again() -> None:
    house = House(image("draft", "pr-2", "main"))
    house.age(14.5)

    note_push(pushed("pr-2", house.now - timedelta(hours=1)), rules=RULES, sightings=house.sightings)

    assert house.sweep() == ()
    house.now += timedelta(days=14)
    assert len(house.sweep()) == 1


@pytest.mark.parametrize("push", [pushed("main"), pushed(None), pushed("pr-2", None)], ids=["other", "none", "no time"])
def test_a_push_is_not_noted_when_no_expiry_speaks_of_it(push: Push) -> None:
    sightings = FakeSightings()

    note_push(push, rules=RULES, sightings=sightings)

    assert sightings.calls.methods == []


def test_a_push_is_not_noted_when_no_rule_covers_the_repository() -> None:
    sightings = FakeSightings()
    expiring = Rule("defaults", Match(()), image_tags=PRS)

    note_push(
        pushed("pr-2"),
        rules=Rules((service_rule(match=Match((Pattern("x"),)), image_tags=PRS),), defaults=expiring),
        sightings=sightings,
    )

    assert sightings.calls.methods == []


def test_a_push_is_noted_when_the_defaults_speak_of_it() -> None:
    sightings = FakeSightings()
    expiring = Rule("defaults", Match(()), image_tags=PRS)

    note_push(pushed("pr-2"), rules=Rules((service_rule(image_tags=None),), defaults=expiring), sightings=sightings)

    assert sightings.seen(API) == {"pr-2": Sighting.at(digest("draft"), NOON)}
