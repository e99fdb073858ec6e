"""Copies under ``when: [scan_passed]``: by whatever event they are asked for, the facts decide."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from weakref import ReferenceType
from weakref import ref as ref_to

import pytest

from ecr_steward.adapters.memory import InMemoryNotices, InMemoryReplicationQueue
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.images import Image, Manifest
from ecr_steward.domain.names import ImageRef, image_tag
from ecr_steward.domain.notices import ImageReplicated, ImageVerdict
from ecr_steward.domain.outcome import Outcome, SweepOutcome
from ecr_steward.domain.rules import Destination, Mode, Rules, Waiver
from ecr_steward.domain.scans import Finding, Scan, ScanStatus, Severity, Verdict
from ecr_steward.errors import AccessDeniedError, ThrottledError
from ecr_steward.usecases.reconcile_registry import reconcile_registry
from ecr_steward.usecases.replicate_image import replicate_image
from tests.given.appliers import applier_of
from tests.given.rules import API, AT_ONCE, AWAY, HOME, SCAN_RULES, WHEN_PASSED, Pattern, rulebook
from tests.given.worlds import World, blob, config, hands_of, manifest, sbom_of, signature, world

AMD64, ARM64 = manifest("amd64"), manifest("arm64")
INDEX = manifest("index", children=[AMD64, ARM64])
ALL = [AMD64, ARM64, INDEX]
REPLICA = API.in_registry(AWAY)
HIGH = Finding("CVE-2026-12345", Severity.HIGH, "openssl 3.0.13")
LAST_DAY = NOON.date() + timedelta(days=30)


def waiver() -> Waiver:
    return Waiver(HIGH.name, (Pattern("team-a/.*"),), LAST_DAY, "not reachable", "team-a")


def waiting(**changes: object) -> Rules:
    return rulebook(**{"scan": SCAN_RULES, "replicate": (WHEN_PASSED,), **changes})  # type: ignore[arg-type]


class House:
    """An index of two images of which the second may have a HIGH finding, and the jobs about it."""

    def __init__(self, rules: Rules, findings: Iterable[Finding] = (), there: World | None = None) -> None:
        self.rules = rules
        self.world = there or world(ALL, {"1.4.2": INDEX})
        self.notices, self.queue = InMemoryNotices(), InMemoryReplicationQueue()
        self.time = NOON
        if there is None:
            self.world.scans.end(ref(AMD64))
            self.world.scans.end(ref(ARM64), findings=findings)

    def now(self) -> datetime:
        return self.time

    def replicate(self, held: Manifest = INDEX) -> tuple[Outcome, ...]:
        return self._replicate(ref(held))

    def _replicate(self, image: ImageRef) -> tuple[Outcome, ...]:
        return replicate_image(
            image,
            rules=self.rules,
            registry=self.world.registry,
            content=self.world.content,
            scans=self.world.scans,
            notices=self.notices,
            now=self.now,
            applier=applier_of(self.world.registry, self.world.content),
        )

    def sweep(self) -> SweepOutcome:
        self.notices = InMemoryNotices()  # what was told a while ago is told again
        return reconcile_registry(
            [HOME], rules=self.rules, hands=hands_of(self.world, self.notices, self.queue, now=self.now)
        )

    def work(self) -> None:
        for job in self.queue.requested:
            self._replicate(job.image)
        self.queue.requested.clear()

    @property
    def replicas(self) -> set[Manifest]:
        return {held for held in self.world.manifests if self.world.registry.holds(ImageRef(REPLICA, held.digest))}

    def verdicts(self) -> list[ImageVerdict]:
        return [notice for notice in self.notices.published if isinstance(notice, ImageVerdict)]


def ref(held: Manifest) -> ImageRef:
    return ImageRef(API, held.digest)


def test_no_image_tag_is_put_when_the_scan_turns_bad_while_the_content_is_copied() -> None:
    """attacks M4."""
    house = House(waiting())
    scan = house.world.scans.scan
    house.world.scans.scan = lambda image: replace(  # type: ignore[method-assign]
        scan(image), findings=(HIGH,) if house.replicas else ()
    )

    (outcome,) = house.replicate()

    assert house.replicas == set(ALL)
    assert house.world.registry.images(REPLICA).holders == {}
    assert "did not pass its scan" in outcome.plan.remarks[-1]
    assert [each for each in house.notices.published if isinstance(each, ImageReplicated)] == []


def test_each_destination_gets_the_verdict_of_its_own_moment() -> None:
    """attacks M4: what is there already needs no copying, and its image tag a fresh verdict all the same."""
    house = House(waiting())
    for held in ALL:
        house.world.content.hold(REPLICA, held)
    scan, reads = house.world.scans.scan, list[ImageRef]()

    def turning(image: ImageRef) -> Scan:
        reads.append(image)
        return replace(scan(image), findings=(HIGH,) if len(reads) > len([AMD64, ARM64]) else ())

    house.world.scans.scan = turning  # type: ignore[method-assign]

    house.replicate()

    assert house.world.registry.images(REPLICA).holders == {}


# ---------------------------------------------------------------- what has no verdict of its own (H2)

GOOD = manifest("good", blobs=[config("good"), blob("layer")])
IN_TOTO = manifest("provenance", blobs=[config("p"), replace(blob("p"), media_type="application/vnd.in-toto+json")])
SIGNATURE = signature()
EVIL = manifest("evil", blobs=[config("evil"), blob("layer of evil")])
SIG = f"sha256-{GOOD.digest.hex}.sig"


def listing(*children: Manifest, nowhere: Manifest) -> Manifest:
    """An index that says of one of its children that it runs nowhere, as BuildKit says of attestations."""
    entries = [replace(nowhere.descriptor, platform="unknown/unknown"), *(child.descriptor for child in children)]
    return replace(manifest("index", children=[nowhere, *children]), children=tuple(entries))


def passed(manifests: list[Manifest], tags: dict[str, Manifest]) -> House:
    """A house whose scanner has scanned the good image alone, without a finding."""
    there = world(manifests, tags)
    there.scans.end(ref(GOOD))
    return House(waiting(), there=there)


def test_what_nobody_can_run_travels_with_what_it_refers_to() -> None:
    index, sbom = listing(GOOD, nowhere=IN_TOTO), sbom_of(GOOD)
    house = passed([IN_TOTO, GOOD, index, sbom, SIGNATURE], {"1.4.2": index, "1.4.3": GOOD, SIG: SIGNATURE})

    for held in (index, GOOD, SIGNATURE):
        house.replicate(held)

    assert house.replicas == {IN_TOTO, GOOD, index, sbom, SIGNATURE}


@pytest.mark.parametrize("tags", [[], ["1.4.4"]], ids=["untagged", "tagged"])
def test_an_image_does_not_travel_with_the_one_that_it_names_as_its_subject(tags: list[str]) -> None:
    evil = replace(EVIL, subject=GOOD.descriptor)
    house = passed([GOOD, evil], {"1.4.2": GOOD, **dict.fromkeys(tags, evil)})

    (outcome,) = house.replicate(GOOD)
    house.replicate(evil)

    assert house.replicas == {GOOD}
    assert f"the referrer {evil.digest} stays behind" in " ".join(outcome.plan.remarks)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "no image tag of the image is to be replicated"),
        ({"image_tags": None}, f"{EVIL.digest} waits for its scan: {EVIL.digest} has never been scanned"),
    ],
    ids=["its tag is none of the allowed", "every tag is allowed"],
)
def test_an_image_does_not_travel_under_the_tag_of_a_signature(changes: dict[str, object], why: str) -> None:
    house = passed([GOOD, EVIL], {"1.4.2": GOOD, SIG: EVIL})
    house.rules = waiting(**changes)

    house.replicate(GOOD)
    (outcome,) = house.replicate(EVIL)

    assert house.replicas == {GOOD}
    assert why in f"{outcome.remark} {outcome.plan.remarks}"


@pytest.mark.parametrize("nowhere", [EVIL, manifest("index of evil", children=[EVIL])], ids=["image", "index"])
def test_an_image_does_not_travel_in_an_index_that_says_that_it_runs_nowhere(nowhere: Manifest) -> None:
    index = listing(GOOD, nowhere=nowhere)
    house = passed([GOOD, EVIL, *([nowhere] if nowhere != EVIL else []), index], {"1.4.2": index})

    (outcome,) = house.replicate(index)

    assert house.replicas == set()
    assert "has no verdict of its own" in str(outcome.error)


# ---------------------------------------------------------------- one copy job


def test_image_is_copied_when_all_its_parts_passed() -> None:
    house = House(waiting())

    (outcome,) = house.replicate()

    assert outcome.applied
    assert house.replicas == set(ALL)
    assert [type(notice) for notice in house.notices.published] == [ImageReplicated]


def test_nothing_is_copied_and_the_reason_is_told_when_a_part_has_a_finding_whoever_asks_for_the_copy() -> None:
    house = House(waiting(), [HIGH])

    (outcome,) = house.replicate()

    assert house.world.registry.calls.changes == []
    assert outcome.plan.remarks == (
        f"{INDEX.digest} did not pass its scan: CVE-2026-12345 (HIGH) in openssl 3.0.13 of {ARM64.digest}",
    )
    assert (outcome.applied, outcome.error) == (False, None)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (ScanStatus.MISSING, "waits for its scan"),
        (ScanStatus.PENDING, "waits for its scan"),
        (ScanStatus.UNSCANNABLE, "did not pass its scan"),
        (ScanStatus.FAILED, "did not pass its scan"),
    ],
)
def test_nothing_is_copied_when_the_scan_of_a_part_has_no_result(status: ScanStatus, said: str) -> None:
    house = House(waiting())
    house.world.scans.end(ref(ARM64), status)

    (outcome,) = house.replicate()

    assert house.world.registry.calls.changes == []
    assert said in outcome.plan.remarks[0]


def test_only_the_destinations_that_wait_for_the_scan_go_without_when_an_image_fails() -> None:
    elsewhere = replace(AT_ONCE, to=(Destination(region="ap-south-2"),))
    house = House(waiting(replicate=(WHEN_PASSED, elsewhere)), [HIGH])

    held_back, copied = house.replicate()

    assert (held_back.applied, copied.applied) == (False, True)
    assert house.replicas == set()
    assert house.world.registry.holds(ImageRef(replace(API, registry=replace(HOME, region="ap-south-2")), INDEX.digest))


def test_no_scan_is_read_when_no_copy_waits_for_it() -> None:
    house = House(waiting(replicate=(AT_ONCE,)), [HIGH])

    house.replicate()

    assert {"scan", "children"}.isdisjoint(house.world.registry.calls.methods)


def test_each_scan_is_read_once_and_once_more_before_the_image_tags_of_each_destination() -> None:
    to = (Destination(region="ap-south-2"), Destination(region=AWAY.region), Destination(repository="release/{name}"))
    house = House(waiting(replicate=(replace(WHEN_PASSED, to=to),)))

    house.replicate()

    assert house.world.registry.calls.methods.count("scan") == len([AMD64, ARM64]) * (1 + len(to))
    assert house.world.registry.calls.methods.count("children") == 1


def test_signature_by_tag_waits_for_the_verdict_of_its_image() -> None:
    signature = manifest("signature")
    there = world([*ALL, signature], {"1.4.2": INDEX, f"sha256-{INDEX.digest.hex}.sig": signature})
    house = House(waiting(), there=there)

    house.replicate(signature)
    assert house.replicas == set()
    there.scans.end(ref(AMD64))
    there.scans.end(ref(ARM64))
    house.replicate(signature)

    assert house.replicas == {signature}


def test_nothing_is_copied_when_the_rule_does_not_say_what_passes() -> None:
    house = House(waiting(scan=None))

    (outcome,) = house.replicate()

    assert house.world.registry.calls.changes == []
    assert "no `scan`" in outcome.plan.remarks[0]


def test_plan_is_empty_and_says_why_when_a_rule_that_observes_would_hold_the_image_back() -> None:
    house = House(waiting(mode=Mode.OBSERVE), [HIGH])

    (outcome,) = house.replicate()

    assert outcome.plan.is_empty
    assert "did not pass its scan" in outcome.plan.remarks[0]


def test_job_comes_back_when_the_scans_cannot_be_read_now() -> None:
    house = House(waiting())
    house.world.registry.calls.fail_before("scan", ThrottledError("slow down"))

    (outcome,) = house.replicate()

    assert isinstance(outcome.error, ThrottledError)
    assert house.replicas == set()


# ---------------------------------------------------------------- the sweep


def test_sweep_publishes_the_fail_and_requests_nothing_when_a_part_has_a_finding() -> None:
    house = House(waiting(), [HIGH])

    found = house.sweep()

    assert [(each.image, each.verdict) for each in house.verdicts()] == [(ref(INDEX), Verdict.FAIL)]
    assert found.requested == 0
    assert [each.assessment.verdict for each in found.outcomes if each.assessment] == [Verdict.FAIL]


def test_sweep_publishes_the_pass_and_requests_the_copy_only_where_one_is_missing() -> None:
    house = House(waiting())

    found = house.sweep()
    assert [each.verdict for each in house.verdicts()] == [Verdict.PASS]
    assert found.requested == 1
    house.work()

    found = house.sweep()
    assert house.replicas == set(ALL)
    assert (found.outcomes, found.requested, house.verdicts()) == ((), 0, [])


def test_sweep_tells_what_waits_without_publishing_it() -> None:
    house = House(waiting(), there=world(ALL, {"1.4.2": INDEX}))

    found = house.sweep()

    assert [each.assessment.verdict for each in found.outcomes if each.assessment] == [Verdict.WAIT]
    assert (house.verdicts(), found.requested) == ([], 0)


@pytest.mark.parametrize(("key", "verdicts"), [("wait", []), ("fail", [Verdict.FAIL] * 3), ("pass", [])])
def test_sweep_says_in_one_line_that_images_wait_when_their_scans_have_expired(
    key: str, verdicts: list[Verdict]
) -> None:
    """aws M10: an expired scan is no notice unless the rule says so."""
    images = [manifest(f"image {number}") for number in range(3)]
    there = world(images, {f"1.0.{number}": held for number, held in enumerate(images)})
    for held in images:
        there.scans.end(ref(held), ScanStatus.EXPIRED, said="SCAN_ELIGIBILITY_EXPIRED")
    house = House(waiting(scan=replace(SCAN_RULES, expired=Verdict(key))), there=there)

    found = house.sweep()

    remarks = [each.remark for each in found.outcomes if each.remark and "expired" in each.remark]
    assert [each.verdict for each in house.verdicts() if each.verdict is Verdict.FAIL] == verdicts
    first = min(held.digest for held in images)
    waiting_ = [f"3 of 3 images wait, such as {first}: their scans have expired"]
    assert remarks == (waiting_ if key == "wait" else [])


def test_sweep_judges_where_no_copy_waits_for_it() -> None:
    house = House(waiting(replicate=(AT_ONCE,)), [HIGH])

    found = house.sweep()

    assert [each.verdict for each in house.verdicts()] == [Verdict.FAIL]
    assert found.requested == 1


def test_waived_image_is_copied_and_a_later_one_is_not_when_the_waiver_has_expired() -> None:
    house = House(replace(waiting(), waivers=(waiver(),)), [HIGH])

    house.sweep()
    house.work()
    assert house.replicas == set(ALL)

    house.time = datetime.combine(LAST_DAY, NOON.time(), NOON.tzinfo)
    house.sweep()
    assert house.verdicts() == []

    house.time += timedelta(days=1)
    house.sweep()
    (verdict,) = house.verdicts()
    assert verdict.verdict is Verdict.FAIL
    assert verdict.reasons[0].endswith("its waiver has expired, its last day was 2026-12-24")
    assert house.replicas == set(ALL)


def test_each_scan_is_read_once_and_all_indexes_together_in_a_sweep() -> None:
    other = manifest("other index", children=[AMD64])
    there = world([*ALL, other], {"1.4.2": INDEX, "1.4.3": other})
    house = House(waiting(), there=there)
    there.scans.end(ref(AMD64))

    house.sweep()

    assert there.registry.calls.methods.count("scan") == 2
    assert there.registry.calls.methods.count("children") == 1


def test_findings_of_a_repository_are_let_go_before_those_of_the_next_one_are_read_in_a_sweep() -> None:
    house = House(waiting(), [HIGH])
    two = ref(AMD64).in_repository(replace(API, name="team-a/zzz"))
    house.world.registry.create_missing(two.repository)
    house.world.registry.push(Image(two, frozenset({image_tag("1.0.0")})))
    house.world.scans.end(two)
    read: dict[ImageRef, ReferenceType[Scan]] = {}
    held: list[ImageRef] = []
    scan = house.world.scans.scan

    def watch(image: ImageRef) -> Scan:
        held.extend(of for of, there in read.items() if there() and of.repository != image.repository)
        fresh = replace(scan(image))
        read[image] = ref_to(fresh)
        return fresh

    house.world.scans.scan = watch  # type: ignore[method-assign]

    house.sweep()

    assert read.keys() == {ref(AMD64), ref(ARM64), two}
    assert held == []


def test_other_images_are_judged_when_the_scan_of_one_cannot_be_read() -> None:
    there = world(ALL, {"1.4.2": AMD64, "1.4.3": ARM64})
    for held in (AMD64, ARM64):
        there.scans.end(ref(held), findings=[HIGH])
    house = House(waiting(), there=there)
    there.registry.calls.fail_before("scan", AccessDeniedError("inspector2:ListFindings is denied"))

    found = house.sweep()

    assert len(house.verdicts()) == 1
    assert any("inspector2:ListFindings is denied" in failure.why for failure in found.failures)


def test_sweep_requests_nothing_and_tells_no_pass_when_the_rule_only_observes() -> None:
    house = House(waiting(mode=Mode.OBSERVE))

    found = house.sweep()

    assert (found.requested, house.verdicts()) == (0, [])
    assert any(not each.plan.is_empty for each in found.outcomes)
