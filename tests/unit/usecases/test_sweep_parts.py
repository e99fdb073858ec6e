"""A sweep cut into parts, each within the time of its invocation."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ecr_steward.adapters.memory import InMemoryNotices, InMemoryReplicationQueue, InMemorySweepQueue
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.outcome import SweepOutcome
from ecr_steward.domain.rules import OtherDestination, ReplicationRules
from ecr_steward.domain.sweeping import SweepPart
from ecr_steward.errors import AccessDeniedError, MalformedEventError, SweepHopsError, ThrottledError
from ecr_steward.events.sweep_part import encode_part, read_part
from ecr_steward.usecases.reconcile_registry import HOPS, PART_SIZE, RESERVE_SECONDS, cut_sweep, sweep_part
from tests.given.rules import AWAY, HOME, SETTINGS, rulebook
from tests.given.worlds import World, blob, hands_of, manifest, world

TWO = RegistryRef("222233334444", HOME.region)
RULES = rulebook(replicate=None, image_tags=None)
IMAGE = manifest("image", blobs=[blob("config")])
PART = SweepPart(HOME, ("team-a/api", "team-b/api", "team-c/api"), "sweep-1")


def repositories(registry: RegistryRef, count: int) -> list[RepositoryRef]:
    return [RepositoryRef(registry, f"team-{number:04}/api") for number in range(count)]


def a_world(*refs: RepositoryRef) -> World:
    there = world([], {})
    for ref in refs:
        there.registry.create_missing(ref)
    there.registry.calls.clear()
    return there


def sweep(there: World, part: SweepPart, queue: InMemorySweepQueue, seconds_left: Callable[[], float]) -> SweepOutcome:
    hands = hands_of(there, InMemoryNotices(), InMemoryReplicationQueue())
    return sweep_part(part, rules=RULES, hands=hands, queue=queue, seconds_left=seconds_left)


def test_every_repository_is_in_one_part_when_a_sweep_is_cut() -> None:
    refs = [*repositories(HOME, 2 * PART_SIZE), *repositories(TWO, 3)]
    there, queue = a_world(*refs), InMemorySweepQueue()

    outcome = cut_sweep([HOME, TWO], sweep="s", rules=RULES, registry=there.registry, queue=queue)

    named = [RepositoryRef(part.registry, name) for part in queue.parts for name in part.repositories]
    assert sorted(named) == sorted({*refs, RepositoryRef(HOME, "team-a/api")})
    assert {part.sweep for part in queue.parts} == {"s"}
    assert (outcome.parts, outcome.repositories) == (len(queue.parts), len(named)) == (4, 2 * PART_SIZE + 4)


def test_only_settings_are_asked_for_when_a_registry_is_where_copies_go() -> None:
    there, queue = a_world(*repositories(AWAY, 1)), InMemorySweepQueue()

    cut_sweep([HOME], sweep="s", rules=rulebook(), registry=there.registry, queue=queue)

    assert [(part.registry, part.settings_only) for part in queue.parts] == [(HOME, False), (AWAY, True)]


def test_other_registries_are_swept_when_one_cannot_be_listed() -> None:
    there, queue = a_world(*repositories(TWO, 1)), InMemorySweepQueue()
    there.registry.calls.fail_before("repositories", AccessDeniedError("closed"))

    outcome = cut_sweep([HOME, TWO], sweep="s", rules=RULES, registry=there.registry, queue=queue)

    assert [part.registry for part in queue.parts] == [TWO]
    assert [str(failure) for failure in outcome.failures] == [f"{HOME}: closed"]


def test_the_rest_goes_back_to_the_queue_when_the_time_is_nearly_over() -> None:
    there, queue = a_world(*(RepositoryRef(HOME, name) for name in PART.repositories)), InMemorySweepQueue()
    clock = iter([RESERVE_SECONDS + 1, RESERVE_SECONDS])

    outcome = sweep(there, PART, queue, lambda: next(clock))

    assert outcome.repositories == 1
    assert queue.parts == [replace(PART, repositories=("team-b/api", "team-c/api"), hops=1)]


def test_a_repository_goes_back_to_the_queue_when_the_time_is_over_while_it_is_looked_at() -> None:
    elsewhere = ReplicationRules((), elsewhere=(OtherDestination("ghcr.io"),))
    there, queue = world([IMAGE], {"1.0.0": IMAGE}), InMemorySweepQueue()
    hands = hands_of(there, InMemoryNotices(), InMemoryReplicationQueue())
    clock = iter([RESERVE_SECONDS + 1, 0.0])
    content = there.content.for_job(lambda: 0.0)

    outcome = sweep_part(
        replace(PART, repositories=("team-a/api",)),
        rules=rulebook(image_tags=None, repository=None, replicate=(elsewhere,)),
        hands=replace(hands, content=content),
        queue=queue,
        seconds_left=lambda: next(clock),
    )

    assert queue.parts == [replace(PART, repositories=("team-a/api",), hops=1)]
    assert outcome.failures == ()


def test_a_part_ends_with_its_reason_when_it_was_put_back_too_often() -> None:
    with pytest.raises(SweepHopsError, match=rf"put back {HOPS} times and is not done: .*team-a/api alone may need"):
        sweep(a_world(), replace(PART, hops=HOPS), InMemorySweepQueue(), lambda: 0)


def test_the_whole_stack_is_logged_when_a_repository_meets_an_unexpected_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """core 6.10"""
    there = a_world(RepositoryRef(HOME, "team-a/api"))
    there.registry.calls.fail_before("repository", KeyError("imageDetails"))

    outcome = sweep(there, replace(PART, repositories=("team-a/api",)), InMemorySweepQueue(), lambda: 900)

    (failure,) = outcome.failures
    assert "in record: 'imageDetails'; the log of this invocation has the whole stack" in failure.why
    assert "sweep_repository.py" in caplog.text
    assert "KeyError: 'imageDetails'" in caplog.text


def test_the_others_have_their_turn_when_one_repository_meets_what_nobody_foresaw() -> None:
    there, queue = a_world(*(RepositoryRef(HOME, name) for name in PART.repositories)), InMemorySweepQueue()
    there.registry.calls.fail_before("repository", KeyError("imageDetails"))

    outcome = sweep(there, PART, queue, lambda: 900)

    (failure,) = outcome.failures
    assert failure.subject == str(RepositoryRef(HOME, "team-a/api"))
    assert "unexpected KeyError at calls.py:" in failure.why
    done = [there.registry.settings_of(RepositoryRef(HOME, name)).scan_on_push for name in PART.repositories[1:]]
    assert done == [True, True]


def test_nothing_is_left_to_do_when_a_killed_part_is_delivered_again() -> None:
    there = a_world(*(RepositoryRef(HOME, name) for name in PART.repositories))
    there.registry.calls.fail_after("put_lifecycle_policy", SystemExit("killed"))
    with pytest.raises(SystemExit, match="killed"):
        sweep(there, PART, InMemorySweepQueue(), lambda: 900)

    sweep(there, PART, InMemorySweepQueue(), lambda: 900)

    assert all(there.registry.settings_of(RepositoryRef(HOME, name)) == SETTINGS for name in PART.repositories)
    there.registry.calls.clear()
    assert sweep(there, PART, InMemorySweepQueue(), lambda: 900).outcomes == ()
    assert there.registry.calls.changes == []


def test_other_repositories_are_mended_when_the_facts_of_one_cannot_be_read() -> None:
    refs = [RepositoryRef(HOME, name) for name in PART.repositories]
    there = a_world(*refs)
    there.registry.change_settings(refs[0], lifecycle=None)
    there.registry.calls.fail_before("repository", ThrottledError("slow down"))

    outcome = sweep(there, PART, InMemorySweepQueue(), lambda: 900)

    assert [str(failure) for failure in outcome.failures] == [f"{refs[0]}: slow down"]
    assert [there.registry.settings_of(ref) == SETTINGS for ref in refs] == [False, True, True]


def test_nothing_changes_and_nobody_is_told_when_the_run_is_dry() -> None:
    there, notices = a_world(), InMemoryNotices()
    there.registry.change_settings(RepositoryRef(HOME, "team-a/api"), lifecycle=None)
    hands = replace(hands_of(there, notices, InMemoryReplicationQueue()), is_dry=True)

    outcome = sweep_part(PART, rules=RULES, hands=hands, queue=InMemorySweepQueue(), seconds_left=lambda: 900)

    assert [type(step).__name__ for each in outcome.outcomes for step in each.plan.steps] == ["PutLifecyclePolicy"]
    assert (there.registry.calls.changes, notices.published) == ([], [])


def test_a_part_is_the_same_when_the_queue_has_carried_it() -> None:
    part = replace(PART, settings_only=True, hops=3)

    assert read_part(encode_part(part)) == part


def test_a_part_is_malformed_when_its_hops_are_negative() -> None:
    with pytest.raises(MalformedEventError, match="hops"):
        read_part(encode_part(replace(PART, hops=-1)))


def test_repositories_that_no_rule_matches_are_in_no_part() -> None:
    there, queue = a_world(RepositoryRef(HOME, "others/api")), InMemorySweepQueue()

    cut_sweep([HOME], sweep="s", rules=RULES, registry=there.registry, queue=queue)

    assert [part.repositories for part in queue.parts] == [("team-a/api",)]
