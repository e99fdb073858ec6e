"""Whatever the state, after its plan is applied the next plan is empty; and no plan ever loses an image."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_steward.adapters.memory import InMemoryNotices, InMemoryRegistry, InMemoryReplicationQueue
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.governance import plan_repository
from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import Digest, ImageRef, RepositoryRef
from ecr_steward.domain.observations import ScanEnded
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.repositories import Repository, RepositorySettings
from ecr_steward.domain.rules import Destination, Rules, ScanRules, Waiver
from ecr_steward.domain.scans import Verdict
from ecr_steward.domain.tag_plan import plan_image_tags
from ecr_steward.domain.tag_rules import OnViolation
from ecr_steward.domain.tagging import attached_to
from ecr_steward.domain.verdict import assess
from ecr_steward.errors import RegistryUnavailableError
from ecr_steward.usecases.apply import apply_plan
from ecr_steward.usecases.evaluate_image_scan import ScanBatch
from ecr_steward.usecases.reconcile_registry import reconcile_registry
from ecr_steward.usecases.replicate_image import replicate_image
from tests.given.appliers import applier_of
from tests.given.rules import API, AWAY, HOME, SCAN_RULES, TAG_RULES, WHEN_PASSED, rulebook, service_rule
from tests.given.worlds import World, hands_of, images_lost, scanned_worlds, waivers, worlds
from tests.given.worlds import settings as repository_settings

pytestmark = pytest.mark.filterwarnings("default::hypothesis.errors.HypothesisWarning")
EXAMPLES = settings(max_examples=2 * settings().max_examples, derandomize=True)
FEWER_EXAMPLES = settings(EXAMPLES, max_examples=settings().max_examples)
tally: Counter[str] = Counter()


def count(what: str, planned: bool) -> None:
    tally[what] += 1
    tally[f"{what}: planned something"] += planned


def assert_a_third_planned_something(what: str) -> None:
    assert tally[f"{what}: planned something"] >= tally[what] / 3


class TestImageTags:
    @EXAMPLES
    @given(worlds(), st.sampled_from(OnViolation), st.data())
    def test_second_plan_is_empty_when_the_first_was_applied(
        self, world: World, answer: OnViolation, data: st.DataObject
    ) -> None:
        rule = service_rule(image_tags=replace(TAG_RULES, on_violation=answer))
        all_digests = [image.digest for image in world.images]
        focus = data.draw(st.just(all_digests) | st.lists(st.sampled_from(all_digests), min_size=1))
        before = world.registry.images_in(API)

        plan = plan_image_tags(rule, world.registry.images(API), focus)
        apply_plan(plan, world.registry)
        second = plan_image_tags(rule, world.registry.images(API), focus)

        count("image tags", not plan.is_empty)
        assert second.steps == ()
        assert images_lost(before, world.registry.images_in(API)) == frozenset()

    @EXAMPLES
    @given(worlds(), st.data())
    def test_order_of_events_does_not_matter_when_each_image_has_one(self, world: World, data: st.DataObject) -> None:
        rule = service_rule()
        order = data.draw(st.permutations(world.images))
        for image in [*order, *data.draw(st.lists(st.sampled_from(world.images)))]:
            apply_plan(plan_image_tags(rule, world.registry.images(API), [image.digest]), world.registry)

        everything = plan_image_tags(rule, world.registry.images(API), [i.digest for i in world.images])

        assert everything.is_empty

    @EXAMPLES
    @given(worlds())
    def test_no_violation_is_left_when_the_answer_is_quarantine(self, world: World) -> None:
        rule = service_rule()
        focus = [image.digest for image in world.images]
        violators = {v.subject for v in plan_image_tags(rule, world.registry.images(API), focus).violations}

        apply_plan(plan_image_tags(rule, world.registry.images(API), focus), world.registry)

        assert plan_image_tags(rule, world.registry.images(API), focus).violations == ()
        for image in violators:
            reachable = world.registry.tags_of(image)
            assert reachable, "a violator keeps an image tag: its quarantine tag, or one that the rule allows"

    def test_a_third_of_the_generated_worlds_planned_something(self) -> None:
        assert_a_third_planned_something("image tags")


class TestRepositorySettings:
    @EXAMPLES
    @given(repository_settings())
    def test_second_plan_is_empty_when_the_first_was_applied(self, actual: RepositorySettings) -> None:
        registry = InMemoryRegistry([Repository(API, actual)])

        plan = plan_repository(service_rule(), registry.repository(API))
        apply_plan(plan, registry)

        count("settings", not plan.is_empty)
        assert plan_repository(service_rule(), registry.repository(API)).is_empty
        kept = actual.resource_tags.items() - {("managed-by", actual.resource_tags.get("managed-by"))}
        assert kept <= registry.settings_of(API).resource_tags.items()

    def test_a_third_of_the_generated_settings_planned_something(self) -> None:
        assert_a_third_planned_something("settings")


class TestReplication:
    @EXAMPLES
    @given(worlds(), st.data())
    def test_second_job_changes_nothing_when_the_first_was_done(self, world: World, data: st.DataObject) -> None:
        image = data.draw(st.sampled_from(world.images + 3 * world.tagged))

        first = replicate(world, image)
        world.registry.calls.clear()
        second = replicate(world, image)

        count("replication", any(not outcome.plan.is_empty for outcome in first))
        assert all(outcome.plan.is_empty for outcome in second)
        assert world.registry.calls.changes == []

    @EXAMPLES
    @given(worlds(), st.data())
    def test_destination_never_shows_an_incomplete_image_when_a_call_fails(
        self, world: World, data: st.DataObject
    ) -> None:
        image = data.draw(st.sampled_from(world.images + 3 * world.tagged))
        methods = ["copy_blob", "put_manifest", "add_image_tag", "create_repository", "set_repository_policy"]
        method = data.draw(st.sampled_from(methods))
        fail = data.draw(st.sampled_from([world.registry.calls.fail_before, world.registry.calls.fail_after]))
        fail(method, RegistryUnavailableError(method))

        replicate(world, image)
        assert_complete(world, API.in_registry(AWAY))
        replicate(world, image)

        assert_complete(world, API.in_registry(AWAY))
        assert all(o.plan.is_empty for o in replicate(world, image))

    def test_a_third_of_the_generated_jobs_planned_something(self) -> None:
        assert_a_third_planned_something("replication")


@pytest.mark.slow
class TestCopiesThatWaitForTheirScan:
    @FEWER_EXAMPLES
    @given(scanned_worlds(), st.lists(waivers(), max_size=3), st.sampled_from(Verdict))
    def test_second_sweep_requests_nothing_and_only_what_passed_has_arrived_when_the_first_was_worked_off(
        self, world: World, given_: list[Waiver], unscannable: Verdict
    ) -> None:
        scan = replace(SCAN_RULES, unscannable=unscannable, undefined=unscannable)
        rules = rulebook(given_, scan=scan, replicate=(WHEN_PASSED,))

        for job in sweep(world, rules).requested:
            replicate(world, job.image, rules)

        count("conditional replication", bool(world.registry.images_in(REPLICA)))
        assert sweep(world, rules).requested == []
        for held in world.registry.images_in(REPLICA):
            for image_tag in held.image_tags:
                judged = attached_to(image_tag, world.registry.images(API)) or held.digest
                assert verdict_on(world, judged, rules, scan) is Verdict.PASS

    @FEWER_EXAMPLES
    @given(scanned_worlds(), st.data())
    def test_second_job_changes_nothing_when_the_first_was_done(self, world: World, data: st.DataObject) -> None:
        image = data.draw(st.sampled_from(world.tagged or world.images))
        rules = rulebook(scan=SCAN_RULES, replicate=(WHEN_PASSED, replace(WHEN_PASSED, to=(RELEASE,))))

        replicate(world, image, rules)
        world.registry.calls.clear()

        assert all(outcome.plan.is_empty for outcome in replicate(world, image, rules))
        assert world.registry.calls.changes == []
        for to in (REPLICA, RELEASE.of(API)):
            assert_complete(world, to)

    @FEWER_EXAMPLES
    @given(scanned_worlds(), st.lists(waivers(), max_size=3))
    def test_event_and_sweep_come_to_the_same_verdict(self, world: World, given_: list[Waiver]) -> None:
        rules = rulebook(given_, scan=SCAN_RULES, image_tags=None)
        told, swept = InMemoryNotices(), InMemoryNotices()

        batch = ScanBatch(rules=rules, registry=world.registry, scans=world.scans, notices=told, now=noon)
        for image in world.images:
            batch.evaluate((ScanEnded(image),))
        sweep(world, rules, swept)

        fails = [notice for notice in told.published if notice.verdict is Verdict.FAIL]  # type: ignore[union-attr]
        assert sorted(fails, key=str) == sorted(swept.published, key=str)
        assert len({notice.image for notice in told.published}) == len(told.published)  # type: ignore[union-attr]

    def test_a_fifth_of_the_generated_worlds_copied_something(self) -> None:
        assert tally["conditional replication: planned something"] >= tally["conditional replication"] / 5


REPLICA = API.in_registry(AWAY)
RELEASE = Destination(repository="release/{name}")


def sweep(world: World, rules: Rules, notices: InMemoryNotices | None = None) -> InMemoryReplicationQueue:
    """The queue after a sweep."""
    queue = InMemoryReplicationQueue()
    reconcile_registry([HOME], rules=rules, hands=hands_of(world, notices or InMemoryNotices(), queue))
    return queue


def verdict_on(world: World, digest: Digest, rules: Rules, scan: ScanRules) -> Verdict:
    """The verdict as this test derives it: from the manifests that were put, not from what a registry lists."""
    by_digest = {held.digest: held for held in world.manifests}

    def parts(held: Manifest) -> set[Digest]:
        below = [parts(by_digest[child.digest]) for child in held.children]
        return set[Digest]().union(*below) if held.is_index else {held.digest}

    scans = [world.scans.scan(ImageRef(API, part)) for part in parts(by_digest[digest])]
    return assess(scan, rules.waivers_for(API), noon().date(), scans).verdict


def replicate(world: World, image: ImageRef, rules: Rules | None = None) -> tuple[Outcome, ...]:
    return replicate_image(
        image,
        rules=rules or rulebook(),
        registry=world.registry,
        content=world.content,
        scans=world.scans,
        notices=InMemoryNotices(),
        now=noon,
        applier=applier_of(world.registry, world.content),
    )


def assert_complete(world: World, repository: RepositoryRef) -> None:
    """Everything that a tag of the repository leads to is there, to the last blob."""
    by_digest = {held.digest: held for held in world.manifests}
    for image in world.registry.images_in(repository):
        held = by_digest[image.digest]
        assert held.content == world.content.manifest(repository, image.digest).content
        assert all(world.content.has_blob(repository, blob.digest) for blob in held.blobs)
        assert all(world.registry.holds(ImageRef(repository, child.digest)) for child in held.children)
