"""What others do meanwhile: they are faster, and they push."""

from datetime import datetime, timedelta

import pytest

from ecr_steward.adapters.memory import InMemorySightings
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.names import ImageRef, ImageTag
from ecr_steward.domain.observations import Push
from ecr_steward.domain.rules import Match, Rule, Rules
from ecr_steward.domain.sightings import Sighting
from ecr_steward.errors import AccessDeniedError, ImageIsListedError, ImageTaggedMeanwhileError
from ecr_steward.usecases.retain_images import note_push, retain_images
from tests.given.appliers import UNBRAKED, applier_of
from tests.given.contents import digest, image
from tests.given.rules import API, Pattern, service_rule
from tests.unit.usecases.retaining import PRS, House


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
    sightings = InMemorySightings()

    note_push(push, rules=RULES, sightings=sightings)

    assert sightings.calls.methods == []


def test_a_push_is_not_noted_when_no_rule_covers_the_repository() -> None:
    sightings = InMemorySightings()
    expiring = Rule("defaults", Match(()), image_tags=PRS)

    note_push(
        pushed("pr-2"),
        rules=Rules((service_rule(match=Match((Pattern("x"),)), image_tags=PRS),), defaults=expiring),
        sightings=sightings,
    )

    assert sightings.calls.methods == []


def test_a_push_is_noted_when_the_defaults_speak_of_it() -> None:
    sightings = InMemorySightings()
    expiring = Rule("defaults", Match(()), image_tags=PRS)

    note_push(pushed("pr-2"), rules=Rules((service_rule(image_tags=None),), defaults=expiring), sightings=sightings)

    assert sightings.seen(API) == {"pr-2": Sighting.at(digest("draft"), NOON)}
