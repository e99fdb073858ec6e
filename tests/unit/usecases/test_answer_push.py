"""Pushes: which of them are answered, and what other functions are asked for by them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from ecr_steward.adapters.memory import (
    InMemoryHints,
    InMemoryNotices,
    InMemoryOwnTags,
    InMemoryReplicationQueue,
    InMemorySeenSettings,
)
from ecr_steward.adapters.memory.clock import NOON, noon
from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.observations import Push
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.own_tags import LATEST, OwnTag
from ecr_steward.domain.rules import Mode, Rules
from ecr_steward.errors import RegistryUnavailableError, ThrottledError
from ecr_steward.usecases.answer_push import answer_push
from ecr_steward.usecases.describing import Describer
from ecr_steward.usecases.enforce_image_tags import OwnPuts, enforce_image_tags
from ecr_steward.usecases.seen_settings import SettingsMemory
from tests.given.appliers import applier_of
from tests.given.rules import API, rulebook
from tests.given.worlds import World, config, manifest, world

OLD, NEW = (manifest(name, blobs=[config(name)]) for name in ("1.4.2", "1.4.3"))
ALIASES = {"1.4-latest", "1-latest"}
RULES = replace(rulebook(), digest="a rulebook")


class Overtaken(InMemoryOwnTags):
    """Another push comes between the plan of an invocation and its puts."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__(noon)
        self._meanwhile: list[Callable[[], None]] = [meanwhile]

    def note(self, repository: RepositoryRef, image_tag: ImageTag, own: OwnTag) -> None:
        super().note(repository, image_tag, own)
        while self._meanwhile:
            self._meanwhile.pop()()


@dataclass
class House:
    """What an answer works with."""

    made: World
    rules: Rules = RULES
    own_tags: InMemoryOwnTags = field(default_factory=lambda: InMemoryOwnTags(noon))
    seen: InMemorySeenSettings = field(default_factory=lambda: InMemorySeenSettings(noon))
    hints: InMemoryHints = field(default_factory=InMemoryHints)
    queue: InMemoryReplicationQueue = field(default_factory=InMemoryReplicationQueue)

    def answer(self, push: Push) -> Outcome:
        return answer_push(
            push,
            rules=self.rules,
            enforce=self.enforce,
            own_tags=self.own_tags,
            memory=SettingsMemory(self.rules, self.seen, noon),
            hints=self.hints,
            queue=self.queue,
        )

    def enforce(self, image: ImageRef) -> Outcome:
        registry = self.made.registry
        return enforce_image_tags(
            image,
            rules=self.rules,
            registry=registry,
            describer=Describer(registry, self.made.content, noon),
            notices=InMemoryNotices(),
            applier=applier_of(registry),
            own_puts=OwnPuts(self.own_tags, noon),
        )

    def tags(self, held: Manifest) -> set[str]:
        return set(self.made.registry.tags_of(ImageRef(API, held.digest)))


def pushed(held: Manifest, image_tag: str | None, later: timedelta = timedelta()) -> Push:
    tag = ImageTag(image_tag) if image_tag else None
    return Push(ImageRef(API, held.digest), tag, at=NOON + later)


class TestOwnPuts:
    def test_their_events_are_not_answered_and_read_nothing(self) -> None:
        house = House(world([OLD], {"1.4.2": OLD}))
        house.answer(pushed(OLD, "1.4.2"))
        asked = len(house.made.registry.calls.entries)

        outcomes = [house.answer(pushed(OLD, alias)) for alias in sorted(ALIASES)]

        assert house.tags(OLD) == {"1.4.2", *ALIASES}
        assert {outcome.remark for outcome in outcomes} == {
            "the steward itself put this image tag, and looked at it afterwards"
        }
        assert len(house.made.registry.calls.entries) == asked
        assert len(house.queue.requested) == 1

    def test_an_alias_comes_back_when_a_person_moves_it(self) -> None:
        house = House(world([OLD, NEW], {"1.4.2": OLD, "1.4.3": NEW}))
        house.answer(pushed(NEW, "1.4.3"))
        house.made.registry.add_image_tag(ImageRef(API, OLD.digest), ImageTag("1-latest"))

        house.answer(pushed(OLD, "1-latest"))

        assert house.tags(NEW) == {"1.4.3", *ALIASES}

    def test_a_put_of_the_same_by_a_person_is_answered_when_it_comes_later(self) -> None:
        house = House(world([OLD, NEW], {"1.4.2": OLD}))
        house.answer(pushed(OLD, "1.4.2"))
        house.made.registry.add_image_tag(ImageRef(API, NEW.digest), ImageTag("1.4.3"))

        house.answer(pushed(OLD, "1-latest", LATEST + timedelta(seconds=1)))

        assert house.tags(NEW) == {"1.4.3", *ALIASES}

    def test_the_invocation_mends_what_it_has_put_when_a_newer_push_has_overtaken_it(self) -> None:
        made = world([OLD, NEW], {"1.4.2": OLD})

        def newer() -> None:
            for tag in ("1.4.3", *ALIASES):
                made.registry.add_image_tag(ImageRef(API, NEW.digest), ImageTag(tag))

        house = House(made, own_tags=Overtaken(newer))

        outcome = house.answer(pushed(OLD, "1.4.2"))

        assert house.tags(NEW) == {"1.4.3", *ALIASES}
        assert len(outcome.plan.steps) == 4, "two aliases, there and back"
        assert [job.image.digest for job in house.queue.requested] == [OLD.digest, NEW.digest]

    def test_what_was_put_is_told_and_the_push_comes_again_when_the_look_afterwards_fails(self) -> None:
        made = world([OLD], {"1.4.2": OLD})
        slow = ThrottledError("slow")
        house = House(made, own_tags=Overtaken(lambda: made.registry.calls.fail_before("images", slow)))

        outcome = house.answer(pushed(OLD, "1.4.2"))

        assert {str(step.image_tag) for step in outcome.plan.steps} == ALIASES  # type: ignore[union-attr]
        assert isinstance(outcome.error, ThrottledError)

    def test_nothing_is_noted_when_the_rule_only_observes(self) -> None:
        house = House(world([OLD], {"1.4.2": OLD}), rules=rulebook(mode=Mode.OBSERVE))

        house.answer(pushed(OLD, "1.4.2"))

        assert [house.own_tags.last(API, ImageTag(alias)) for alias in ALIASES] == [None, None]


class TestWhatIsAskedFor:
    def test_one_copy_when_image_tags_are_as_they_should_be(self) -> None:
        house = House(world([OLD], {"1.4.2": OLD}))

        house.answer(pushed(OLD, "1.4.2"))

        assert [(job.image.digest, job.why) for job in house.queue.requested] == [(OLD.digest, "pushed as 1.4.2")]

    def test_a_copy_of_a_referrer_that_has_no_tag_and_no_look_at_settings(self) -> None:
        house = House(world([OLD], {"1.4.2": OLD}))

        house.answer(pushed(OLD, None))

        assert [job.why for job in house.queue.requested] == ["pushed by digest"]
        assert house.hints.pushed == []

    def test_no_copy_when_no_rule_has_destinations(self) -> None:
        house = House(world([OLD], {"1.4.2": OLD}), rules=rulebook(replicate=None))

        house.answer(pushed(OLD, "1.4.2"))

        assert house.queue.requested == []

    def test_a_look_at_settings_until_they_were_in_order_by_this_rulebook(self) -> None:
        house = House(world([OLD], {"1.4.2": OLD}))
        house.answer(pushed(OLD, "1.4.2"))
        house.seen.note(API, "another rulebook", NOON)
        house.answer(pushed(OLD, "1.4.2"))
        house.seen.note(API, "a rulebook", NOON)
        house.answer(pushed(OLD, "1.4.2"))

        assert house.hints.pushed == [API, API]

    def test_both_are_asked_for_when_image_tags_could_not_be_enforced(self) -> None:
        house = House(world([OLD], {"1.4.2": OLD}))
        house.made.registry.calls.fail_before("images", ThrottledError("too many requests"))

        with pytest.raises(ThrottledError):
            house.answer(pushed(OLD, "1.4.2"))

        assert (house.hints.pushed, len(house.queue.requested)) == ([API], 1)

    def test_a_copy_is_asked_for_and_the_push_comes_again_when_the_bus_takes_no_hint(self) -> None:
        house = House(world([OLD], {"1.4.2": OLD}))
        house.hints.calls.fail_before("pushed_to", RegistryUnavailableError("no bus"))

        with pytest.raises(RegistryUnavailableError, match="no bus"):
            house.answer(pushed(OLD, "1.4.2"))

        assert len(house.queue.requested) == 1
