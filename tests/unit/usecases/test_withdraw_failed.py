"""What fails its scan after it was copied leaves its destinations, if its entry says so (attacks M4)."""

from dataclasses import dataclass, field, replace

import pytest

from ecr_steward.adapters.memory import InMemoryNotices, InMemoryReplicationQueue
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.adapters.memory.state import InMemoryBrakes, InMemoryJournal
from ecr_steward.domain.brake import Brake
from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import ImageRef, ImageTag
from ecr_steward.domain.notices import ImageVerdict, ImageWithdrawn
from ecr_steward.domain.outcome import Outcome, SweepOutcome
from ecr_steward.domain.plan import DeleteImage, RemoveImageTag
from ecr_steward.domain.rules import Destination, Match, Mode, Rules
from ecr_steward.domain.scans import Finding, ScanStatus, Severity
from ecr_steward.usecases.reconcile_registry import reconcile_registry
from ecr_steward.usecases.replicate_image import replicate_image
from tests.given.appliers import UNBRAKED, applier_of
from tests.given.rules import API, AWAY, HOME, SCAN_RULES, TAG_RULES, WHEN_PASSED, Pattern, rulebook
from tests.given.worlds import World, give_tag, hands_of, manifest, world

IMAGE, OTHER = manifest("image"), manifest("other")
REPLICA = API.in_registry(AWAY)
HIGH = Finding("CVE-2026-12345", Severity.HIGH, "openssl 3.0.13")
WITHDRAWING = replace(WHEN_PASSED, withdraws_failed=True)
HERE = Match((Pattern("team-.*"),), regions=(Pattern(HOME.region),))


def withdrawing(**changes: object) -> Rules:
    usual = {"match": HERE, "image_tags": None, "scan": SCAN_RULES, "replicate": (WITHDRAWING,)}
    return rulebook(**{**usual, **changes})  # type: ignore[arg-type]


@dataclass
class House:
    """An image that passed its scan and was copied."""

    rules: Rules = field(default_factory=withdrawing)
    tags: dict[str, Manifest] = field(default_factory=lambda: {"1.4.2": IMAGE})
    brake: Brake = UNBRAKED
    notices: InMemoryNotices = field(default_factory=InMemoryNotices)
    journal: InMemoryJournal = field(default_factory=lambda: InMemoryJournal(noon))
    brakes: InMemoryBrakes = field(default_factory=lambda: InMemoryBrakes(noon))

    def __post_init__(self) -> None:
        self.world: World = world([IMAGE, OTHER], self.tags)
        for held in (IMAGE, OTHER):
            self.world.scans.end(ref(held))
        for held in set(self.tags.values()):
            self.replicate(held)
        self.notices.published.clear()

    def fail(self, held: Manifest = IMAGE) -> None:
        self.world.scans.end(ref(held), findings=[HIGH])

    def replicate(self, held: Manifest = IMAGE, *, withdraws_only: bool = False) -> tuple[Outcome, ...]:
        there = self.world
        applier = applier_of(
            there.registry, there.content, self.notices, journal=self.journal, brakes=self.brakes, brake=self.brake
        )
        return replicate_image(
            ref(held),
            rules=self.rules,
            registry=there.registry,
            content=there.content,
            scans=there.scans,
            notices=self.notices,
            now=noon,
            applier=applier,
            withdraws_only=withdraws_only,
            homes=(HOME,),
        )

    def sweep(self, *, is_dry: bool = False) -> SweepOutcome:
        hands = hands_of(self.world, self.notices, InMemoryReplicationQueue())
        return reconcile_registry([HOME], rules=self.rules, hands=replace(hands, homes=(HOME,), is_dry=is_dry))

    @property
    def replicas(self) -> set[str]:
        return set(self.world.registry.images(REPLICA).holders)

    def withdrawn(self) -> list[ImageWithdrawn]:
        return [notice for notice in self.notices.published if isinstance(notice, ImageWithdrawn)]


def ref(held: Manifest) -> ImageRef:
    return ImageRef(API, held.digest)


@pytest.mark.parametrize("by", ["event", "sweep"])
def test_an_image_that_fails_later_leaves_its_destination_and_the_next_look_does_nothing(by: str) -> None:
    """attacks M4."""
    house = House()
    house.fail()

    outcomes = house.replicate(withdraws_only=True) if by == "event" else house.sweep().outcomes

    (step,) = [step for outcome in outcomes for step in outcome.plan.steps]
    assert isinstance(step, DeleteImage)
    assert step.image == ImageRef(REPLICA, IMAGE.digest)
    assert step.why == f"{IMAGE.digest} failed its scan: CVE-2026-12345 (HIGH) in openssl 3.0.13 of {IMAGE.digest}"
    assert house.replicas == set()
    (notice,) = house.withdrawn()
    assert (notice.source, notice.destination, notice.image_tags) == (ref(IMAGE), REPLICA, {ImageTag("1.4.2")})
    assert house.world.registry.images(API).holders == {ImageTag("1.4.2"): IMAGE.digest}

    house.world.registry.calls.clear()
    house.replicate()
    house.sweep()
    assert [call.method for call in house.world.registry.calls.changes] == []


def test_an_image_comes_back_when_it_passes_again() -> None:
    house = House()
    house.fail()
    house.replicate()

    house.world.scans.end(ref(IMAGE))
    house.replicate()

    assert house.replicas == {"1.4.2"}


def test_only_the_failed_image_loses_its_tags_when_another_holds_the_same_name_there() -> None:
    """By digest and tag: what another image shows under the name is not its own."""
    house = House(tags={"1.4.2": IMAGE, "1.4.3": OTHER})
    give_tag(house.world.registry, ImageRef(REPLICA, OTHER.digest), ImageTag("1.4.2"))
    give_tag(house.world.registry, ImageRef(REPLICA, IMAGE.digest), ImageTag("1.4.1"))
    house.fail()

    house.replicate()

    assert house.world.registry.images(REPLICA).holders == dict.fromkeys(
        map(ImageTag, ["1.4.2", "1.4.3"]), OTHER.digest
    )


def test_no_scan_is_read_for_a_failed_verdict_when_no_entry_withdraws() -> None:
    house = House(withdrawing(replicate=(WHEN_PASSED,)))
    house.world.registry.calls.clear()

    (outcome,) = house.replicate(withdraws_only=True)

    assert outcome.remark == "its rule withdraws nothing that failed its scan"
    assert house.world.registry.calls.methods == []


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        (withdrawing(replicate=(WHEN_PASSED,)), ScanStatus.COMPLETE),
        (withdrawing(), ScanStatus.EXPIRED),
        (withdrawing(), ScanStatus.PENDING),
    ],
    ids=["the entry does not say so", "an expired scan waits", "a scan is under way"],
)
def test_an_image_stays_when(rules: Rules, status: ScanStatus) -> None:
    house = House(rules)
    findings = [HIGH] if status is ScanStatus.COMPLETE else []
    house.world.scans.end(ref(IMAGE), status, findings)

    house.replicate()
    house.sweep()

    assert (house.replicas, house.withdrawn()) == ({"1.4.2"}, [])


def test_protected_image_tags_stay_and_the_outcome_says_so() -> None:
    rules = withdrawing(image_tags=replace(TAG_RULES, aliases=None, protect=(Pattern("1[.]4[.]2"),)))
    house = House(rules, tags={"1.4.2": IMAGE, "1.4.3": IMAGE})
    house.fail()

    (outcome,) = house.replicate()

    (step,) = outcome.plan.steps
    assert isinstance(step, RemoveImageTag)
    assert house.replicas == {"1.4.2"}
    assert outcome.plan.remarks == (
        f"{IMAGE.digest} failed its scan and stays as 1.4.2: the entry does not copy them, or a rule protects them",
    )


def test_nothing_is_withdrawn_where_another_repository_may_be_copied_to_the_same_place() -> None:
    fixed = replace(WITHDRAWING, to=(Destination(region=AWAY.region, repository="release"),))
    house = House(withdrawing(replicate=(fixed,)))
    house.fail()

    (outcome,) = house.replicate()

    assert outcome.remark == (
        "nothing is withdrawn there: its name is fixed, so each repository of the rule is copied to it"
    )


def test_the_brake_holds_a_withdrawal_and_the_journal_has_what_it_lets_through() -> None:
    braked = House(brake=Brake(removals=0))
    braked.fail()
    free = House()
    free.fail()

    (held,) = braked.replicate()
    free.replicate()

    assert held.halt is not None
    assert (braked.replicas, braked.withdrawn()) == ({"1.4.2"}, [])
    begun = [call.arguments[0] for call in free.journal.calls.entries if call.method == "begin"]
    assert isinstance(begun[-1], DeleteImage)


def test_a_withdrawal_is_planned_and_not_done_when_the_rule_observes_or_the_sweep_is_dry() -> None:
    dry = House()
    dry.fail()
    observing = House()
    observing.fail()
    observing.rules = withdrawing(mode=Mode.OBSERVE)

    planned = [*dry.sweep(is_dry=True).outcomes, *observing.replicate(), *observing.sweep().outcomes]

    steps = [step for outcome in planned for step in outcome.plan.steps]
    assert [type(step) for step in steps] == [DeleteImage] * 3
    assert dry.replicas == observing.replicas == {"1.4.2"}
    assert [each for each in dry.notices.published if not isinstance(each, ImageVerdict)] == []
