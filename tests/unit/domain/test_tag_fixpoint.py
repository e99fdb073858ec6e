"""Whatever an image tag rule asks for: one plan is enough, no image is lost, and what is protected stays."""

import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_steward.adapters.memory import InMemoryRegistry
from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag
from ecr_steward.domain.plan import DeleteAndRetag, Plan
from ecr_steward.domain.repositories import Mutability, TagMutability
from ecr_steward.domain.requirements import Facts
from ecr_steward.domain.rules import Rule
from ecr_steward.domain.tag_plan import has_to_be_described, plan_image_tags
from ecr_steward.domain.tag_rules import AliasMove, OnViolation, Requirement, TagRules
from ecr_steward.domain.tagging import is_quarantine_tag, own_tags
from ecr_steward.usecases.apply import apply_plan
from tests.given.rules import API, TAG_RULES, Pattern, service_rule
from tests.given.worlds import World, images_lost, worlds

pytestmark = pytest.mark.filterwarnings("default::hypothesis.errors.HypothesisWarning")
EXAMPLES = settings(max_examples=2 * settings().max_examples, derandomize=True)
FEWER_EXAMPLES = settings(EXAMPLES, max_examples=settings().max_examples)
tally: Counter[str] = Counter()


@dataclass(frozen=True)
class Case:
    """A repository, a rule about its image tags, and which of its images lack something."""

    world: World
    rule: Rule
    lacking: frozenset[Digest]

    @property
    def rules(self) -> TagRules:
        assert self.rule.image_tags is not None
        return self.rule.image_tags

    @property
    def images(self) -> RepositoryImages:
        return self.world.registry.images(API)

    def plan(self, focus: list[Digest]) -> Plan:
        """The plan from the facts as they are now."""
        images = self.images
        lacking = {
            digest: ("label 'team' is missing",)
            for digest in self.lacking
            if has_to_be_described(self.rules, digest, images, None)
        }
        return plan_image_tags(self.rule, images, focus, Facts(None, lacking))

    def apply(self, focus: list[Digest]) -> Plan:
        plan = self.plan(focus)
        apply_plan(plan, self.world.registry)
        return plan

    def protected(self) -> dict[ImageTag, Digest]:
        return {tag: holder for tag, holder in self.images.holders.items() if self.rules.protects(tag)}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    world = draw(worlds())
    move = draw(st.sampled_from(AliasMove))
    mode = Mutability.IMMUTABLE if move is AliasMove.DELETE_AND_RETAG else Mutability.IMMUTABLE_WITH_EXCLUSION
    exclusions = frozenset[str]() if mode is Mutability.IMMUTABLE else frozenset({"*-latest"})
    world.registry.change_settings(API, mutability=TagMutability(mode, exclusions))
    assert TAG_RULES.aliases is not None
    rules = replace(
        TAG_RULES,
        on_violation=draw(st.sampled_from(OnViolation)),
        protect=tuple(draw(st.sets(st.sampled_from([Pattern(r"1\.4\..*"), Pattern("dev"), Pattern("2.*")])))),
        labels=(Requirement("team"),),
        aliases=replace(TAG_RULES.aliases, move=move),
    )
    digests = [image.digest for image in world.images]
    return Case(world, service_rule(image_tags=rules), frozenset(draw(st.sets(st.sampled_from(digests)))))


class Killed(BaseException):
    """The function's time is over."""


class Mortal(InMemoryRegistry):
    """A registry whose caller dies at a call: an even number of steps on, before that call, an odd one, after it."""

    def __init__(self, registry: InMemoryRegistry, half_calls: int) -> None:
        self._registry = registry
        self._left = half_calls

    def add_image_tag(self, image: ImageRef, image_tag: ImageTag) -> None:
        self._live_on(lambda: self._registry.add_image_tag(image, image_tag))

    def remove_image_tag(self, image: ImageRef, image_tag: ImageTag) -> None:
        self._live_on(lambda: self._registry.remove_image_tag(image, image_tag))

    def _live_on(self, call: Callable[[], None]) -> None:
        if self._left == 0:
            raise Killed
        call()
        if self._left == 1:
            raise Killed
        self._left -= 2


def digests_of(case: Case) -> list[Digest]:
    return [image.digest for image in case.world.images]


@EXAMPLES
@given(cases(), st.data())
def test_second_plan_is_empty_when_the_first_was_applied(case: Case, data: st.DataObject) -> None:
    everything = digests_of(case)
    focus = data.draw(st.just(everything) | st.lists(st.sampled_from(everything), min_size=1))
    before, protected = case.world.registry.images_in(API), case.protected()

    plan = case.apply(focus)

    tally["plans"] += 1
    tally["plans with steps"] += not plan.is_empty
    tally["plans that delete and retag"] += any(isinstance(step, DeleteAndRetag) for step in plan.steps)
    assert case.plan(focus).steps == ()
    assert images_lost(before, case.world.registry.images_in(API)) == frozenset()
    assert protected.items() <= case.protected().items()


@FEWER_EXAMPLES
@given(cases(), st.data())
def test_order_of_events_does_not_matter_when_each_image_has_one(case: Case, data: st.DataObject) -> None:
    order = data.draw(st.permutations(digests_of(case)))
    again = data.draw(st.lists(st.sampled_from(digests_of(case))))

    for digest in [*order, *again]:
        case.apply([digest])

    assert case.plan(digests_of(case)).is_empty


@FEWER_EXAMPLES
@given(cases(), st.data())
def test_a_new_plan_mends_all_when_the_first_was_cut_off_anywhere(case: Case, data: st.DataObject) -> None:
    everything = digests_of(case)
    before, protected = case.world.registry.images_in(API), case.protected()
    plan = case.plan(everything)

    with contextlib.suppress(Killed):
        apply_plan(plan, Mortal(case.world.registry, data.draw(st.integers(0, 12))))
        tally["not cut off"] += 1
    tally["cut off"] += 1
    case.apply(everything)

    assert case.plan(everything).is_empty
    assert images_lost(before, case.world.registry.images_in(API)) == frozenset()
    assert protected.items() <= case.protected().items()


@FEWER_EXAMPLES
@given(cases())
def test_nothing_is_left_to_object_to_when_the_answer_is_quarantine(case: Case) -> None:
    rules = replace(case.rules, on_violation=OnViolation.QUARANTINE, protect=())
    case = replace(case, rule=service_rule(image_tags=rules))

    case.apply(digests_of(case))

    assert case.plan(digests_of(case)).violations == ()
    for digest in case.lacking:
        if case.images.subject_of(digest) is None:
            assert own_tags(digest, case.images) == frozenset()


@FEWER_EXAMPLES
@given(cases())
def test_a_tag_is_only_taken_when_another_one_stays_where_the_answer_is_untag(case: Case) -> None:
    rules = replace(case.rules, on_violation=OnViolation.UNTAG, labels=())
    case = replace(case, rule=service_rule(image_tags=rules), lacking=frozenset())
    quarantined = {digest for digest in digests_of(case) if is_in_quarantine(digest, case.images)}

    case.apply(digests_of(case))

    assert {digest for digest in digests_of(case) if is_in_quarantine(digest, case.images)} == quarantined


def test_a_third_of_the_cases_planned_something_and_some_deleted_an_alias() -> None:
    assert tally["plans with steps"] >= tally["plans"] / 3
    assert tally["plans that delete and retag"] >= tally["plans"] / 200
    assert tally["cut off"] - tally["not cut off"] >= tally["cut off"] / 4


def is_in_quarantine(digest: Digest, images: RepositoryImages) -> bool:
    return any(is_quarantine_tag(tag, digest) for tag in images.tags_of(digest))
