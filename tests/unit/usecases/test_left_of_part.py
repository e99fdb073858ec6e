"""What is left of a part of a sweep, and what is reported of it."""

from dataclasses import replace

from ecr_steward.domain.names import Digest, RepositoryRef
from ecr_steward.domain.outcome import SweepFailure
from ecr_steward.domain.sweeping import Cursor, SweepPart
from ecr_steward.usecases.left_of_part import HOPS, Rest
from ecr_steward.usecases.sweep_repository import Swept
from tests.given.rules import HOME

ONE, TWO, THREE = (RepositoryRef(HOME, f"team-{name}/api") for name in "abc")
PART = SweepPart(HOME, (ONE.name, TWO.name, THREE.name), "sweep-1", number="7")
FAILED, THROTTLED = SweepFailure("image", "access denied"), SweepFailure("image", "slow down", may_pass=True)
CURSOR = Cursor("judge_images", Digest(f"sha256:{'a' * 64}"))


def cut(ref: RepositoryRef, *failures: SweepFailure, cursor: Cursor = CURSOR) -> Swept:
    return Swept(ref, failures=list(failures), is_cut=True, cursor=cursor)


def test_nothing_is_left_when_all_was_looked_at() -> None:
    rest = Rest(PART, [Swept(ONE), Swept(TWO, failures=[FAILED])], [])

    assert rest.parts == ()
    assert rest.report() == ((FAILED,), ())


def test_what_a_cursor_is_past_is_reported_at_once_and_what_was_throttled_comes_again() -> None:
    rest = Rest(PART, [cut(ONE, FAILED, THROTTLED), Swept(TWO, failures=[FAILED, THROTTLED])], [THREE])

    first, second, third = rest.parts
    assert (first.repositories, first.number, first.hops) == ((THREE.name,), "7", 0)
    assert (second.repositories, second.cursor, second.hops) == ((ONE.name,), CURSOR, 0)
    assert (third.repositories, third.cursor, third.hops) == ((TWO.name,), None, 1)
    assert rest.report() == ((FAILED,), (THROTTLED, FAILED, THROTTLED))


def test_no_two_parts_of_a_sweep_have_one_number_however_often_they_fork() -> None:
    first = Rest(PART, [cut(ONE)], [TWO, THREE]).parts
    second = Rest(first[0], [cut(TWO)], [THREE]).parts
    third = Rest(first[1], [cut(ONE, cursor=replace(CURSOR, job="request_replicas"))], []).parts

    under_way = {part.number: part.repositories for part in (*first, *second, *third)}
    assert under_way == {"7": (THREE.name,), f"7 {ONE.name}": (ONE.name,), f"7 {TWO.name}": (TWO.name,)}


def test_a_repository_is_given_up_and_reported_when_nothing_gets_done_in_it_any_more() -> None:
    part = replace(PART, repositories=(ONE.name,), hops=HOPS, cursor=CURSOR)

    rest = Rest(part, [cut(ONE)], [])

    assert rest.parts == ()
    ((failure,), later) = rest.report()
    assert failure.subject == str(ONE)
    assert f"put back {HOPS} times in a row, with nothing done" in failure.why
    assert later == ()


def test_what_was_never_begun_is_reported_when_it_is_given_up() -> None:
    rest = Rest(replace(PART, hops=HOPS), [], [ONE, TWO])

    assert rest.parts == ()
    assert [failure.subject for failure in rest.report()[0]] == [str(ONE), str(TWO)]


def test_a_registry_comes_again_as_a_whole_when_there_was_no_time_for_it() -> None:
    rest = Rest(replace(PART, whole_registry=True), [Swept(HOME, is_cut=True), Swept(ONE)], [])

    (part,) = rest.parts
    assert (part.repositories, part.whole_registry, part.hops) == ((), True, 1)


def test_a_throttle_is_a_failure_with_its_reason_when_it_is_given_up() -> None:
    rest = Rest(replace(PART, hops=HOPS), [Swept(ONE, failures=[THROTTLED])], [])

    assert (rest.parts, rest.report()) == ((), ((THROTTLED,), ()))
