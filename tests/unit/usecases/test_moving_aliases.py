"""Aliases: in whatever order events come, whoever is faster, and where image tags are immutable."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semver import Version

from ecr_steward.adapters.memory import InMemoryNotices
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.images import Image, Manifest
from ecr_steward.domain.names import ImageRef, ImageTag
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.repositories import Mutability, TagMutability
from ecr_steward.domain.tag_rules import AliasMove, Requirement, TagRules
from ecr_steward.errors import ImageTagIsImmutableError, LastImageTagError
from ecr_steward.usecases.describing import Describer
from ecr_steward.usecases.enforce_image_tags import enforce_image_tags
from tests.given.appliers import applier_of
from tests.given.rules import API, TAG_RULES, rulebook
from tests.given.worlds import World, config, manifest, world

VERSIONS = ("1.4.2", "1.4.3", "1.5.0", "1.10.0")
IMAGES = {version: manifest(version, blobs=[config(version)]) for version in VERSIONS}
OLD, NEW, NEWEST = IMAGES["1.4.2"], IMAGES["1.4.3"], IMAGES["1.5.0"]
ALIAS = ImageTag("1-latest")
assert TAG_RULES.aliases is not None
DELETING = replace(TAG_RULES, aliases=replace(TAG_RULES.aliases, move=AliasMove.DELETE_AND_RETAG))


def enforce(made: World, held: Manifest, rules: TagRules = TAG_RULES) -> Outcome:
    return enforce_image_tags(
        ImageRef(API, held.digest),
        rules=rulebook(image_tags=rules),
        registry=made.registry,
        describer=Describer(made.registry, made.content, noon),
        notices=InMemoryNotices(),
        applier=applier_of(made.registry),
    )


def push(made: World, version: str, *more: str) -> None:
    made.content.hold(API, IMAGES[version])
    there = made.registry.images(API).images[IMAGES[version].digest]
    made.registry.push(replace(there, image_tags=frozenset(map(ImageTag, (version, *more)))))


def holder(made: World, alias: ImageTag = ALIAS) -> str | None:
    """The version of the image that holds an alias."""
    digest = made.registry.images(API).holders.get(alias)
    return next((version for version, held in IMAGES.items() if held.digest == digest), None)


def immutable(manifests: list[Manifest], tags: dict[Any, Manifest]) -> World:
    made = world(manifests, tags)
    made.registry.change_settings(API, mutability=TagMutability(Mutability.IMMUTABLE))
    return made


class TestTheOrderOfEvents:
    @pytest.mark.parametrize("pushes", [VERSIONS, VERSIONS[::-1], ("1.5.0", "1.4.2", "1.10.0", "1.4.3")])
    def test_an_alias_only_moves_forward_when_versions_are_pushed_in_any_order(self, pushes: tuple[str, ...]) -> None:
        made = world([], {})
        held: list[str | None] = []

        for version in pushes:
            push(made, version)
            enforce(made, IMAGES[version])
            held.append(holder(made))

        assert held == [max(pushes[: n + 1], key=Version.parse) for n in range(len(pushes))]

    @pytest.mark.parametrize("events", [(*VERSIONS, "1.4.2"), ("1.4.2", *VERSIONS[::-1]), ("1.5.0", "1.4.2", "1.4.2")])
    def test_an_alias_is_where_it_belongs_after_the_first_event_when_all_were_pushed_before(
        self, events: tuple[str, ...]
    ) -> None:
        made = world([], {})
        for version in VERSIONS:
            push(made, version)

        for version in events:
            enforce(made, IMAGES[version])
            assert holder(made) == "1.10.0"

    @given(events=st.permutations(VERSIONS))
    def test_an_alias_is_the_highest_version_that_is_left_when_the_highest_was_deleted(self, events: list[str]) -> None:
        made = world([], {})
        for version in VERSIONS:
            push(made, version)
        enforce(made, IMAGES["1.10.0"])
        made.registry.delete(ImageRef(API, IMAGES["1.10.0"].digest))

        for version in events:
            enforce(made, IMAGES[version])

        assert holder(made) == "1.5.0"

    @settings(max_examples=25, derandomize=True)
    @given(st.data())
    def test_an_alias_never_goes_back_while_the_version_that_it_names_is_there(self, data: st.DataObject) -> None:
        made = world([], {})
        waiting: list[str] = []
        for version in data.draw(st.permutations(VERSIONS)):
            push(made, version)
            waiting += [version] * data.draw(st.integers(1, 2))
            while waiting and data.draw(st.booleans()):
                before = holder(made)
                late = data.draw(st.sampled_from(waiting))
                waiting.remove(late)
                enforce(made, IMAGES[late])
                after = holder(made)
                assert after is not None
                assert before is None or Version.parse(before) <= Version.parse(after)
        for late in data.draw(st.permutations(waiting)):
            enforce(made, IMAGES[late])
        pushed_last_event = {version: enforce(made, IMAGES[version]) for version in VERSIONS}

        assert holder(made) == "1.10.0"
        assert all(outcome.plan.is_empty for outcome in list(pushed_last_event.values())[1:])


class TestInAnImmutableRepository:
    def test_an_alias_is_deleted_and_added_when_a_higher_version_is_pushed(self) -> None:
        made = immutable([OLD, NEW], {"1.4.2": OLD, "1.4-latest": OLD, "1-latest": OLD, "1.4.3": NEW})

        outcome = enforce(made, NEW, DELETING)

        assert holder(made) == holder(made, ImageTag("1.4-latest")) == "1.4.3"
        assert [str(step) for step in outcome.plan.steps] == [
            f"delete image tag {alias} from {OLD.digest} and add it to {ImageRef(API, NEW.digest)}"
            for alias in ("1-latest", "1.4-latest")
        ]

    def test_an_alias_is_only_added_when_nobody_holds_it(self) -> None:
        made = immutable([OLD], {"1.4.2": OLD})

        enforce(made, OLD, DELETING)

        assert holder(made) == "1.4.2"
        assert "remove_image_tag" not in made.registry.calls.methods

    def test_an_alias_stays_when_it_is_the_only_tag_of_its_image(self) -> None:
        made = immutable([OLD, NEW], {"1-latest": OLD, "1.4-latest": OLD, "1.4.3": NEW})

        outcome = enforce(made, NEW, DELETING)

        assert outcome.plan.is_empty
        assert holder(made) == "1.4.2"
        assert outcome.plan.remarks == tuple(
            f"{alias} of {OLD.digest} stays: ECR deletes an image with its last tag, and this one holds no other of "
            "its own"
            for alias in ("1-latest", "1.4-latest")
        )

    @pytest.mark.parametrize("own", [{"1.4.3": NEW}, {}], ids=["with its version", "without"])
    def test_an_alias_leaves_an_image_that_goes_into_quarantine(self, own: dict[str, Manifest]) -> None:
        made = immutable([OLD, NEW], {"1.4.2": OLD, "1-latest": NEW, "1.4-latest": NEW, **own})
        made.content.hold_labels(OLD.blobs[0].digest, {"team": "a"})

        enforce(made, NEW, replace(DELETING, labels=(Requirement("team"),)))

        assert holder(made) == holder(made, ImageTag("1.4-latest")) == "1.4.2"
        assert made.registry.tags_of(ImageRef(API, NEW.digest)) == {f"quarantine-{NEW.digest.hex[:12]}"}

    def test_the_image_is_there_and_the_event_tried_again_when_the_alias_became_its_only_tag(self) -> None:
        made = immutable([OLD, NEW], {"1.4.2": OLD, "1-latest": OLD, "1.4.3": NEW, "1.4-latest": NEW})
        before(made, "remove_image_tag", lambda: made.registry.take_tag(ImageRef(API, OLD.digest), ImageTag("1.4.2")))

        with pytest.raises(LastImageTagError):
            enforce(made, NEW, DELETING)

        assert holder(made) == "1.4.2"
        assert enforce(made, NEW, DELETING).plan.is_empty

    def test_the_next_event_mends_it_when_a_pusher_takes_the_alias_in_the_gap(self) -> None:
        made = immutable([OLD, NEW], {"1.4.2": OLD, "1-latest": OLD, "1.4.3": NEW, "1.4-latest": NEW})
        before(made, "add_image_tag", lambda: push(made, "1.5.0", "1-latest"))

        outcome = enforce(made, NEW, DELETING)
        enforce(made, NEWEST, DELETING)

        assert "somebody was faster" in outcome.plan.remarks[0]
        assert holder(made) == "1.5.0"
        assert all(enforce(made, held, DELETING).plan.is_empty for held in (OLD, NEW, NEWEST))

    def test_nobody_is_faster_when_another_invocation_has_done_the_same_in_the_gap(self) -> None:
        made = immutable([OLD, NEW], {"1.4.2": OLD, "1-latest": OLD, "1.4.3": NEW, "1.4-latest": NEW})
        before(made, "add_image_tag", lambda: enforce(made, OLD, DELETING))

        assert enforce(made, NEW, DELETING).plan.remarks == ()
        assert holder(made) == "1.4.3"

    @pytest.mark.parametrize("half_calls", range(9))
    def test_the_next_event_mends_it_when_the_function_dies_anywhere(self, half_calls: int) -> None:
        made = immutable([OLD, NEW], {"1.4.2": OLD, "1.4-latest": OLD, "1-latest": OLD, "1.4.3": NEW})
        die_after(made, half_calls)
        died = False

        try:
            enforce(made, NEW, DELETING)
        except Killed:
            died = True
        die_after(made, 1000)
        enforce(made, OLD, DELETING)

        assert died is (half_calls < 8)
        assert holder(made) == holder(made, ImageTag("1.4-latest")) == "1.4.3"
        assert made.registry.tags_of(ImageRef(API, OLD.digest)) == {"1.4.2"}

    def test_it_is_an_error_when_the_rule_did_not_know_that_tags_are_immutable(self) -> None:
        made = immutable([OLD, NEW], {"1.4.2": OLD, "1-latest": OLD, "1.4.3": NEW})

        with pytest.raises(ImageTagIsImmutableError):
            enforce(made, NEW)


class TestRaces:
    def test_the_alias_is_right_after_the_second_event_when_a_higher_version_came_between_read_and_write(self) -> None:
        made = world([OLD, NEW], {"1.4.2": OLD, "1.4-latest": OLD, "1-latest": OLD, "1.4.3": NEW})
        before(made, "add_image_tag", lambda: [push(made, "1.5.0"), enforce(made, NEWEST)])

        enforce(made, NEW)
        late = enforce(made, NEW)

        assert not late.plan.is_empty
        assert holder(made) == "1.5.0"

    def test_nothing_is_lost_when_the_tag_moved_between_event_and_read(self) -> None:
        made = world([OLD, NEW], {"latest": NEW, "1.4.2": OLD})

        outcome = enforce(made, OLD)

        assert outcome.plan.violations == ()
        assert ImageTag("latest") in made.registry.tags_of(ImageRef(API, NEW.digest))

    def test_the_other_image_keeps_its_tag_when_it_moved_between_read_and_write(self) -> None:
        made = world([OLD, NEW], {"latest": OLD, "1.4.2": OLD})
        moved = Image(ImageRef(API, NEW.digest), frozenset({ImageTag("latest")}))
        before(made, "remove_image_tag", lambda: made.registry.restore(moved))

        enforce(made, OLD)

        assert made.registry.tags_of(moved.ref) == {"latest"}


class Killed(BaseException):
    """The function's time is over."""


def before(made: World, method: str, deed: Callable[[], object]) -> None:
    """Have somebody do something just before the next call of this method."""
    call = getattr(made.registry, method)

    def interrupted(*arguments: Any) -> Any:
        setattr(made.registry, method, call)
        deed()
        return call(*arguments)

    setattr(made.registry, method, interrupted)


def die_after(made: World, half_calls: int) -> None:
    """Have the caller die at a change: an even number of halves on, before the call, an odd one, after it."""
    left = half_calls

    def mortal(call: Callable[..., None]) -> Callable[..., None]:
        def live_on(*arguments: Any) -> None:
            nonlocal left
            if left == 0:
                raise Killed
            call(*arguments)
            if left == 1:
                raise Killed
            left -= 2

        return live_on

    for method in ("add_image_tag", "remove_image_tag"):
        setattr(made.registry, method, mortal(getattr(type(made.registry), method).__get__(made.registry)))
