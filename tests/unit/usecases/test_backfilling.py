"""Backfills over time: the sweep starts each once, whatever happens in between."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_steward.adapters.memory import (
    Calls,
    InMemoryBackfills,
    InMemoryBrakes,
    InMemoryJournal,
    InMemoryNotices,
    InMemoryRegistry,
    InMemoryRegistrySettings,
    InMemoryReplicationQueue,
    InMemoryStartedBackfills,
    InMemorySwitch,
)
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.backfills import Backfill, FailedImage, StartReplicationBackfill
from ecr_steward.domain.brake import USUAL
from ecr_steward.domain.journal import StepState
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.observations import RegistryChanged
from ecr_steward.domain.outcome import Outcome, SweepFailure
from ecr_steward.domain.pause import Pause
from ecr_steward.domain.registries import NativeReplication, WantedReplication, WantedSettings
from ecr_steward.domain.registry_rules import RegistryRule
from ecr_steward.domain.rules import Mode, Rules
from ecr_steward.errors import (
    AccessDeniedError,
    BackfillFailedError,
    BackfillUnderWayError,
    RefusedByRegistryError,
    ThrottledError,
)
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.backfilling import Backfilling
from ecr_steward.usecases.govern_registry import apply_registry_settings, govern_registry
from ecr_steward.usecases.reconcile_registry import sweep_registry
from tests.given.rules import AWAY, HOME
from tests.given.worlds import hands_of, world

THIRD = RegistryRef("222233334444", "us-east-1")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LOST = FailedImage("prod/api", "sha256:" + "1" * 64, "1.0", "AccessDenied")


class KilledError(BaseException):
    """The function ends, whatever it is doing."""


class Mesh:
    """A registry that the rulebook has ECR replicate, as the sweep and others find it."""

    def __init__(self, *, keeps_notes: bool = True) -> None:
        self.calls = Calls()
        self.time = NOON
        self.settings = InMemoryRegistrySettings(calls=self.calls)
        self.backfills = InMemoryBackfills(self.settings, self.now)
        self.notes = InMemoryStartedBackfills(self.calls) if keeps_notes else None
        self.switch, self.journal = InMemorySwitch(), InMemoryJournal()
        self.mode = Mode.ENFORCE
        self.wanted = WantedReplication(backfill=True)
        self.want({"prod/"})

    def now(self) -> datetime:
        return self.time

    def want(self, prefixes: set[str], *to: RegistryRef, backfill: bool = True) -> None:
        """Have the rulebook replicate these repositories, to AWAY alone where nothing is named."""
        rule = NativeReplication(frozenset(prefixes), frozenset(to or {AWAY}))
        self.wanted = WantedReplication((rule,), keeps_foreign=False, backfill=backfill)

    @property
    def backfilling(self) -> Backfilling:
        return Backfilling(self.now, self.backfills, self.notes)

    @property
    def applier(self) -> Applier:
        return Applier(
            InMemoryRegistry(calls=self.calls),
            self.switch,
            InMemoryBrakes(),
            self.journal,
            InMemoryNotices(),
            self.now,
            "reconcile_registry",
            lambda _: USUAL,
            settings=self.settings,
            backfilling=self.backfilling,
        )

    @property
    def rules(self) -> Rules:
        wanted = WantedSettings(replication=self.wanted)
        return Rules((), registries=(RegistryRule("mesh", lambda _: wanted, self.mode),))

    def sweep(self, *, is_dry: bool = False) -> tuple[Outcome, ...]:
        """Sweep the registry an hour later."""
        self.time += HOUR
        return govern_registry(
            HOME,
            rules=self.rules,
            settings=self.settings,
            applier=self.applier,
            backfilling=self.backfilling,
            is_dry=is_dry,
        )

    @property
    def listed(self) -> list[Backfill]:
        return list(self.backfills.of(HOME))

    @property
    def started(self) -> list[RegistryRef]:
        """The destinations of all that were started, in order."""
        return [one.to for one in self.listed]

    def finish(self, status: str = "COMPLETE", *failed: FailedImage, total: int = 3) -> None:
        """Have all that are under way end."""
        for one in self.listed:
            if one.is_under_way:
                code = "Rate" if status == "FAILED" else None
                self.backfills.end(HOME, one.id, status, *failed, total=total, failure_code=code)

    def unconfigure(self) -> None:
        """Somebody takes replication away."""
        self.settings.change(HOME, replication={"rules": []})


@pytest.fixture
def mesh() -> Mesh:
    return Mesh()


def starts(*outcomes: Outcome) -> list[RegistryRef]:
    steps = [step for outcome in outcomes for step in outcome.plan.steps]
    return [step.to for step in steps if isinstance(step, StartReplicationBackfill)]


def test_a_sweep_configures_replication_and_starts_a_backfill_and_the_next_finds_nothing_to_do(mesh: Mesh) -> None:
    (outcome,) = mesh.sweep()
    assert outcome.applied
    assert [str(step) for step in outcome.plan.steps] == [
        f"put the replication configuration of registry {HOME}",
        f"start a backfill to {AWAY}",
    ]
    assert mesh.started == [AWAY]

    mesh.finish()
    mesh.calls.clear()
    (outcome,) = mesh.sweep()
    assert outcome.plan.is_empty and outcome.remark is None and outcome.error is None
    assert mesh.calls.changes == []


def test_nothing_is_asked_about_backfills_when_the_rulebook_does_not_want_them(mesh: Mesh) -> None:
    mesh.want({"prod/"}, backfill=False)

    (outcome,) = mesh.sweep()

    assert [type(step).__name__ for step in outcome.plan.steps] == ["PutReplicationConfiguration"]
    assert mesh.calls.methods == ["replication", "forget_started_backfill", "put_replication"]


def test_another_backfill_is_started_when_replication_was_mended_while_the_rulebook_wanted_none(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.finish()
    mesh.want({"prod/"}, backfill=False)
    mesh.unconfigure()
    mesh.sweep()
    assert mesh.started == [AWAY]

    mesh.want({"prod/"})
    mesh.time += DAY
    mesh.sweep()

    assert mesh.started == [AWAY, AWAY]


def test_progress_is_told_while_one_is_under_way(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.backfills.go_on(HOME, mesh.listed[0].id, "IN_PROGRESS", total=400, completed=120)

    first, second = mesh.sweep()

    assert first.plan.is_empty
    assert (second.subject, second.rule) == (f"registry {HOME}", "mesh")
    assert second.remark == f"backfill to {AWAY}: 120 of 400 images, 0 failed"


def test_a_new_destination_gets_a_backfill_for_it_alone(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.finish()
    mesh.want({"prod/"}, AWAY, THIRD)

    mesh.sweep()

    assert mesh.started == [AWAY, THIRD]


def test_more_repositories_get_another_backfill_and_fewer_do_not(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.finish()
    mesh.want({"prod/", "test/"})
    mesh.sweep()
    mesh.finish()
    assert mesh.started == [AWAY, AWAY]

    mesh.want({"test/"})
    mesh.sweep()
    assert mesh.started == [AWAY, AWAY]

    mesh.want({"prod/", "test/"})  # what was pushed to prod/ meanwhile has stayed behind
    mesh.time += DAY
    mesh.sweep()
    assert mesh.started == [AWAY, AWAY, AWAY]


def test_what_was_pushed_while_somebody_had_taken_replication_away_is_brought_by_another_backfill(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.finish()
    mesh.unconfigure()

    mesh.time += DAY
    mesh.sweep()

    assert mesh.started == [AWAY, AWAY]


def test_one_is_started_once_a_day_when_somebody_takes_replication_away_each_hour(mesh: Mesh) -> None:
    mesh.sweep()
    for _ in range(23):
        mesh.finish()
        mesh.unconfigure()
        outcomes = mesh.sweep()
        assert "backfill to 111122223333/eu-west-1 waits" in str(outcomes[-1].remark)
        assert mesh.settings.settings_of(HOME).replication["rules"]
    assert mesh.started == [AWAY]

    mesh.sweep()

    assert mesh.started == [AWAY, AWAY]


def test_more_repositories_wait_only_for_the_one_that_is_under_way(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.want({"prod/", "test/"})
    mesh.sweep()
    mesh.finish()

    mesh.sweep()

    assert mesh.started == [AWAY, AWAY]


def test_another_backfill_is_started_when_replication_was_mended_while_one_was_under_way(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.unconfigure()

    assert starts(*mesh.sweep()) == []
    mesh.finish()
    mesh.time += DAY
    mesh.sweep()

    assert mesh.started == [AWAY, AWAY]


def test_nothing_is_started_when_the_configuration_was_refused(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.finish()
    mesh.want({"test/"})
    mesh.calls.fail_before("put_replication", RefusedByRegistryError("no"))

    (outcome,) = mesh.sweep()

    assert str(outcome.error) == "no"
    assert mesh.started == [AWAY]
    mesh.sweep()
    assert mesh.started == [AWAY, AWAY]


def test_nothing_is_mended_when_what_was_noted_cannot_be_voided(mesh: Mesh) -> None:
    mesh.calls.fail_before("forget_started_backfill", ThrottledError("slow"))

    (outcome,) = mesh.sweep()

    assert isinstance(outcome.error, ThrottledError)
    assert mesh.settings.settings_of(HOME).replication == {"rules": []}


def test_the_rest_of_a_registry_is_done_when_backfills_cannot_be_listed(mesh: Mesh) -> None:
    mesh.calls.fail_before("backfills", AccessDeniedError("no"))

    (outcome,) = mesh.sweep()

    assert isinstance(outcome.error, AccessDeniedError)
    assert mesh.settings.settings_of(HOME).replication["rules"]
    mesh.sweep()
    assert mesh.started == [AWAY]


class Hasty(InMemoryBackfills):
    """Somebody else starts one to AWAY right after the sweep has listed what there is."""

    def of(self, registry: RegistryRef) -> Sequence[Backfill]:
        listed = super().of(registry)
        if not listed:
            self._backfills[registry].append(Backfill("theirs", AWAY, "PREPARING", self._now()))
        return listed


def test_what_somebody_else_was_faster_with_is_told_and_not_said_to_be_started(mesh: Mesh) -> None:
    mesh.want({"prod/"}, AWAY, THIRD)
    mesh.backfills = Hasty(mesh.settings, mesh.now)

    (outcome,) = mesh.sweep()

    assert outcome.applied and starts(outcome) == [THIRD]
    assert "somebody was faster, and the next sweep looks again" in str(outcome.remark)
    entries = mesh.journal.entries(NOON.date(), NOON.date())
    assert sorted((entry.what, entry.state) for entry in entries) == [
        (f"start a backfill to {AWAY}", StepState.FAILED),
        (f"start a backfill to {THIRD}", StepState.DONE),
    ]


def test_it_is_an_error_when_ecr_takes_no_more(mesh: Mesh) -> None:
    mesh.calls.fail_before("start_backfill", RefusedByRegistryError("LimitExceededException: no more"))

    (outcome,) = mesh.sweep()

    assert "LimitExceeded" in str(outcome.error) and not outcome.applied
    (entry,) = mesh.journal.entries(NOON.date(), NOON.date())
    assert entry.state is StepState.FAILED


def test_nothing_more_is_started_when_somebody_else_was_faster(mesh: Mesh) -> None:
    mesh.sweep(is_dry=True)
    planned = mesh.backfilling
    mesh.settings.change(
        HOME, replication={"rules": [{"destinations": [{"registryId": AWAY.account, "region": AWAY.region}]}]}
    )
    step = StartReplicationBackfill(rule="mesh", why="", registry=HOME, to=AWAY, prefixes=frozenset({"prod/"}))
    planned.start(step, mesh.settings)

    with pytest.raises(BackfillUnderWayError):
        planned.start(step, mesh.settings)

    assert mesh.started == [AWAY]


@pytest.mark.parametrize("circumstance", ["observe", "dry", "paused"])
def test_a_step_is_shown_and_nothing_is_changed_when_nothing_may_be(mesh: Mesh, circumstance: str) -> None:
    mesh.mode = Mode.OBSERVE if circumstance == "observe" else Mode.ENFORCE
    if circumstance == "paused":
        mesh.switch.pause(Pause("somebody", "why", NOON))

    (outcome,) = mesh.sweep(is_dry=circumstance == "dry")

    assert starts(outcome) == [AWAY]
    assert not outcome.applied
    assert mesh.started == []
    assert mesh.settings.settings_of(HOME).replication == {"rules": []}


def test_the_journal_has_what_was_started_and_the_brake_does_not_count_it(mesh: Mesh) -> None:
    mesh.sweep()

    (entry,) = mesh.journal.entries(NOON.date(), NOON.date())
    assert (entry.step, entry.what, entry.rule) == ("StartReplicationBackfill", f"start a backfill to {AWAY}", "mesh")
    assert entry.why == "what was there before it was replicated is not there yet"


# ---------------------------------------------------------------- what failed


def sweep_of(mesh: Mesh) -> Any:
    hands = replace(
        hands_of(world([], {}), InMemoryNotices(), InMemoryReplicationQueue()),
        settings=mesh.settings,
        applier=mesh.applier,
    )
    mesh.time += HOUR
    return sweep_registry(HOME, mesh.rules, hands)


def test_one_that_failed_is_a_failure_of_each_sweep_and_is_started_again_once_a_day(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.finish("FAILED", LOST, LOST, total=3)

    found = sweep_of(mesh)
    assert found.failures == [
        SweepFailure(
            f"registry {HOME} to {AWAY}",
            f"ECR's backfill {mesh.listed[0].id} failed (Rate): 2 of 3 images failed (AccessDenied): "
            "prod/api:1.0 (AccessDenied), prod/api:1.0 (AccessDenied)",
        )
    ]
    for _ in range(21):
        mesh.sweep()
    assert len(mesh.started) == 1

    mesh.sweep()
    mesh.sweep()
    assert len(mesh.started) == 2
    mesh.finish("FAILED", LOST, total=2)
    mesh.sweep()
    assert len(mesh.started) == 2


def test_one_that_failed_is_told_as_a_remark_when_the_rule_observes(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.finish("FAILED", LOST, total=2)
    mesh.mode = Mode.OBSERVE

    found = sweep_of(mesh)

    assert found.failures == []
    assert "1 of 2 images failed" in found.outcomes[-1].remark


def test_the_sweep_tells_how_far_one_is(mesh: Mesh) -> None:
    mesh.sweep()

    found = sweep_of(mesh)

    assert [each.remark for each in found.outcomes] == [f"backfill to {AWAY}: ECR is looking for the images"]


def test_a_failure_says_why_when_no_image_has_one(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.finish("FAILED")

    outcomes = mesh.sweep()

    assert [type(each.error) for each in outcomes] == [type(None), BackfillFailedError]
    assert "failed_images" not in mesh.calls.methods


def test_a_small_one_that_brought_nothing_is_started_again_a_day_later_though_ecr_calls_it_complete(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.finish("COMPLETE", LOST, LOST, total=2)

    for _ in range(23):
        outcomes = mesh.sweep()
        assert "2 of 2 images failed" in str(outcomes[-1].error)
    assert mesh.started == [AWAY]
    mesh.sweep()
    assert mesh.started == [AWAY, AWAY]


def test_others_are_started_when_the_images_that_one_did_not_bring_cannot_be_read(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.finish("FAILED", LOST, total=2)
    mesh.want({"prod/"}, AWAY, THIRD)
    mesh.calls.fail_before("failed_images", AccessDeniedError("no"))

    outcomes = mesh.sweep()

    assert mesh.started == [AWAY, THIRD]
    assert str(outcomes[-1].error).endswith("1 of 2 images failed (AccessDenied); which ones cannot be read: no")


# ---------------------------------------------------------------- nobody keeps notes, and news of a change


def test_what_ecr_lists_decides_when_nobody_keeps_notes() -> None:
    mesh = Mesh(keeps_notes=False)
    mesh.sweep()
    mesh.finish()

    assert starts(*mesh.sweep()) == []
    mesh.want({"prod/"}, AWAY, THIRD)
    mesh.sweep()
    assert mesh.started == [AWAY, THIRD]


def test_news_of_a_change_mends_the_configuration_and_leaves_the_backfill_to_the_sweep(mesh: Mesh) -> None:
    mesh.sweep()
    mesh.finish()
    mesh.unconfigure()

    outcomes = apply_registry_settings(
        RegistryChanged(HOME, "PutReplicationConfiguration"),
        rules=mesh.rules,
        settings=mesh.settings,
        applier=mesh.applier,
        backfilling=Backfilling(mesh.now, started=mesh.notes),
    )

    assert [type(step).__name__ for step in outcomes[0].plan.steps] == ["PutReplicationConfiguration"]
    assert mesh.started == [AWAY]
    mesh.time += DAY
    mesh.sweep()
    assert mesh.started == [AWAY, AWAY]


# ---------------------------------------------------------------- whatever ends in between

PORTS = ["replication", "put_replication", "backfills", "start_backfill", "started_backfills"]
NOTES = ["keep_started_backfill", "forget_started_backfill", "failed_images"]
ENDS = st.tuples(st.sampled_from([*PORTS, *NOTES]), st.booleans())
EVENTS = st.lists(
    st.one_of(
        st.just(("sweep",)),
        ENDS.map(lambda end: ("killed", *end)),
        ENDS.map(lambda end: ("refused", *end)),
        st.sampled_from([("end", "COMPLETE"), ("end", "FAILED")]),
        st.just(("unconfigure",)),
        st.sampled_from([("want", "prod/"), ("want", "test/"), ("want", "prod/", "test/")]),
    ),
    max_size=12,
)


@settings(max_examples=6 * settings().max_examples, derandomize=True, deadline=None)
@given(EVENTS)
def test_a_backfill_follows_every_gap_when_sweeps_are_killed_or_refused_at_any_call(events: list[Any]) -> None:
    """A gap is a time in which ECR does not copy what the rulebook then wants: what was pushed has stayed behind."""
    mesh = Mesh()
    last_gap = {"prod/": mesh.time, "test/": mesh.time}

    def look() -> None:
        rules = mesh.settings.settings_of(HOME).replication["rules"]
        there = {each["filter"] for one in rules for each in one["repositoryFilters"]}
        for prefix in last_gap.keys() - there:
            last_gap[prefix] = mesh.time

    for kind, *rest in events:
        if kind in {"killed", "refused"}:
            method, is_after = rest
            error: Any = KilledError() if kind == "killed" else ThrottledError("slow")
            (mesh.calls.fail_after if is_after else mesh.calls.fail_before)(method, error)
        if kind in {"sweep", "killed", "refused"}:
            look()
            with suppress(KilledError):
                mesh.sweep()
            mesh.calls.heal()
        elif kind == "end":
            mesh.finish(rest[0], *([LOST] if rest[0] == "FAILED" else []), total=1)
        elif kind == "unconfigure":
            mesh.unconfigure()
            look()
        else:
            mesh.want(set(rest))
        look()

    for _ in range(30):  # hours without a fault, in which every backfill succeeds
        mesh.sweep()
        mesh.finish()

    count = len(mesh.started)
    mesh.sweep()
    assert len(mesh.started) == count
    assert all(one.status in {"COMPLETE", "FAILED"} for one in mesh.listed)
    wanted = {prefix for rule in mesh.wanted.rules for prefix in rule.prefixes}
    complete = [one.started_at for one in mesh.listed if one.status == "COMPLETE"]
    assert max(complete) >= max(last_gap[prefix] for prefix in wanted)
