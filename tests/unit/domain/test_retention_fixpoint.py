"""Whatever a repository holds: after retention and expiry nothing more is planned, and what must stay is there."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.contents import Contents
from ecr_steward.domain.expiry import plan_tag_expiry
from ecr_steward.domain.images import Descriptor, RepositoryImages
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.domain.plan import DeleteImage, Plan, RemoveImageTag
from ecr_steward.domain.removals import plan_removals
from ecr_steward.domain.retention import Keeping, plan_retention
from ecr_steward.domain.retention_rules import ExpireRule, ProtectingKeep, RetentionRules, Selection, Use
from ecr_steward.domain.rules import Mode, Rule
from ecr_steward.domain.sightings import Sighting
from ecr_steward.domain.tag_rules import TagExpiry, TagRules
from ecr_steward.domain.tagging import attached_to, is_quarantine_tag
from ecr_steward.domain.usage import Usage, UsedImage
from ecr_steward.usecases.apply import apply_plan
from tests.given.rules import API, Pattern, service_rule
from tests.given.worlds import World, manifest_sets, world

pytestmark = pytest.mark.filterwarnings("default::hypothesis.errors.HypothesisWarning")
EXAMPLES = settings(max_examples=settings().max_examples, derandomize=True)
TAGS = [ImageTag(tag) for tag in ("pr-1", "pr-2", "pr-3", "v1", "v2", "keep-me", "main")]
PATTERNS = [Pattern("pr-.*"), Pattern("v.*"), Pattern("keep-.*"), Pattern("main|pr-3")]
DAYS = st.integers(0, 40)
tally: Counter[str] = Counter()


@dataclass(frozen=True)
class House:
    """A repository, and the facts that decide over its images' ends."""

    world: World
    keeping: Keeping
    sighted: dict[ImageTag, Sighting]
    retention: RetentionRules
    tag_rules: TagRules

    def contents(self) -> Contents:
        images = self.world.registry.images(API)
        return Contents(images, children_in(self.world, images))

    def plans(self, expiry: Mode = Mode.ENFORCE, retention: Mode = Mode.ENFORCE) -> tuple[tuple[Rule, Plan], ...]:
        def expire(contents: Contents) -> Plan:
            return plan_tag_expiry("tags", self.tag_rules, contents, self.sighted, self.keeping)

        def retain(contents: Contents) -> Plan:
            return plan_retention("images", self.retention, contents, self.keeping)

        rules = (service_rule(name="tags", mode=expiry), expire), (service_rule(name="images", mode=retention), retain)
        return plan_removals(rules, self.contents())


def children_in(world: World, images: RepositoryImages) -> dict[Digest, tuple[Descriptor, ...]]:
    return {one.digest: one.children for one in world.manifests if one.is_index and one.digest in images.digests}


def selections() -> st.SearchStrategy[Selection]:
    tagged = st.sampled_from(PATTERNS).map(lambda pattern: Selection(tags=(pattern,)))
    return tagged | st.just(Selection(untagged=True)) | st.just(Selection())


def expire_rules(above: tuple[Selection, ...]) -> st.SearchStrategy[ExpireRule]:
    days = st.integers(1, 30)
    how = st.builds(dict, after=days) | st.builds(dict, not_pulled_for=days) | st.builds(dict, newest=st.integers(1, 3))
    return st.builds(lambda chosen, rest: ExpireRule("expire", chosen, above=above, **rest), selections(), how)


@st.composite
def retentions(draw: st.DrawFn) -> RetentionRules:
    expires: list[ExpireRule] = []
    for _ in range(draw(st.integers(1, 3))):
        expires.append(draw(expire_rules(tuple(one.selection for one in expires))))
    keeps = st.builds(
        ProtectingKeep,
        st.just("keep"),
        selections(),
        st.none() | st.integers(1, 30),
        st.frozensets(st.sampled_from(Use), max_size=2),
    )
    return RetentionRules(tuple(draw(st.lists(keeps, max_size=2))), tuple(expires))


@st.composite
def houses(draw: st.DrawFn) -> House:
    manifests = draw(manifest_sets())
    digests = [held.digest for held in manifests]
    attached = [ImageTag(f"sha256-{digest.hex}.sig") for digest in digests]
    quarantined = [ImageTag(f"quarantine-{digest.hex[:12]}") for digest in digests]
    pool = [*TAGS, *TAGS, *attached, *quarantined]
    made = world(manifests, draw(st.dictionaries(st.sampled_from(pool), st.sampled_from(manifests), max_size=10)))
    for image in made.registry.images_in(API):
        pulled = draw(st.none() | DAYS.map(lambda days: NOON - timedelta(days=days)))
        pushed = NOON - timedelta(days=draw(DAYS))
        made.registry.restore(replace(image, pushed_at=pushed, last_pulled_at=pulled))
    retention = draw(retentions())
    used = st.builds(UsedImage, st.just(API), st.just("somebody"), st.sampled_from(digests), st.none()) | st.builds(
        UsedImage, st.just(API), st.just("somebody"), st.none(), st.sampled_from(TAGS)
    )
    usage = Usage(
        {Use.ECS: tuple(draw(st.lists(used, max_size=2)))},
        draw(st.just(dict.fromkeys(digests, 0)) | st.dictionaries(st.sampled_from(digests), st.integers(0, 1))),
        draw(st.just({}) | st.just({Use.LAMBDA: "nobody answered"})),
    )
    holders = made.registry.images(API).holders
    sighted = {
        tag: Sighting.at(draw(st.just(holder) | st.sampled_from(digests)), NOON - timedelta(days=draw(DAYS)))
        for tag, holder in holders.items()
    }
    protect = draw(st.just(()) | st.just((Pattern("keep-.*"),)))
    expiries = draw(st.lists(st.sampled_from(PATTERNS), max_size=2)) or [Pattern(".*")]
    tag_rules = TagRules(protect=protect, expire=tuple(TagExpiry((one,), 14) for one in expiries))
    return House(made, Keeping(NOON, retention.keeps, protect, usage), sighted, retention, tag_rules)


def apply(house: House, plans: tuple[tuple[Rule, Plan], ...]) -> None:
    """Do what enforces; the fake refuses what ECR would, such as an image that an index lists."""
    for rule, plan in plans:
        if rule.mode is Mode.ENFORCE:
            apply_plan(plan, house.world.registry)


@EXAMPLES
@given(houses(), st.sampled_from(Mode), st.sampled_from(Mode))
def test_second_plan_takes_nothing_away_when_the_first_was_applied(house: House, one: Mode, two: Mode) -> None:
    plans = house.plans(one, two)
    apply(house, plans)

    tally["worlds"] += 1
    tally["deleted"] += any(isinstance(step, DeleteImage) for _, plan in plans for step in plan.steps)
    tally["untagged"] += any(isinstance(step, RemoveImageTag) for _, plan in plans for step in plan.steps)
    again = house.plans(one, two)
    assert [step for rule, plan in again if rule.mode is Mode.ENFORCE for step in plan.steps] == []


@EXAMPLES
@given(houses())
def test_what_is_kept_stays_with_all_that_belongs_to_it(house: House) -> None:
    before = house.contents()
    apply(house, house.plans())
    left = house.world.registry.images(API)

    for digest, image in before.images.images.items():
        if any(pattern.matches(tag) for pattern in house.keeping.protect for tag in image.image_tags):
            assert digest in left.digests
            assert {tag for tag in image.image_tags if tag.startswith("keep-")} <= left.tags_of(digest)
    for keep in house.retention.keeps:
        for digest in plainly_kept(keep, before, house.keeping.usage):
            assert digest in left.digests
    for digest, children in before.children.items():
        if digest in left.digests:
            assert {child.digest for child in children} & before.images.digests <= left.digests
    for image in before.images.images.values():
        subjects = {image.subject, *(attached_to(tag, before.images) for tag in image.image_tags)}
        if subjects & left.digests:
            assert image.digest in left.digests


def plainly_kept(keep: ProtectingKeep, contents: Contents, usage: Usage) -> set[Digest]:
    """What a keep holds by the simplest reading of it: without what indexes and referrers add."""
    images = contents.images.images
    listed = {child.digest for child in chain.from_iterable(contents.children.values())}
    kept = {
        digest
        for digest, image in images.items()
        if digest not in listed and image.subject is None and keep.selection.selects(image.image_tags)
    }
    kept -= {digest for digest in kept if any(attached_to(tag, contents.images) for tag in images[digest].image_tags)}
    if keep.pulled_within is not None:
        since = NOON - timedelta(days=keep.pulled_within)
        kept &= {digest for digest, image in images.items() if image.last_pulled_at and image.last_pulled_at >= since}
    if keep.in_use:
        by_ecs = usage.used[Use.ECS] if Use.ECS in keep.in_use else ()
        names = {one.digest for one in by_ecs} | {one.image_tag for one in by_ecs}
        counted = {digest for digest, count in usage.counts.items() if count} if Use.INSPECTOR in keep.in_use else set()
        kept &= {digest for digest, image in images.items() if names & {digest, *image.image_tags} or digest in counted}
    return kept


@EXAMPLES
@given(houses())
def test_expiry_of_tags_deletes_only_images_whose_every_tag_expired_and_what_belonged_to_them(house: House) -> None:
    before = house.contents()
    steps = plan_tag_expiry("tags", house.tag_rules, before, house.sighted, house.keeping).steps
    deleted: set[Digest] = set()

    for step in steps:
        assert isinstance(step, DeleteImage | RemoveImageTag)
        digest = step.image.digest
        if isinstance(step, RemoveImageTag):
            tally["untagged"] += 1
            assert has_expired(house, step.image_tag, digest)
            continue
        tags = {tag for tag in before.images.tags_of(digest) if not is_quarantine_tag(tag, digest)}
        if not (tags and all(has_expired(house, tag, digest) for tag in tags)):
            assert before.depends(digest)
            assert before.owners[digest] <= deleted
        deleted.add(digest)


def has_expired(house: House, tag: ImageTag, digest: Digest) -> bool:
    sighting = house.sighted[tag]
    is_old = sighting.digest == digest and NOON - sighting.since > timedelta(days=14)
    return is_old and any(expiry.selects(tag) for expiry in house.tag_rules.expire)


@EXAMPLES
@given(houses())
def test_nothing_goes_that_an_unreadable_index_may_own(house: House) -> None:
    """attacks M6."""
    known = house.contents()
    images = known.images.images
    keeping = replace(house.keeping, unreadable=dict.fromkeys(known.children, "it cannot be read"))
    unread = Contents(known.images)
    plans = (
        plan_retention("images", house.retention, unread, keeping),
        plan_tag_expiry("tags", house.tag_rules, unread, house.sighted, keeping),
    )

    for step in (step for plan in plans for step in plan.steps):
        assert isinstance(step, DeleteImage | RemoveImageTag)
        image = images[step.image.digest]
        assert image.digest not in known.children
        owners = [index for index, listed in known.children.items() if image.digest in {each.digest for each in listed}]
        for index in owners if not image.image_tags else ():
            pushed = images[index].pushed_at
            assert image.pushed_at is not None
            assert pushed is not None
            assert image.pushed_at > pushed


def test_enough_of_the_generated_repositories_lost_something() -> None:
    assert tally["deleted"] >= tally["worlds"] / 8
    assert tally["untagged"] or not tally["worlds"]
