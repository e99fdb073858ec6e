"""Applying exactly what was planned, or nothing."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from ecr_steward.adapters.memory import InMemoryImageContent, InMemoryNotices, InMemoryRegistry, InMemoryScans
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.brake import Brake
from ecr_steward.domain.names import ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.outcome import SweepOutcome
from ecr_steward.domain.plan import AddImageTag, DeleteImage, RemoveImageTag
from ecr_steward.domain.repositories import Repository, RepositorySettings
from ecr_steward.domain.retention_rules import ExpireRule, ProtectingKeep, RetentionRules, Selection
from ecr_steward.domain.rules import Mode, Rules
from ecr_steward.domain.tag_rules import OnViolation
from ecr_steward.errors import AccessDeniedError
from ecr_steward.usecases.sweep_repository import sweep_repository
from ecr_steward_cli.planning.document import document_of, saved_fingerprints
from ecr_steward_cli.planning.exactly import ExactApplier, NotShownError
from ecr_steward_cli.planning.hands import CopiesToMake
from ecr_steward_cli.planning.running import Run, moved_since
from tests.given.contents import digest, image
from tests.given.rules import API, AT_ONCE, AWAY, HOME, SETTINGS, TAG_RULES, Pattern, rulebook, service_rule
from tests.given.worlds import World, give_tag, hands_of, manifest, world

IMAGE = manifest("image")
OTHER = RepositoryRef(HOME, "team-b/api")


def everything(_: object) -> bool:
    return True


class Planner:
    """A world in which two repositories lack a setting, and somebody who plans and applies."""

    def __init__(self, **changes: object) -> None:
        self.world: World = world([IMAGE], {"1.4.2": IMAGE})
        self.world.registry.create_missing(OTHER)
        self.world.registry.change_settings(OTHER, **{**vars(SETTINGS), "scan_on_push": False})
        self.world.registry.change_settings(API, scan_on_push=False)
        copies = CopiesToMake()
        hands = hands_of(self.world, InMemoryNotices(), copies)
        self.run = Run([HOME], rulebook(**{"image_tags": None, "replicate": None, **changes}), hands, copies)

    @property
    def changes(self) -> list[str]:
        return [call.method for call in self.world.registry.calls.changes]


def test_nothing_changes_when_planning() -> None:
    planner = Planner()

    outcome, to_do = planner.run.plan(everything)

    assert set(to_do) == {API, OTHER}
    assert outcome.repositories == 2
    assert planner.changes == []


def test_what_was_planned_is_done_and_a_second_plan_is_empty() -> None:
    planner = Planner()
    _, to_do = planner.run.plan(everything)

    done = planner.run.apply(to_do)

    assert planner.changes == ["put_scan_on_push", "put_scan_on_push"]
    assert (done.failures, planner.run.plan(everything)[1]) == ((), {})


def test_one_repository_is_left_alone_when_its_facts_have_moved_since_the_plan() -> None:
    planner = Planner()
    _, to_do = planner.run.plan(everything)
    planner.world.registry.change_settings(API, lifecycle=None)

    done = planner.run.apply(to_do)

    assert [failure.subject for failure in done.failures] == [str(API)]
    assert "the facts have moved" in done.failures[0].why
    assert planner.world.registry.settings_of(OTHER).scan_on_push
    assert not planner.world.registry.settings_of(API).scan_on_push


def test_facts_are_read_once_when_nobody_is_to_see_a_plan() -> None:
    planner = Planner()

    done = planner.run.apply_unseen(everything)

    methods = [call.method for call in planner.world.registry.calls.entries]
    assert (methods.count("repositories"), methods.count("described")) == (1, 0)
    assert planner.changes == ["put_scan_on_push", "put_scan_on_push"]
    assert (done.failures, planner.run.plan(everything)[1]) == ((), {})


def test_nothing_is_to_be_done_when_rules_only_observe() -> None:
    assert Planner(mode=Mode.OBSERVE).run.plan(everything)[1] == {}


def test_only_what_is_wanted_is_looked_at() -> None:
    outcome, to_do = Planner().run.plan(lambda ref: ref == OTHER)

    assert (outcome.repositories, set(to_do)) == (1, {OTHER})


def test_copies_are_made_when_the_rest_is_done() -> None:
    planner = Planner(**{"image_tags": None, "replicate": rulebook().rules[0].replicate})
    _, to_do = planner.run.plan(everything)

    done = planner.run.apply(to_do)

    assert done.failures == ()
    assert planner.world.registry.tags_of(ImageRef(API.in_registry(AWAY), IMAGE.digest)) == {"1.4.2"}
    told = steps_of(done)
    assert len(told) == len(set(told))  # not once as asked for and once as done


class Closed:
    """A registry that lets nobody look at one of its repositories."""

    def __init__(self, registry: InMemoryRegistry) -> None:
        self._registry = registry

    def __getattr__(self, name: str):
        return getattr(self._registry, name)

    def repository(self, of, parts=frozenset()):
        if OTHER in (of, getattr(of, "ref", None)):
            raise AccessDeniedError("not allowed to look at it")
        return self._registry.repository(of, parts)


def closed(run: Run) -> Run:
    return replace(run, hands=replace(run.hands, registry=Closed(run.hands.registry)))


def test_what_could_not_be_planned_is_told_when_the_rest_is_done() -> None:
    planner = Planner()
    run = closed(planner.run)
    planned, to_do = run.plan(everything)

    done = run.apply(to_do, planned.failures)

    assert planner.world.registry.settings_of(API).scan_on_push
    assert [failure.subject for failure in done.failures] == [str(OTHER)]


class Unlisted:
    """A registry whose other region may not be listed, as one of an account that the caller has no access to."""

    def __init__(self, registry: InMemoryRegistry) -> None:
        self._registry = registry

    def __getattr__(self, name: str):
        return getattr(self._registry, name)

    def repositories(self, registry):
        if registry == AWAY:
            raise AccessDeniedError("not allowed to list it")
        return self._registry.repositories(registry)


def test_the_rest_is_done_when_a_destination_cannot_be_listed() -> None:
    """use P1: ``apply`` ended in a KeyError."""
    planner = Planner(replicate=rulebook().rules[0].replicate)
    run = replace(planner.run, hands=replace(planner.run.hands, registry=Unlisted(planner.run.hands.registry)))
    planned, to_do = run.plan(everything)

    done = run.apply(to_do, planned.failures)

    assert planner.world.registry.settings_of(API).scan_on_push
    assert planner.world.registry.settings_of(OTHER).scan_on_push
    assert [(failure.subject, failure.why) for failure in done.failures] == [(str(AWAY), "not allowed to list it")]


def test_a_repository_that_could_be_read_when_it_was_planned_fails_alone_when_it_no_longer_can() -> None:
    """use P1."""
    planner = Planner()
    _, to_do = planner.run.plan(everything)

    done = closed(planner.run).apply(to_do)

    assert planner.world.registry.settings_of(API).scan_on_push
    assert [(failure.subject, failure.why) for failure in done.failures] == [(str(OTHER), "not allowed to look at it")]


# ---------------------------------------------------------------- nothing that was not shown


class Keeper:
    """A repository whose rules take an image tag that a keep goes by, move aliases, and delete what is old."""

    def __init__(self) -> None:
        registry = InMemoryRegistry(
            images=[
                image("old", "rel-1", "1.4.2", "1.4-latest", "1-latest", age=400),
                image("new", "1.4.3", age=1),
            ]
        )
        self.world = World(registry, InMemoryImageContent(registry), InMemoryScans(registry), ())
        keeps = (ProtectingKeep("keep rel-*", Selection(tags=(Pattern("rel-.*"),))),)
        retention = RetentionRules(keeps, (ExpireRule("expire all after 30d", after=30),))
        rules = rulebook(
            image_tags=replace(TAG_RULES, on_violation=OnViolation.UNTAG),
            repository=lambda _: RepositorySettings(retention=retention),
            replicate=None,
        )
        copies = CopiesToMake()
        self.run = Run([HOME], rules, hands_of(self.world, InMemoryNotices(), copies), copies)


def steps_of(outcome: SweepOutcome) -> list[str]:
    return [str(step) for each in outcome.outcomes for step in each.plan.steps]


def test_all_is_shown_that_an_apply_would_do_when_one_job_asks_for_more_after_another() -> None:
    keeper = Keeper()
    shown, to_do = keeper.run.plan(everything)

    done = keeper.run.apply(to_do)

    assert [type(step) for each in shown.outcomes for step in each.plan.steps] == [
        RemoveImageTag,
        AddImageTag,
        AddImageTag,
        DeleteImage,
    ]
    assert (steps_of(done), done.failures) == (steps_of(shown), ())
    assert keeper.world.registry.holds(ImageRef(API, digest("new")))
    assert not keeper.world.registry.holds(ImageRef(API, digest("old")))


def test_a_plan_foresees_the_brakes_that_would_hold_it() -> None:
    """P6: the plan said "150 to remove", and apply held most of it back."""
    run = Keeper().run
    braked = replace(run.hands.applier, brake_of=lambda _: Brake(removals=0))
    run = replace(run, hands=replace(run.hands, applier=braked))

    twice = [run.plan(everything)[0] for _ in range(2)]
    done = run.apply_unseen(everything)

    held = [[str(outcome.halt) for outcome in found.outcomes if outcome.halt] for found in (*twice, done)]
    assert len(held[0]) >= 1
    assert held[0] == held[1]
    assert held[0][0] == held[2][0]
    assert list(braked.brakes.holds()) != []


def test_planning_brings_no_brake_to_hold() -> None:
    run = Keeper().run
    braked = replace(run.hands.applier, brake_of=lambda _: Brake(removals=0))
    run = replace(run, hands=replace(run.hands, applier=braked))

    run.plan(everything)

    assert list(braked.brakes.holds()) == []


def test_all_is_shown_that_an_apply_would_do_when_a_rule_in_between_only_observes() -> None:
    there = world([IMAGE], {"1.4.2": IMAGE})
    (held,) = there.registry.images_in(API)
    there.registry.restore(replace(held, pushed_at=NOON - timedelta(days=400)))
    retention = RetentionRules(expires=(ExpireRule("expire all after 30d", after=30),))
    rules = Rules(
        (
            service_rule(repository=None),
            service_rule(name="old", mode=Mode.OBSERVE, repository=lambda _: RepositorySettings(retention=retention)),
        )
    )
    copies = CopiesToMake()
    run = Run([HOME], rules, hands_of(there, InMemoryNotices(), copies), copies)

    done = run.apply(run.plan(everything)[1])

    assert done.failures == ()
    assert there.registry.tags_of(ImageRef(API.in_registry(AWAY), IMAGE.digest)) == {"1.4.2", "1.4-latest", "1-latest"}
    assert run.plan(everything)[1] == {}


def test_nothing_is_done_that_only_the_facts_of_its_very_turn_ask_for() -> None:
    planner = Planner()
    hands = planner.run.hands
    shown, _ = planner.run.plan(lambda ref: ref == OTHER)
    exactly = replace(hands, applier=ExactApplier.of(hands.applier, shown.outcomes))

    swept = [sweep_repository(Repository.unread(ref), planner.run.rules, exactly) for ref in (OTHER, API)]

    assert planner.changes == ["put_scan_on_push"]
    assert [len(each.failures) for each in swept] == [0, 1]
    assert "the facts have moved since the plan was made" in swept[1].failures[0].why
    assert planner.world.registry.settings_of(OTHER).scan_on_push


def test_nothing_is_done_that_was_shown_as_observed_alone() -> None:
    planner = Planner(mode=Mode.OBSERVE)
    shown, _ = planner.run.plan(everything)
    exact = ExactApplier.of(planner.run.hands.applier, shown.outcomes)

    with pytest.raises(NotShownError):
        exact.apply(shown.outcomes[0].plan, API)


@pytest.fixture
def saved() -> tuple[Planner, frozenset]:
    """A plan that went through a file."""
    planner = Planner()
    outcome, _ = planner.run.plan(everything)
    document = json.loads(json.dumps(document_of(outcome, {})))
    return planner, frozenset(saved_fingerprints(document))


def test_a_saved_plan_is_what_the_facts_ask_for_when_nothing_has_moved(saved) -> None:
    planner, plan = saved
    _, found = planner.run.plan(everything)

    assert moved_since(plan, found) == (found, [])


def test_a_saved_plan_is_refused_when_a_repository_of_it_asks_for_something_else(saved) -> None:
    planner, plan = saved
    planner.world.registry.change_settings(API, lifecycle=None)

    assert moved_since(plan, planner.run.plan(everything)[1])[1] == [str(API)]


def test_nothing_is_left_to_do_when_a_saved_plan_was_applied_already(saved) -> None:
    planner, plan = saved
    planner.run.apply(planner.run.plan(everything)[1])

    assert moved_since(plan, planner.run.plan(everything)[1]) == ({}, [])


def test_the_rest_of_a_saved_plan_is_done_when_a_repository_of_it_cannot_be_read(saved) -> None:
    """use P1."""
    planner, plan = saved
    run = closed(planner.run)
    outcome, found = run.plan(everything)
    to_do, moved = moved_since(plan, found)

    done = run.apply(to_do, outcome.failures)

    assert moved == []
    assert planner.world.registry.settings_of(API).scan_on_push
    assert [failure.subject for failure in done.failures] == [str(OTHER)]


def test_what_others_need_is_no_part_of_a_saved_plan(saved) -> None:
    planner, plan = saved
    third = RepositoryRef(HOME, "team-c/api")
    planner.world.registry.create_missing(third)

    to_do, moved = moved_since(plan, planner.run.plan(everything)[1])

    assert (set(to_do), moved) == ({API, OTHER}, [])


def test_a_deep_run_finds_and_copies_what_a_listing_says_to_be_there() -> None:
    """A child that is gone below an index that stays, as ECR itself never leaves it."""
    child = manifest("child")
    index = manifest("index", children=[child])
    planner = Planner(repository=None, replicate=(AT_ONCE,))
    copy = API.in_registry(AWAY)
    for held in (child, index):
        planner.world.content.hold(API, held)
        planner.world.content.hold(copy, held)
    for repository in (API, copy):
        give_tag(planner.world.registry, ImageRef(repository, index.digest), ImageTag("2.0.0"))
    planner.world.content.hold(copy, IMAGE)
    give_tag(planner.world.registry, ImageRef(copy, IMAGE.digest), ImageTag("1.4.2"))
    planner.world.registry.delete(ImageRef(copy, child.digest))

    assert planner.run.plan(everything)[1] == {}
    deep = replace(planner.run, hands=replace(planner.run.hands, is_deep=True))
    _, to_do = deep.plan(everything)
    deep.apply(to_do)

    assert set(to_do) == {API}
    assert planner.world.registry.holds(ImageRef(copy, child.digest))
