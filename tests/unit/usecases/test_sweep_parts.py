"""A sweep cut into parts, each within the time of its invocation."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from ecr_steward.adapters.memory import (
    InMemoryNotices,
    InMemoryReplicationQueue,
    InMemorySweepParts,
    InMemorySweepQueue,
)
from ecr_steward.domain.deadline import Deadline
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.outcome import SweepOutcome
from ecr_steward.domain.rules import OtherDestination, ReplicationRules, Rules
from ecr_steward.domain.sweeping import Cursor, SweepPart
from ecr_steward.errors import AccessDeniedError, MalformedEventError, OutOfTimeError, ThrottledError
from ecr_steward.events.sweep_part import encode_part, read_part
from ecr_steward.usecases.left_of_part import FIRST_WAIT_SECONDS, HOPS
from ecr_steward.usecases.reconcile_registry import PART_SIZE, RESERVE_SECONDS, cut_sweep, sweep_part
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


def sweep(
    there: World,
    part: SweepPart,
    queue: InMemorySweepQueue,
    seconds_left: Callable[[], float] = lambda: 900,
    under_way: InMemorySweepParts | None = None,
) -> SweepOutcome:
    hands = hands_of(there, InMemoryNotices(), InMemoryReplicationQueue())
    hands = replace(hands, deadline=Deadline(seconds_left))
    return sweep_part(part, rules=RULES, hands=hands, queue=queue, under_way=under_way or InMemorySweepParts())


def cut(
    there: World,
    homes: list[RegistryRef],
    queue: InMemorySweepQueue,
    rules: Rules = RULES,
    under_way: InMemorySweepParts | None = None,
) -> SweepOutcome:
    under_way = under_way or InMemorySweepParts()
    return cut_sweep(homes, sweep="s", rules=rules, registry=there.registry, queue=queue, under_way=under_way)


def test_every_repository_is_in_one_part_when_a_sweep_is_cut() -> None:
    refs = [*repositories(HOME, 2 * PART_SIZE), *repositories(TWO, 3)]
    there, queue = a_world(*refs), InMemorySweepQueue()

    outcome = cut_sweep(
        [HOME, TWO], sweep="s", rules=RULES, registry=there.registry, queue=queue, under_way=InMemorySweepParts()
    )

    named = [RepositoryRef(part.registry, name) for part in queue.parts for name in part.repositories]
    assert sorted(named) == sorted({*refs, RepositoryRef(HOME, "team-a/api")})
    assert {part.sweep for part in queue.parts} == {"s"}
    assert (outcome.parts, outcome.repositories) == (len(queue.parts), len(named)) == (4, 2 * PART_SIZE + 4)


def test_only_settings_are_asked_for_when_a_registry_is_where_copies_go() -> None:
    there, queue = a_world(*repositories(AWAY, 1)), InMemorySweepQueue()

    cut(there, [HOME], queue, rules=rulebook())

    assert [(part.registry, part.settings_only) for part in queue.parts] == [(HOME, False), (AWAY, True)]


def test_other_registries_are_swept_when_one_cannot_be_listed() -> None:
    there, queue = a_world(*repositories(TWO, 1)), InMemorySweepQueue()
    there.registry.calls.fail_before("repositories", AccessDeniedError("closed"))

    outcome = cut_sweep(
        [HOME, TWO], sweep="s", rules=RULES, registry=there.registry, queue=queue, under_way=InMemorySweepParts()
    )

    assert [part.registry for part in queue.parts] == [TWO]
    assert [str(failure) for failure in outcome.failures] == [f"{HOME}: closed"]


def test_the_rest_goes_back_to_the_queue_when_the_time_is_nearly_over() -> None:
    there, queue = a_world(*(RepositoryRef(HOME, name) for name in PART.repositories)), InMemorySweepQueue()
    left = [RESERVE_SECONDS + 1]
    there.registry.calls.each = lambda method: left.append(RESERVE_SECONDS) if method == "repository" else None

    outcome = sweep(there, PART, queue, lambda: left[-1])

    assert outcome.repositories == 1
    assert queue.parts == [replace(PART, repositories=("team-b/api", "team-c/api"))]
    assert queue.delays == [0]


def test_a_repository_goes_back_to_the_queue_when_the_time_is_over_while_it_is_looked_at() -> None:
    elsewhere = ReplicationRules((), elsewhere=(OtherDestination("ghcr.io"),))
    there, queue = world([IMAGE], {"1.0.0": IMAGE}), InMemorySweepQueue()
    left = [RESERVE_SECONDS + 1]
    there.registry.calls.each = lambda method: left.append(0.0) if method == "images" else None
    content = there.content.for_job(Deadline(lambda: left[-1]))
    hands = hands_of(there, InMemoryNotices(), InMemoryReplicationQueue())

    outcome = sweep_part(
        replace(PART, repositories=("team-a/api",)),
        rules=rulebook(image_tags=None, repository=None, replicate=(elsewhere,)),
        hands=replace(hands, content=content, deadline=Deadline(lambda: left[-1])),
        queue=queue,
        under_way=InMemorySweepParts(),
    )

    cursor = Cursor("request_replicas")
    assert queue.parts == [replace(PART, repositories=("team-a/api",), cursor=cursor)]
    assert outcome.failures == ()


def test_a_part_is_a_failure_when_it_was_put_back_too_often_with_nothing_done() -> None:
    there, queue, under_way = a_world(), InMemorySweepQueue(), InMemorySweepParts()
    there.registry.calls.fail_before("repository", OutOfTimeError("over"))
    part = replace(PART, repositories=("team-a/api",), hops=HOPS, cursor=Cursor("mend_settings"))
    under_way.begin([part])

    outcome = sweep(there, part, queue, under_way=under_way)

    (failure,) = outcome.failures
    assert f"put back {HOPS} times in a row, with nothing done" in failure.why
    assert (queue.parts, under_way.parts) == ([], {})


def test_the_whole_stack_is_logged_when_a_repository_meets_an_unexpected_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """core 6.10"""
    there = a_world(RepositoryRef(HOME, "team-a/api"))
    there.registry.calls.fail_before("repository", KeyError("imageDetails"))

    outcome = sweep(there, replace(PART, repositories=("team-a/api",)), InMemorySweepQueue())

    (failure,) = outcome.failures
    assert "in record: 'imageDetails'; the log of this invocation has the whole stack" in failure.why
    assert "sweep_repository.py" in caplog.text
    assert "KeyError: 'imageDetails'" in caplog.text


def test_the_others_have_their_turn_when_one_repository_meets_what_nobody_foresaw() -> None:
    there, queue = a_world(*(RepositoryRef(HOME, name) for name in PART.repositories)), InMemorySweepQueue()
    there.registry.calls.fail_before("repository", KeyError("imageDetails"))

    outcome = sweep(there, PART, queue)

    (failure,) = outcome.failures
    assert failure.subject == str(RepositoryRef(HOME, "team-a/api"))
    assert "unexpected KeyError at calls.py:" in failure.why
    done = [there.registry.settings_of(RepositoryRef(HOME, name)).scan_on_push for name in PART.repositories[1:]]
    assert done == [True, True]


def test_nothing_is_left_to_do_when_a_killed_part_is_delivered_again() -> None:
    there = a_world(*(RepositoryRef(HOME, name) for name in PART.repositories))
    there.registry.calls.fail_after("put_lifecycle_policy", SystemExit("killed"))
    with pytest.raises(SystemExit, match="killed"):
        sweep(there, PART, InMemorySweepQueue())

    sweep(there, PART, InMemorySweepQueue())

    assert all(there.registry.settings_of(RepositoryRef(HOME, name)) == SETTINGS for name in PART.repositories)
    there.registry.calls.clear()
    assert sweep(there, PART, InMemorySweepQueue()).outcomes == ()
    assert there.registry.calls.changes == []


def test_a_throttled_repository_comes_again_and_the_others_are_mended_when_one_is_throttled() -> None:
    """aws M13"""
    refs = [RepositoryRef(HOME, name) for name in PART.repositories]
    there, queue, under_way = a_world(*refs), InMemorySweepQueue(), InMemorySweepParts()
    there.registry.change_settings(refs[0], lifecycle=None)
    there.registry.calls.fail_before("repository", ThrottledError("slow down"))

    outcome = sweep(there, PART, queue, under_way=under_way)

    assert (outcome.failures, [str(each) for each in outcome.later]) == ((), [f"{refs[0]}: slow down"])
    assert [there.registry.settings_of(ref) == SETTINGS for ref in refs] == [False, True, True]
    (rest,) = queue.parts
    assert (rest, queue.delays) == (replace(PART, repositories=("team-a/api",), hops=1), [FIRST_WAIT_SECONDS])
    assert under_way.under_way(HOME, beside="sweep-2") == {"team-a/api"}

    assert sweep(there, rest, queue, under_way=under_way).failures == ()
    assert there.registry.settings_of(refs[0]) == SETTINGS
    assert under_way.under_way(HOME, beside="sweep-2") == set()


def test_a_throttle_is_a_failure_when_it_never_ends() -> None:
    there, queue = a_world(RepositoryRef(HOME, "team-a/api")), InMemorySweepQueue()
    part, waits = replace(PART, repositories=("team-a/api",)), []
    while part is not None:
        there.registry.calls.fail_before("repository", ThrottledError("slow down"))
        outcome = sweep(there, part, queue)
        waits += queue.delays
        part = queue.parts.pop() if queue.parts else None
        queue.delays.clear()

    assert [str(each) for each in outcome.failures] == [f"{RepositoryRef(HOME, 'team-a/api')}: slow down"]
    assert waits == [60, 120, 240, 480, 900, 900, 900, 900]


def test_a_sweep_leaves_to_an_earlier_one_what_that_has_not_ended() -> None:
    there, queue, under_way = a_world(*repositories(HOME, 3)), InMemorySweepQueue(), InMemorySweepParts()
    under_way.begin([SweepPart(HOME, ("team-0001/api", "team-0002/api"), "earlier")])

    outcome = cut_sweep([HOME], sweep="later", rules=RULES, registry=there.registry, queue=queue, under_way=under_way)

    assert [part.repositories for part in queue.parts] == [("team-0000/api", "team-a/api")]
    assert (outcome.repositories, outcome.joined) == (2, 2)


def test_a_cut_of_a_sweep_that_was_killed_is_done_in_full_when_it_is_tried_again() -> None:
    there, queue, under_way = a_world(*repositories(HOME, 2)), InMemorySweepQueue(), InMemorySweepParts()
    queue.calls.fail_before("put", SystemExit("killed"))  # type: ignore[arg-type]
    again = partial(
        cut_sweep, [HOME], sweep="s", rules=RULES, registry=there.registry, queue=queue, under_way=under_way
    )
    with pytest.raises(SystemExit, match="killed"):
        again()

    assert again().repositories == 3
    assert len(queue.parts) == 1


def test_nothing_changes_and_nobody_is_told_when_the_run_is_dry() -> None:
    there, notices = a_world(), InMemoryNotices()
    there.registry.change_settings(RepositoryRef(HOME, "team-a/api"), lifecycle=None)
    hands = replace(hands_of(there, notices, InMemoryReplicationQueue()), is_dry=True)

    outcome = sweep_part(PART, rules=RULES, hands=hands, queue=InMemorySweepQueue(), under_way=InMemorySweepParts())

    assert [type(step).__name__ for each in outcome.outcomes for step in each.plan.steps] == ["PutLifecyclePolicy"]
    assert (there.registry.calls.changes, notices.published) == ([], [])


def test_a_part_is_the_same_when_the_queue_has_carried_it() -> None:
    cursor = Cursor("judge_images", IMAGE.digest)
    for part in (replace(PART, settings_only=True, hops=3), replace(PART, number="2.1", cursor=cursor)):
        assert read_part(encode_part(part)) == part


def test_a_part_is_malformed_when_its_hops_are_negative() -> None:
    with pytest.raises(MalformedEventError, match="hops"):
        read_part(encode_part(replace(PART, hops=-1)))


def test_repositories_that_no_rule_matches_are_in_no_part() -> None:
    there, queue = a_world(RepositoryRef(HOME, "others/api")), InMemorySweepQueue()

    cut(there, [HOME], queue, rules=RULES)

    assert [part.repositories for part in queue.parts] == [("team-a/api",)]


def test_a_sweep_is_cut_and_the_reason_told_when_nothing_is_known_of_earlier_ones() -> None:
    there, queue, under_way = a_world(*repositories(HOME, 1)), InMemorySweepQueue(), InMemorySweepParts()
    under_way.calls.fail_before("under_way", AccessDeniedError("closed"))
    under_way.calls.fail_before("begin", AccessDeniedError("closed"))

    outcome = cut(there, [HOME], queue, under_way=under_way)

    assert outcome.repositories == 2
    assert [str(failure) for failure in outcome.failures] == [f"{HOME}: closed"] * 2


def test_the_next_sweep_begins_anew_what_the_queue_did_not_take() -> None:
    there, queue, under_way = a_world(*repositories(HOME, 1)), InMemorySweepQueue(), InMemorySweepParts()
    queue.calls.fail_before("put", AccessDeniedError("closed"))
    cut(there, [HOME], queue, under_way=under_way)

    assert under_way.under_way(HOME, beside="another") == set()


def test_the_rest_is_on_the_queue_when_it_cannot_be_noted() -> None:
    there, queue, under_way = a_world(RepositoryRef(HOME, "team-a/api")), InMemorySweepQueue(), InMemorySweepParts()
    there.registry.calls.fail_before("repository", ThrottledError("slow down"))
    under_way.calls.fail_before("begin", AccessDeniedError("closed"))

    outcome = sweep(there, replace(PART, repositories=("team-a/api",)), queue, under_way=under_way)

    assert [part.hops for part in queue.parts] == [1]
    assert [str(failure) for failure in outcome.failures] == [f"{HOME}: closed"]


def test_what_no_time_was_left_to_cut_is_reported_and_left_to_the_next_sweep() -> None:
    there, queue, under_way = a_world(*repositories(HOME, 60)), InMemorySweepQueue(), InMemorySweepParts()
    left = [100.0, 10.0]

    outcome = cut_sweep(
        [HOME],
        sweep="s",
        rules=RULES,
        registry=there.registry,
        queue=queue,
        under_way=under_way,
        deadline=Deadline(lambda: left.pop(0)),
    )

    assert (outcome.parts, len(queue.parts)) == (1, 1)
    assert [failure.why for failure in outcome.failures] == ["the time of this invocation is over"]
    assert under_way.under_way(HOME, beside="another") == set(queue.parts[0].repositories)
