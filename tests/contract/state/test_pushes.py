"""The contracts of ``OwnTags`` and ``SeenSettings``: every test runs on the fakes and on the adapters."""

from datetime import timedelta
from typing import Any

from ecr_steward.domain.names import Digest, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.own_tags import KEPT, OwnTag
from ecr_steward.domain.seen_settings import KEPT as SETTINGS_KEPT

API = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
COPY = API.in_registry(RegistryRef("111122223333", "eu-west-1"))
ONE, TWO = (Digest(f"sha256:{str(number) * 64}") for number in (1, 2))
ALIAS, OTHER = image_tag("1.4-latest"), image_tag("1-latest")


def test_the_last_note_of_an_image_tag_counts_until_its_event_must_have_come(world: Any) -> None:
    world.own_tags.note(API, ALIAS, OwnTag(ONE, world.clock()))
    last = OwnTag(TWO, world.clock())
    world.own_tags.note(API, ALIAS, last)

    assert world.own_tags.last(API, ALIAS) == last
    assert world.own_tags.last(API, OTHER) is None
    assert world.own_tags.last(COPY, ALIAS) is None
    world.clock.pass_by(KEPT)
    assert world.own_tags.last(API, ALIAS) is None


def test_settings_were_in_order_by_the_last_rulebook_that_was_noted_for_an_hour(world: Any) -> None:
    world.seen_settings.note(API, "a rulebook", world.clock())
    world.seen_settings.note(COPY, "a rulebook", world.clock())
    world.seen_settings.note(API, "another", world.clock() + timedelta(minutes=1))

    assert (world.seen_settings.last(API), world.seen_settings.last(COPY)) == ("another", "a rulebook")
    world.clock.pass_by(SETTINGS_KEPT)
    assert (world.seen_settings.last(API), world.seen_settings.last(COPY)) == ("another", "")


def test_settings_are_known_by_no_rulebook_when_a_change_was_noted(world: Any) -> None:
    world.seen_settings.note(API, "a rulebook", world.clock())
    world.seen_settings.note(API, "", world.clock())

    assert world.seen_settings.last(API) == ""
