"""Applying exactly what was planned, or nothing."""

import json

import pytest

from ecr_steward.domain.names import ImageRef, RepositoryRef
from ecr_steward.domain.rules import Mode
from ecr_steward_fakes import FakeNotices
from ecr_steward_fakes.rules import API, AWAY, HOME, SETTINGS, rulebook
from ecr_steward_fakes.worlds import World, hands_of, manifest, world
from steward_cli.planning.document import document_of, saved_fingerprints
from steward_cli.planning.hands import CopiesToMake
from steward_cli.planning.running import Run, moved_since

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
        hands = hands_of(self.world, FakeNotices(), copies)
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


def test_what_others_need_is_no_part_of_a_saved_plan(saved) -> None:
    planner, plan = saved
    third = RepositoryRef(HOME, "team-c/api")
    planner.world.registry.create_missing(third)

    to_do, moved = moved_since(plan, planner.run.plan(everything)[1])

    assert (set(to_do), moved) == ({API, OTHER}, [])
