"""What sweeps remember of verdicts: what has not changed is not judged again, and nothing is given away by it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.adapters.memory import InMemoryNotices, InMemoryReplicationQueue, InMemoryVerdicts
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.judged import LONGEST, SKEW, Judged
from ecr_steward.domain.names import Digest, ImageRef
from ecr_steward.domain.observations import ScanEnded
from ecr_steward.domain.outcome import SweepOutcome
from ecr_steward.domain.rules import Rules, Waiver
from ecr_steward.domain.scans import Finding, ScanStatus, Severity, Verdict
from ecr_steward.usecases.evaluate_image_scan import ScanBatch
from ecr_steward.usecases.reconcile_registry import reconcile_registry
from tests.given.rules import API, HOME, SCAN_RULES, WHEN_PASSED, Pattern, rulebook
from tests.given.worlds import blob, config, hands_of, manifest, world

GOOD, OTHER, BAD, NEVER = (
    manifest(name, blobs=[config(name), blob(name)]) for name in ("good", "other", "bad", "never scanned")
)
INDEX = manifest("index", children=[GOOD, OTHER])
ALWAYS = {BAD.digest, NEVER.digest}
ALL = {GOOD.digest, OTHER.digest, *ALWAYS}
FINDING = Finding("CVE-2026-1", Severity.CRITICAL, "zlib", "1.3.1")
WAIVED = Waiver("CVE-2026-1", (Pattern("team-a/api"),), date(2026, 11, 30), "known")


class House:
    """Images of all kinds, and sweeps over them as time goes by."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.now = NOON
        self.rules = rules or rulebook(scan=SCAN_RULES, replicate=())
        self.world = world(
            [GOOD, OTHER, BAD, NEVER, INDEX], {"1.0.0": GOOD, "1.0.1": BAD, "1.0.2": NEVER, "1.0.3": INDEX}
        )
        self.verdicts = InMemoryVerdicts()
        self.notices, self.queue = InMemoryNotices(), InMemoryReplicationQueue()
        self.scan(GOOD)
        self.scan(OTHER)
        self.scan(BAD, FINDING)

    def scan(self, held: object, *findings: Finding) -> None:
        self.world.scans.end(ImageRef(API, held.digest), ScanStatus.COMPLETE, findings)  # type: ignore[attr-defined]

    def hear(self, held: object) -> None:
        """An event says that a scan has ended."""
        batch = ScanBatch(
            rules=self.rules,
            registry=self.world.registry,
            scans=self.world.scans,
            notices=InMemoryNotices(),
            now=lambda: self.now,
            verdicts=self.verdicts,
        )
        batch.evaluate([ScanEnded(ImageRef(API, held.digest))])  # type: ignore[attr-defined]

    def sweep(self, after: timedelta = timedelta(hours=1), *, is_dry: bool = False) -> SweepOutcome:
        """Sweep, some time after what was before."""
        self.now += after
        self.world.registry.calls.clear()
        hands = hands_of(self.world, self.notices, self.queue, lambda: self.now)
        hands = replace(hands, verdicts=self.verdicts, is_dry=is_dry)
        return reconcile_registry([HOME], rules=self.rules, hands=hands)

    def scans_read(self) -> set[Digest]:
        """The images whose scans the last sweep has read."""
        return {call.arguments[0].digest for call in self.world.registry.calls.entries if call.method == "scan"}


@pytest.fixture
def house() -> House:
    """A house that was swept once."""
    house = House()
    house.sweep()
    return house


def test_the_next_sweep_reads_the_scans_of_what_waits_or_fails_and_of_nothing_else(house: House) -> None:
    assert house.scans_read() == ALL

    house.sweep()

    assert house.scans_read() == ALWAYS
    assert "children" not in house.world.registry.calls.methods


def test_a_fail_is_published_by_the_sweep_that_judges_it(house: House) -> None:
    first = len(house.notices.published)

    house.sweep()

    assert len(house.notices.published) == first


def test_all_is_judged_anew_within_a_day(house: House) -> None:
    seen = set[Digest]()
    for _ in range(24):
        house.sweep()
        seen |= house.scans_read()

    assert seen == ALL


def test_an_event_has_the_next_sweep_judge_all_that_the_scan_is_about(house: House) -> None:
    house.now += timedelta(minutes=10)
    house.hear(GOOD)

    house.sweep()
    about = house.scans_read()
    house.sweep()

    assert about == ALL, "the index leads to it, and to the other"
    assert house.scans_read() == ALWAYS


def other_rule(house: House) -> None:
    house.rules = rulebook(scan=replace(SCAN_RULES, fail_on=Severity.LOW), replicate=())


def new_waiver(house: House) -> None:
    house.rules = rulebook([WAIVED], scan=SCAN_RULES, replicate=())


def memory_lost(house: House) -> None:
    house.verdicts = InMemoryVerdicts()


@pytest.mark.parametrize("happens", [other_rule, new_waiver, memory_lost])
def test_all_is_judged_anew_when_what_it_was_judged_by_is_another(
    house: House, happens: Callable[[House], None]
) -> None:
    happens(house)

    house.sweep()

    assert house.scans_read() == ALL


def test_all_is_judged_anew_when_a_waiver_has_had_its_last_day() -> None:
    house = House(rulebook([replace(WAIVED, until=NOON.date())], scan=SCAN_RULES, replicate=()))
    house.sweep(timedelta(hours=8))
    passed = house.sweep().outcomes

    failed = house.sweep(timedelta(hours=4)).outcomes

    assert {str(each.assessment.verdict) for each in passed if each.assessment} == {"wait"}
    assert {str(each.assessment.verdict) for each in failed if each.assessment} == {"wait", "fail"}


def test_a_dry_run_judges_everything_and_remembers_nothing(house: House) -> None:
    house.verdicts.calls.clear()

    house.sweep(is_dry=True)

    assert house.scans_read() == ALL
    assert house.verdicts.calls.methods == []


def test_nothing_is_written_when_nothing_was_judged_anew(house: House) -> None:
    house.verdicts.calls.clear()

    house.sweep()

    assert house.verdicts.calls.methods == ["known"]


def test_a_copy_is_asked_for_by_what_is_remembered() -> None:
    house = House(rulebook(scan=SCAN_RULES, replicate=(WHEN_PASSED,)))
    house.sweep()
    house.queue.requested.clear()

    house.sweep()

    assert [job.image.digest for job in house.queue.requested] == sorted([GOOD.digest, INDEX.digest])


digests = st.integers(0, 2**256 - 1).map(lambda number: Digest(f"sha256:{number:064x}"))
ages = st.timedeltas(timedelta(seconds=-10), timedelta(hours=30))


@given(digests, ages, st.sampled_from(Verdict), st.booleans())
def test_no_verdict_is_trusted_for_longer_than_a_day(
    digest: Digest, age: timedelta, verdict: Verdict, same: bool
) -> None:
    judged = Judged(verdict, "a basis", NOON)

    holds = judged.still_holds(digest, "a basis" if same else "another", NOON + age, None)

    if holds:
        assert same
        assert verdict is Verdict.PASS
        assert timedelta(0) <= age < LONGEST
    else:
        assert not same or verdict is not Verdict.PASS or age < timedelta(0) or age >= LONGEST / 2


@given(digests, st.datetimes(datetime(2026, 11, 1), datetime(2026, 12, 30), timezones=st.just(NOON.tzinfo)))
def test_no_verdict_is_trusted_that_is_older_than_what_was_heard(digest: Digest, heard_at: datetime) -> None:
    holds = Judged(Verdict.PASS, "a basis", NOON).still_holds(digest, "a basis", NOON + timedelta(minutes=5), heard_at)

    assert holds == (heard_at + SKEW < NOON)
