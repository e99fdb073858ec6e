"""When a backfill is started, whatever has happened: the pure decision. Over time: `usecases/test_backfilling.py`."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.backfills import (
    MOST_UNDER_WAY,
    RETRIED,
    Backfill,
    BackfillFacts,
    BackfillPlan,
    FailedImage,
    StartedBackfill,
    configured,
    covers,
    destinations,
    failure_of,
    gaps,
    plan_backfills,
    shortest,
    void_notes,
)
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.registries import NativeReplication, WantedReplication
from tests.given.registry_worlds import ELSEWHERE, native
from tests.given.rules import AWAY, HOME

EXAMPLES = settings(max_examples=5 * settings().max_examples, derandomize=True)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEIGHBOUR = RegistryRef("222233334444", AWAY.region)
"""Another registry of the same region as AWAY."""

NAMES = st.text("ab/", min_size=1, max_size=4)
PREFIXES = st.frozensets(st.text("ab/", max_size=3), max_size=4)
PLACES = (AWAY, NEIGHBOUR, ELSEWHERE, *(RegistryRef(HOME.account, f"eu-south-{n}") for n in range(1, 9)))
ANY_PLACE = st.sampled_from(PLACES[:3]) | st.sampled_from(PLACES)
STATUSES = st.just("FAILED") | st.sampled_from(["PREPARING", "IN_PROGRESS", "STOPPING", "COMPLETE", "STOPPED", "NEWER"])


def begins(name: str, prefixes: frozenset[str]) -> bool:
    return any(name.startswith(prefix) for prefix in prefixes)


def wanted(*rules: NativeReplication) -> WantedReplication:
    return WantedReplication(rules, backfill=True)


def rule(*prefixes: str, to: RegistryRef = AWAY) -> NativeReplication:
    return NativeReplication(frozenset(prefixes), frozenset({to}))


def document(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"rules": list(rules)}


def backfill(status: str = "COMPLETE", to: RegistryRef = AWAY, ago: timedelta = HOUR, **changes: Any) -> Backfill:
    ended = None if status in {"PREPARING", "IN_PROGRESS", "STOPPING"} else NOON - ago
    counts = {"total": 400, "completed": 400, **changes}
    return Backfill(counts.pop("id", "one"), to, status, NOON - ago, ended, **counts)


def noted(of: Backfill, *prefixes: str) -> dict[RegistryRef, StartedBackfill]:
    return {of.to: StartedBackfill(of.id, frozenset(prefixes or {""}), of.started_at)}


PROD = document(native("prod/", AWAY))


def planned(*listed: Backfill, notes: Any = (), before: Any = PROD, after: Any = None, asks: Any = None) -> Any:
    notes = notes if notes is None else dict(notes)
    facts = BackfillFacts(before, before if after is None else after, listed, notes, NOON)
    return plan_backfills("mesh", HOME, asks or wanted(rule("prod/")), facts)


# ---------------------------------------------------------------- repositories by prefix


@EXAMPLES
@given(PREFIXES, NAMES)
def test_the_shortest_prefixes_are_about_the_same_repositories(prefixes: frozenset[str], name: str) -> None:
    assert begins(name, shortest(prefixes)) == begins(name, prefixes)
    assert not any(one != other and one.startswith(other) for one in shortest(prefixes) for other in shortest(prefixes))


@EXAMPLES
@given(PREFIXES, PREFIXES, NAMES)
def test_prefixes_that_cover_others_are_about_all_of_their_repositories(
    these: frozenset[str], those: frozenset[str], name: str
) -> None:
    if covers(shortest(these), shortest(those)):
        assert not begins(name, those) or begins(name, these)


@pytest.mark.parametrize(
    ("configuration", "prefixes"),
    [
        (document(), set()),
        (document(native("prod/", ELSEWHERE)), set()),
        (document(native("prod/", AWAY), native("prod/a", ELSEWHERE, AWAY), native("test/", AWAY)), {"prod/", "test/"}),
        (document(native("prod/", AWAY), native(None, AWAY)), {""}),
        (document({**native(None, AWAY), "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}), set()),
    ],
)
def test_a_configuration_says_which_repositories_go_to_a_destination(configuration: Any, prefixes: set[str]) -> None:
    assert configured(configuration, AWAY) == prefixes


def test_a_destination_has_a_gap_while_less_goes_there_than_the_rulebook_says() -> None:
    asks = wanted(rule("prod/", "test/"), rule("prod/", to=ELSEWHERE))

    assert destinations(asks) == {AWAY: {"prod/", "test/"}, ELSEWHERE: {"prod/"}}
    assert gaps(asks, document(native("prod/", AWAY, ELSEWHERE))) == (AWAY,)
    assert gaps(asks, document(native(None, AWAY, ELSEWHERE))) == ()


def test_a_note_is_void_unless_it_only_lacks_repositories_that_the_rulebook_asks_for_since() -> None:
    asks, one = wanted(rule("prod/", "test/")), backfill()

    def void(before: Any, *prefixes: str) -> bool:
        return bool(void_notes(asks, before, noted(one, *prefixes) if prefixes else {}))

    assert not void(document(native("prod/", AWAY)), "prod/")
    assert not void(document(native(None, AWAY)), "dev/")
    assert void(document(native("prod/", AWAY)), "prod/", "test/")
    assert void(document(), "prod/")
    assert void(document(native("prod/", AWAY)))


# ---------------------------------------------------------------- what is started


def test_a_backfill_is_started_when_none_was() -> None:
    (step,) = planned().steps

    assert (step.rule, step.registry, step.to, step.prefixes) == ("mesh", HOME, AWAY, {"prod/"})
    assert str(step) == f"start a backfill to {AWAY}"
    assert step.why == "what was there before it was replicated is not there yet"
    assert not step.is_destructive


@pytest.mark.parametrize("status", ["COMPLETE", "PREPARING", "IN_PROGRESS", "STOPPING", "STOPPED", "NEWER"])
def test_none_is_started_when_one_that_fits_is_under_way_or_over(status: str) -> None:
    one = backfill(status)

    assert planned(one, notes=noted(one, "prod/")).steps == ()


def test_none_is_started_when_ecr_has_forgotten_the_one_that_was_noted() -> None:
    assert planned(notes=noted(backfill(ago=100 * DAY))) == BackfillPlan()


def test_one_is_started_when_the_last_was_for_fewer_repositories() -> None:
    one = backfill()

    (step,) = planned(one, notes=noted(one, "prod/a", "prod/b")).steps

    assert step.why == "the last one, of 2026-11-24 11:00 UTC, was for fewer repositories"


def test_none_is_started_when_the_last_was_for_more_repositories() -> None:
    one = backfill()

    assert planned(one, notes=noted(one, "pro")).steps == ()


def test_one_is_started_when_nothing_was_noted_of_the_one_that_ecr_tells_of() -> None:
    """What it was for nobody knows: whoever started it may have ended before the note."""
    assert len(planned(backfill(ago=DAY)).steps) == 1


@pytest.mark.parametrize("before", [document(), document(native("prod/a", AWAY))])
def test_one_is_started_after_a_gap_whatever_was_noted(before: Any) -> None:
    one = backfill(ago=DAY)

    assert len(planned(one, notes=noted(one), before=before, after=PROD).steps) == 1


@pytest.mark.parametrize("before", [document(), PROD])
def test_one_that_makes_up_for_a_gap_waits_until_a_day_after_the_last(before: Any) -> None:
    """Somebody may take the destination away each hour; the note, which is void, keeps it due."""
    older, last = backfill(ago=30 * HOUR), backfill(ago=23 * HOUR)

    found = planned(older, last, before=before, after=PROD)

    assert found == BackfillPlan(
        remarks=(
            f"a backfill to {AWAY} waits: the last one was started at 2026-11-23 13:00 UTC, and the next one a day "
            "later",
        )
    )
    assert len(planned(backfill(to=NEIGHBOUR), before=before, after=PROD).steps) == 1


def test_none_waits_for_a_day_when_the_rulebook_asks_for_more_repositories() -> None:
    one, asks = backfill(), wanted(rule("prod/", "test/"))
    after = document(native("prod/", AWAY), native("test/", AWAY))

    (step,) = planned(one, notes=noted(one, "prod/"), before=PROD, after=after, asks=asks).steps

    assert step.why == "the last one, of 2026-11-24 11:00 UTC, was for fewer repositories"


def test_none_is_started_when_the_configuration_stays_without_the_destination() -> None:
    """ECR takes no more rules, say; the plan of the configuration tells."""
    assert planned(before=document(), after=document()) == BackfillPlan()


def test_one_that_somebody_started_by_hand_counts_for_what_is_configured() -> None:
    failed, by_hand = backfill("FAILED", ago=3 * DAY), backfill("COMPLETE", ago=HOUR, id="by hand")

    assert planned(failed, by_hand, notes=noted(failed, "prod/")) == BackfillPlan()


@pytest.mark.parametrize(("ago", "starts"), [(23 * HOUR, 0), (25 * HOUR, 1)])
def test_one_that_failed_is_started_again_a_day_later_and_told_each_time(ago: timedelta, starts: int) -> None:
    one = backfill("FAILED", ago=ago, completed=150, failed=250, failure_code="Rate")

    found = planned(one, notes=noted(one, "prod/"))

    assert len(found.steps) == starts
    assert found.failures == (one,)


@pytest.mark.parametrize(("failed", "starts"), [(1, 0), (2, 1), (4, 1)])
def test_one_that_is_complete_without_half_of_its_images_has_failed(failed: int, starts: int) -> None:
    """As ECR says it of few images: it judges FAILED from a hundred on."""
    one = backfill(ago=25 * HOUR, total=4, completed=4 - failed, failed=failed)

    found = planned(one, notes=noted(one, "prod/"))

    assert (len(found.steps), len(found.failures)) == (starts, starts)
    assert planned(replace(one, status="STOPPED"), notes=noted(one, "prod/")).steps == ()


def test_a_day_is_counted_from_the_end_when_one_that_failed_took_long() -> None:
    one = replace(backfill("FAILED", ago=2 * HOUR), started_at=NOON - 3 * DAY)

    assert planned(one, notes=noted(one, "prod/")).steps == ()


def test_without_notes_what_ecr_lists_decides() -> None:
    assert len(planned(notes=None).steps) == 1
    assert len(planned(backfill(to=ELSEWHERE), notes=None).steps) == 1
    assert planned(backfill(), notes=None).steps == ()
    assert planned(backfill("FAILED", ago=HOUR), notes=None).steps == ()
    assert len(planned(backfill("FAILED", ago=2 * DAY), notes=None).steps) == 1
    assert len(planned(backfill(), notes=None, before=document(), after=PROD).steps) == 1


def test_one_waits_when_another_to_the_region_is_under_way() -> None:
    found = planned(backfill("IN_PROGRESS", NEIGHBOUR, completed=12))

    assert found.steps == ()
    assert found.remarks == (f"a backfill to {AWAY} waits until another one has ended",)


def test_one_waits_when_ten_are_under_way() -> None:
    others = [backfill("IN_PROGRESS", RegistryRef("333344445555", f"eu-south-{n}")) for n in range(1, 10)]

    assert len(planned(*others).steps) == 1
    tenth = backfill("PREPARING", RegistryRef("333344445555", "eu-north-1"), total=None)
    assert planned(*others, tenth).steps == ()


# ---------------------------------------------------------------- what is told


def test_one_that_is_under_way_is_told_with_its_counts() -> None:
    found = planned(backfill("IN_PROGRESS", completed=120))
    assert found == BackfillPlan(remarks=(f"backfill to {AWAY}: 120 of 400 images, 0 failed",))

    found = planned(backfill("PREPARING", total=None, completed=0))
    assert found.remarks == (f"backfill to {AWAY}: ECR is looking for the images",)


def test_one_that_is_complete_and_misses_images_is_a_failure_for_a_day_and_then_a_remark() -> None:
    early = backfill(ago=23 * HOUR, completed=398, failed=2)
    assert planned(early, notes=noted(early)) == BackfillPlan(failures=(early,))

    late = backfill(ago=25 * HOUR, completed=398, failed=2)
    (remark,) = planned(late, notes=noted(late)).remarks
    assert remark.startswith(f"backfill to {AWAY}: 398 of 400 images, 2 failed; push those again")


def test_one_that_somebody_has_stopped_is_told() -> None:
    one = backfill("STOPPED", completed=120)

    (remark,) = planned(one, notes=noted(one)).remarks

    assert remark.startswith(f"backfill to {AWAY}: 120 of 400 images, 0 failed; somebody has stopped it")


def test_a_failure_names_some_images_and_how_many_more_there_are() -> None:
    one = backfill("FAILED", completed=0, failed=3, failure_code="Rate", failure_codes=("Access",))
    images = [FailedImage("a", "sha256:1", "1.0", "Access"), FailedImage("b", "sha256:2", None, None)]

    assert failure_of(one, images) == (
        "ECR's backfill one failed (Rate): 3 of 400 images failed (Access): a:1.0 (Access), b@sha256:2 and 1 more"
    )
    assert failure_of(replace(one, failure_code=None, failure_codes=(), failed=0), ()) == (
        "ECR's backfill one failed: 0 of 400 images failed"
    )


# ---------------------------------------------------------------- whatever has happened

LISTED = st.lists(
    st.builds(
        backfill,
        STATUSES,
        ANY_PLACE,
        st.integers(0, 48).map(lambda hours: hours * HOUR),
        id=st.uuids().map(str),
        failed=st.integers(0, 9),
    ),
    min_size=1,
    max_size=14,
)
NOTES = st.dictionaries(
    ANY_PLACE,
    st.builds(
        StartedBackfill,
        st.just("one"),
        st.sampled_from([frozenset({"prod/"}), frozenset({""})]),
        st.integers(50, 300).map(lambda hours: NOON - hours * HOUR),
    ),
)
SOME = st.sets(ANY_PLACE, min_size=1)
CONFIGURATIONS = st.lists(
    st.builds(lambda prefix, to: native(prefix, *to), st.sampled_from(["prod/", "test/", None]), SOME), max_size=4
).map(lambda rules: document(*rules)) | st.just(document(native(None, *PLACES)))
RULES = st.lists(
    st.builds(
        lambda prefix, to: NativeReplication(frozenset({prefix}), frozenset(to)),
        st.sampled_from(["prod/", "test/"]),
        SOME,
    ),
    min_size=1,
    max_size=2,
).map(lambda rules: wanted(*rules))
tally: Counter[str] = Counter()


@EXAMPLES
@given(RULES, CONFIGURATIONS, CONFIGURATIONS, LISTED, NOTES | st.none())
def test_ecr_is_asked_for_nothing_that_it_would_refuse(
    asks: WantedReplication, before: Any, after: Any, listed: list[Backfill], notes: Any
) -> None:
    found = plan_backfills("mesh", HOME, asks, BackfillFacts(before, after, listed, notes, NOON))

    under_way = [one for one in listed if one.is_under_way]
    started = [step.to.region for step in found.steps]
    assert len(started) == len(set(started))
    assert not set(started) & {one.to.region for one in under_way}
    assert not found.steps or len(under_way) + len(started) <= MOST_UNDER_WAY
    assert all(covers(configured(after, step.to), step.prefixes) for step in found.steps)
    assert all(not one.is_under_way for one in found.failures)
    for step in found.steps if notes is not None else ():
        is_wider = step.to in notes and not covers(notes[step.to].prefixes, step.prefixes)
        assert is_wider or all(one.to != step.to or NOON - one.started_at >= RETRIED for one in listed)
    tally.update(plans=1, starts=bool(found.steps), fails=bool(found.failures), remarks=bool(found.remarks))


def test_many_of_the_generated_pasts_had_something_to_start_and_to_tell() -> None:
    assert min(tally["starts"], tally["fails"], tally["remarks"]) * 20 > tally["plans"]
