"""What is taken away, in which order, and with as few calls as will do."""

from dataclasses import replace

from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.adapters.memory.state import InMemorySwitch
from ecr_steward.domain.brake import Brake
from ecr_steward.domain.names import ImageRef, ImageTag
from ecr_steward.domain.pause import Pause
from ecr_steward.domain.retention_rules import RetentionRules
from ecr_steward.domain.rules import Governing, Mode
from ecr_steward.domain.tag_rules import TagRules
from ecr_steward.errors import ImageTaggedMeanwhileError
from ecr_steward.usecases.retain_images import plan_repository_retention
from tests.given.appliers import applier_of
from tests.given.contents import digest, image
from tests.given.rules import API
from tests.unit.usecases.retaining import UNLESS_IN_USE, House


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
    paused = InMemorySwitch(lambda: house.now)
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
