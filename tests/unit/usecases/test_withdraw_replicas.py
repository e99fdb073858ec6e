"""What has gone at the source goes at the destination: later, within the brake, and never what is protected."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.adapters.memory import InMemorySightings
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.brake import Brake
from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import ImageRef, ImageTag
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.plan import DeleteImage, RemoveImageTag
from ecr_steward.domain.rules import Destination, Match, Mode, ReplicationRules, Rule, Rules
from ecr_steward.domain.sightings import REMEMBERED
from ecr_steward.domain.tag_rules import TagRules
from ecr_steward.domain.withdrawals import Mirror
from ecr_steward.usecases.withdraw_replicas import Withdrawal
from tests.given.appliers import UNBRAKED, applier_of
from tests.given.rules import API, AWAY, HOME, TAG_RULES, Pattern, service_rule
from tests.given.worlds import World, blob, give_tag, manifest, world

FIRST = manifest("first", blobs=[blob("first")])
SECOND = manifest("second", blobs=[blob("second")])
INDEX = manifest("index", children=[FIRST, SECOND])
REPLICA = API.in_registry(AWAY)
WEEK = ReplicationRules((Destination(region=AWAY.region),), remove_after=7)
GRACE = timedelta(days=7, seconds=1)


def copying(*replications: ReplicationRules, **changes: Any) -> Rule:
    """A rule for one region, which asks nothing of image tags."""
    match = Match((Pattern("team-.*"),), regions=(Pattern(HOME.region),))
    return service_rule(**{"match": match, "image_tags": None, "replicate": replications, **changes})


@dataclass
class Ends:
    """A source that has let go of something, and what is left of it at the destination."""

    world: World
    rule: Rule = field(default_factory=lambda: copying(WEEK))
    rules: Rules = field(default_factory=lambda: Rules(()))
    """Further ones."""
    own: TagRules | None = None
    missed: InMemorySightings = field(default_factory=InMemorySightings)
    brake: Brake = UNBRAKED
    now: datetime = NOON
    sweeps_every: timedelta = timedelta(days=30)

    @classmethod
    def of(cls, here: Mapping[str, Manifest], there: Mapping[str, Manifest], **changes: Any) -> "Ends":
        made = world([FIRST, SECOND, INDEX], here)
        held_there = [FIRST, SECOND, *([INDEX] if INDEX in there.values() else [])]
        for each in held_there:
            made.content.hold(REPLICA, each)
        for tag, held in there.items():
            give_tag(made.registry, ImageRef(REPLICA, held.digest), ImageTag(tag))
        made.registry.calls.clear()
        return cls(made, **changes)

    def sweep(self, after: timedelta = timedelta(0), *, is_dry: bool = False, entry: int = 0) -> Outcome:
        """One look, so much later than the last one."""
        self.now += after
        registry = self.world.registry
        withdrawal = Withdrawal(
            rules=replace(self.rules, rules=(self.rule, *self.rules.rules)),
            homes=(HOME,),
            missed=self.missed,
            now=lambda: self.now,
            applier=applier_of(registry, now=lambda: self.now, brake=self.brake),
            is_dry=is_dry,
            sweeps_every=self.sweeps_every,
        )
        replication = (self.rule.replicate or ())[entry]
        mirror = Mirror(self.rule, replication, registry.images(API), registry.images(REPLICA), self.own)
        return withdrawal.look(mirror, replication.to[0])

    @property
    def tags(self) -> set[str]:
        return set(self.world.registry.images(REPLICA).holders)


def test_a_tag_goes_when_its_source_has_been_without_it_for_long_enough() -> None:
    ends = Ends.of({"1.0.0": FIRST}, {"1.0.0": FIRST, "0.9.0": SECOND})

    assert ends.sweep().plan.is_empty
    assert ends.sweep(timedelta(days=6)).plan.is_empty
    outcome = ends.sweep(timedelta(days=1, seconds=1))

    (step,) = outcome.plan.steps
    assert isinstance(step, DeleteImage)
    assert step.why == f"0.9.0 has been gone from {API} since {NOON:%Y-%m-%d}"
    assert outcome.applied
    assert ends.tags == {"1.0.0"}
    assert ends.sweep().plan.is_empty


def test_the_image_stays_when_it_holds_another_tag() -> None:
    ends = Ends.of({"1.0.0": FIRST}, {"1.0.0": FIRST, "0.9.0": FIRST})
    ends.sweep()

    outcome = ends.sweep(GRACE)

    assert [type(step) for step in outcome.plan.steps] == [RemoveImageTag]
    assert ends.tags == {"1.0.0"}


def test_the_time_begins_anew_when_a_tag_was_back_or_is_another_image() -> None:
    ends = Ends.of({}, {"1.0.0": FIRST})
    ends.sweep()
    give_tag(ends.world.registry, ImageRef(API, FIRST.digest), ImageTag("1.0.0"))
    ends.sweep(timedelta(days=5))
    moved = Ends.of({}, {"1.0.0": SECOND}, missed=ends.missed, now=ends.now)

    assert moved.sweep(timedelta(days=5)).plan.is_empty
    assert moved.sweep(timedelta(days=5)).plan.is_empty
    assert not moved.sweep(timedelta(days=3)).plan.is_empty


@pytest.mark.parametrize(
    ("tag", "changes"),
    [
        ("1.0.0", {"image_tags": replace(TAG_RULES, protect=(Pattern(r"1\..*"),))}),
        (f"quarantine-{FIRST.digest.hex[:12]}", {}),
        ("nightly", {"replicate": (replace(WEEK, tags=(Pattern(r"\d+\.\d+\.\d+"),)),)}),
        (f"sha256-{SECOND.digest.hex}.sig", {}),
        ("1.0.0", {"replicate": (replace(WEEK, remove_after=None),)}),
    ],
    ids=["protected", "quarantined", "not copied by this rule", "attached to an image that is there", "not asked for"],
)
def test_a_tag_stays_when_it_is(tag: str, changes: dict[str, Any]) -> None:
    ends = Ends.of({}, {tag: FIRST}, rule=copying(*changes.pop("replicate", (WEEK,)), **changes))
    ends.sweep()

    assert ends.sweep(GRACE).plan.is_empty
    assert ends.tags == {tag}


def test_a_signature_goes_when_its_image_has_gone_at_the_source() -> None:
    ends = Ends.of({}, {"1.0.0": SECOND, f"sha256-{SECOND.digest.hex}.sig": FIRST})
    ends.world.registry.delete_image(ImageRef(API, INDEX.digest), frozenset())
    ends.world.registry.delete_image(ImageRef(API, SECOND.digest), frozenset())
    ends.sweep()

    ends.sweep(GRACE)

    assert ends.tags == set()


def test_nothing_goes_when_the_brake_holds() -> None:
    ends = Ends.of({}, {"1.0.0": FIRST, "2.0.0": SECOND}, brake=Brake(removals=1, share=100))
    ends.sweep()

    outcome = ends.sweep(GRACE)

    assert outcome.halt is not None
    assert ends.tags == {"1.0.0", "2.0.0"}


def test_nothing_is_done_or_noted_when_the_rule_observes_or_only_a_plan_is_made() -> None:
    ends = Ends.of({}, {"1.0.0": FIRST})
    ends.sweep()
    observing = replace(ends, rule=copying(WEEK, mode=Mode.OBSERVE))

    for outcome in (observing.sweep(GRACE), ends.sweep(GRACE, is_dry=True)):
        assert len(outcome.plan.steps) == 1
        assert not outcome.applied
    assert ends.tags == {"1.0.0"}
    assert Ends.of({}, {"1.0.0": FIRST}).sweep(is_dry=True).plan.is_empty


EVERYWHERE = Match((Pattern("team-.*"),))
OTHERS = Rule("others", EVERYWHERE, Mode.ENFORCE)
FIXED = Destination(region=AWAY.region, repository="all")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rule": copying(replace(WEEK, to=(FIXED,)))}, "its name is fixed"),
        ({"rules": Rules((OTHERS,), defaults=replace(OTHERS, replicate=(WEEK,)))}, "may be copied"),
        ({"rules": Rules((replace(OTHERS, replicate=(WEEK,)),))}, "us-west-2/team-a/api may be"),
        ({"rule": copying(WEEK, match=EVERYWHERE)}, "Name accounts and regions in `match`"),
    ],
    ids=["any repository of the rule", "by defaults", "by another rule", "by a steward elsewhere"],
)
def test_nothing_goes_where_something_else_may_be_copied_to_the_same_place(changes: dict[str, Any], why: str) -> None:
    ends = Ends.of({}, {"1.0.0": FIRST}, **changes)
    ends.sweep()

    outcome = ends.sweep(GRACE)

    assert outcome.plan.is_empty
    assert why in str(outcome.remark)


def test_a_tag_stays_when_the_destinations_own_rule_protects_it_or_the_source_has_archived_its_image() -> None:
    protected = Ends.of({}, {"1.0.0": FIRST}, own=TagRules(protect=(Pattern(".*"),)))
    protected.sweep()
    assert protected.sweep(GRACE).plan.is_empty
    registry = protected.world.registry
    source = replace(registry.images(API), images={}, archived=frozenset({FIRST.digest}))

    assert Mirror(copying(WEEK), WEEK, source, registry.images(REPLICA)).missed() == {}
    assert Mirror(copying(WEEK), WEEK, replace(source, archived=frozenset()), registry.images(REPLICA)).missed() == {
        "1.0.0": FIRST.digest
    }


def test_a_tag_that_breaks_the_rule_stays_since_it_was_never_copied() -> None:
    ends = Ends.of({}, {"by-hand": FIRST}, rule=copying(WEEK, image_tags=TAG_RULES))
    ends.sweep()

    assert ends.sweep(GRACE).plan.is_empty


def test_each_of_two_entries_removes_what_it_copies_after_its_own_time() -> None:
    releases = replace(WEEK, tags=(Pattern(r"\d.*"),), remove_after=30)
    nightly = replace(WEEK, tags=(Pattern("nightly-.*"),), remove_after=1)
    ends = Ends.of({}, {"1.0.0": FIRST, "nightly-1": SECOND}, rule=copying(releases, nightly))
    for _ in range(3):
        for entry in (0, 1):
            ends.sweep(timedelta(hours=18), entry=entry)
    assert ends.tags == {"1.0.0"}

    ends.sweep(timedelta(days=31))

    assert ends.tags == set()


def test_an_image_stays_when_an_index_of_the_destination_lists_it() -> None:
    ends = Ends.of({"1.0.0": INDEX}, {"1.0.0": INDEX, "0.9.0": FIRST})
    ends.sweep()

    outcome = ends.sweep(GRACE)

    assert outcome.error is None
    assert any("somebody was faster" in remark for remark in outcome.plan.remarks)
    assert ends.tags == {"1.0.0", "0.9.0"}


def test_what_is_missed_is_remembered_for_as_long_as_the_brake_holds() -> None:
    ends = Ends.of({}, {"1.0.0": FIRST, "2.0.0": SECOND}, brake=Brake(removals=1, share=100))
    ends.missed = InMemorySightings(now=lambda: ends.now)
    for _ in range(20):
        ends.sweep(REMEMBERED / 5)
    ends.brake = UNBRAKED

    ends.sweep(timedelta(seconds=1))

    assert ends.tags == set()


@pytest.mark.parametrize("each", [timedelta(hours=1), timedelta(days=1), timedelta(days=9)])
def test_a_tag_goes_when_every_second_sweep_looks_for_as_long_as_the_time_of_grace(each: timedelta) -> None:
    ends = Ends.of({}, {"1.0.0": FIRST}, sweeps_every=each)
    ends.sweep()
    began = ends.now

    while ends.now - began <= timedelta(days=7):
        assert ends.tags == {"1.0.0"}
        ends.sweep(2 * each)

    assert ends.tags == set()


@pytest.mark.parametrize("away", [timedelta(hours=7), timedelta(days=8), timedelta(days=59)])
def test_the_time_begins_anew_when_nobody_looked_for_a_while(away: timedelta) -> None:
    ends = Ends.of({}, {"1.0.0": FIRST}, sweeps_every=timedelta(hours=1))
    for _ in range(6 * 24):
        ends.sweep(timedelta(hours=1))

    assert ends.sweep(away).plan.is_empty

    for _ in range(7 * 24):
        assert ends.sweep(timedelta(hours=1)).plan.is_empty
    assert not ends.sweep(timedelta(hours=1)).plan.is_empty


def test_the_time_begins_anew_when_remove_was_off_and_is_on_again() -> None:
    ends = Ends.of({}, {"1.0.0": FIRST}, sweeps_every=timedelta(hours=1))
    ends.sweep()
    switched_off = replace(ends, rule=copying(replace(WEEK, remove_after=None)))
    for _ in range(8 * 24):
        switched_off.sweep(timedelta(hours=1))
    switched_on = replace(switched_off, rule=ends.rule)

    assert switched_on.sweep(timedelta(hours=1)).plan.is_empty
    assert switched_on.tags == {"1.0.0"}


@given(
    here=st.dictionaries(
        st.sampled_from(["1.0.0", "2.0.0", "3.0.0", "4.0.0"]), st.sampled_from([FIRST, SECOND, INDEX])
    ),
    there=st.dictionaries(
        st.sampled_from(["1.0.0", "2.0.0", "3.0.0", "4.0.0"]), st.sampled_from([FIRST, SECOND, INDEX])
    ),
)
def test_after_the_grace_only_what_the_source_holds_is_left_and_the_next_plan_is_empty(
    here: dict[str, Manifest], there: dict[str, Manifest]
) -> None:
    ends = Ends.of(here, there)
    ends.sweep()
    ends.sweep(GRACE)
    ends.sweep()
    holders = ends.world.registry.images(REPLICA).holders
    listed = {FIRST.digest, SECOND.digest} if INDEX.digest in holders.values() else set()

    assert there.keys() & here.keys() <= holders.keys()
    assert all(tag in here or digest in listed for tag, digest in holders.items())
