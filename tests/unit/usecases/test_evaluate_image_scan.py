from collections.abc import Sequence
from dataclasses import replace

import pytest

from ecr_steward.adapters.memory import InMemoryNotices
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.images import DEPTH_LIMIT, Descriptor, Manifest
from ecr_steward.domain.names import ImageRef
from ecr_steward.domain.notices import ImageVerdict
from ecr_steward.domain.observations import ScanEnded
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.rules import Mode, Rules, Waiver
from ecr_steward.domain.scans import Finding, ScanStatus, Severity, Verdict
from ecr_steward.errors import AccountNotConnectedError, InvalidManifestError, RepositoryNotFoundError, ThrottledError
from ecr_steward.usecases.evaluate_image_scan import ScanBatch
from tests.given.rules import API, SCAN_RULES, Pattern, rulebook
from tests.given.worlds import World, manifest, sbom_of, world

AMD64, ARM64 = manifest("amd64"), manifest("arm64")
INDEX = manifest("index", children=[AMD64, ARM64])
ALL = [AMD64, ARM64, INDEX]
HIGH = Finding("CVE-2026-12345", Severity.HIGH, "openssl 3.0.13")


class House:
    """A world, what is published in it, and batches of messages about its images."""

    def __init__(self, world: World, rules: Rules | None = None) -> None:
        self.world, self.notices = world, InMemoryNotices(world.registry.calls)
        self.rules = rules or rulebook(scan=SCAN_RULES)

    def new_batch(self) -> ScanBatch:
        return ScanBatch(
            rules=self.rules,
            registry=self.world.registry,
            scans=self.world.scans,
            notices=self.notices,
            now=noon,
        )

    def batch(self, *scanned: Manifest) -> list[tuple[Outcome, ...]]:
        """The outcomes of each message of a batch."""
        batch = self.new_batch()
        return [batch.evaluate((ScanEnded(ref(each)),)) for each in scanned]

    def evaluate(self, scanned: Manifest) -> Outcome:
        """The one outcome of one message."""
        ((outcome,),) = self.batch(scanned)
        return outcome

    def verdicts(self) -> list[tuple[ImageRef, Verdict]]:
        """What was published."""
        return [(each.image, each.verdict) for each in self.notices.published if isinstance(each, ImageVerdict)]

    def calls(self, method: str) -> int:
        return self.world.registry.calls.methods.count(method)


def ref(held: Manifest) -> ImageRef:
    return ImageRef(API, held.digest)


def scanned(manifests: Sequence[Manifest], tags: dict[str, Manifest], *failing: Manifest) -> World:
    """A world in which everything that can be is scanned, with a HIGH finding in some."""
    there = world(manifests, tags)
    for held in manifests:
        if not held.is_index:
            there.scans.end(ref(held), findings=[HIGH] if held in failing else [])
    return there


def test_one_verdict_is_published_for_the_index_when_a_child_was_scanned() -> None:
    house = House(scanned(ALL, {"1.4.2": INDEX}))

    outcome = house.evaluate(AMD64)

    assert outcome.subject == str(ref(INDEX))
    assert outcome.assessment is not None
    assert house.notices.published == [ImageVerdict("services", ref(INDEX), Verdict.PASS, (), ())]


def test_verdict_is_a_fail_with_its_reason_when_one_child_has_a_finding() -> None:
    house = House(scanned(ALL, {"1.4.2": INDEX}, ARM64))

    house.evaluate(AMD64)

    (notice,) = house.notices.published
    assert isinstance(notice, ImageVerdict)
    assert notice.verdict is Verdict.FAIL
    assert notice.reasons == (f"CVE-2026-12345 (HIGH) in openssl 3.0.13 of {ARM64.digest}",)


def test_an_image_is_evaluated_once_when_a_batch_is_about_all_its_children() -> None:
    house = House(scanned(ALL, {"1.4.2": INDEX}))

    (first,), (second,), (third,) = house.batch(AMD64, ARM64, AMD64)

    assert (house.calls("images"), house.calls("children"), house.calls("scan"), house.calls("publish")) == (1, 1, 2, 1)
    assert first.assessment is not None
    assert (second.subject, second.remark) == (first.subject, "judged already, with another message of this batch")
    assert second.assessment is third.assessment is None


def test_every_tagged_image_gets_a_verdict_when_several_consist_of_the_scanned_one() -> None:
    other, outer = manifest("other index", children=[AMD64]), manifest("outer", children=[INDEX])
    tags = {"1.4.2": INDEX, "1.4.2-amd64": AMD64, "2.0.0": other, "outer": outer}
    house = House(scanned([*ALL, other, outer], tags, ARM64))

    house.batch(AMD64)

    assert dict(house.verdicts()) == {
        ref(INDEX): Verdict.FAIL,
        ref(AMD64): Verdict.PASS,
        ref(other): Verdict.PASS,
        ref(outer): Verdict.FAIL,
    }


def test_tagged_index_is_found_through_an_untagged_one_in_between() -> None:
    outer = manifest("outer", children=[INDEX])
    house = House(scanned([*ALL, outer], {"1.4.2": outer}))

    assert house.evaluate(ARM64).subject == str(ref(outer))


def test_nothing_is_published_while_a_child_was_never_scanned() -> None:
    there = world(ALL, {"1.4.2": INDEX})
    there.scans.end(ref(AMD64))
    house = House(there)

    outcome = house.evaluate(AMD64)

    assert outcome.assessment is not None
    assert outcome.assessment.verdict is Verdict.WAIT
    assert outcome.assessment.reasons == (f"{ARM64.digest} has never been scanned",)
    assert house.notices.published == []


@pytest.mark.parametrize(
    ("status", "unscannable", "verdict"),
    [
        (ScanStatus.UNSCANNABLE, Verdict.FAIL, Verdict.FAIL),
        (ScanStatus.UNSCANNABLE, Verdict.PASS, Verdict.PASS),
        (ScanStatus.FAILED, Verdict.PASS, Verdict.FAIL),
    ],
)
def test_verdict_follows_the_rule_when_a_child_was_refused_or_its_scan_failed(
    status: ScanStatus, unscannable: Verdict, verdict: Verdict
) -> None:
    there = scanned(ALL, {"1.4.2": INDEX})
    there.scans.end(ref(ARM64), status, said="in its own words")
    house = House(there, rulebook(scan=replace(SCAN_RULES, unscannable=unscannable)))

    outcome = house.evaluate(ARM64)

    assert house.verdicts() == [(ref(INDEX), verdict)]
    assert outcome.assessment is not None
    assert "in its own words" in " ".join((*outcome.assessment.reasons, *outcome.assessment.remarks))


def test_attestation_is_no_image_to_wait_for() -> None:
    attestation = manifest("attestation")
    index = manifest("index", children=[AMD64, attestation])
    there = world([AMD64, attestation, index], {"1.4.2": index})
    there.scans.end(ref(AMD64))
    nowhere = Descriptor(attestation.descriptor.media_type, attestation.digest, 1, "unknown/unknown")
    there.registry.hold_children(ref(index), (AMD64.descriptor, nowhere))
    house = House(there)

    house.evaluate(AMD64)

    assert house.verdicts() == [(ref(index), Verdict.PASS)]


def test_verdict_is_pending_when_a_child_has_gone() -> None:
    there = scanned(ALL, {"1.4.2": INDEX})
    there.registry.delete(ref(ARM64))
    house = House(there)

    outcome = house.evaluate(AMD64)

    assert outcome.assessment is not None
    assert outcome.assessment.reasons == (f"{ARM64.digest} has never been scanned: the image is not there",)


@pytest.mark.parametrize(("repositories", "verdict"), [("team-a/.*", Verdict.PASS), ("team-b/.*", Verdict.FAIL)])
def test_waiver_counts_in_its_own_repositories_only(repositories: str, verdict: Verdict) -> None:
    waiver = Waiver(HIGH.name, (Pattern(repositories),), noon().date(), "not reachable")
    house = House(scanned(ALL, {"1.4.2": INDEX}, AMD64), rulebook(waivers=[waiver], scan=SCAN_RULES))

    house.evaluate(AMD64)

    assert house.verdicts() == [(ref(INDEX), verdict)]


@pytest.mark.parametrize(
    ("rules", "remark"),
    [
        (Rules(()), "no rule covers this repository"),
        (rulebook(), "its rules do not speak of scans"),
    ],
)
def test_outcome_says_why_nothing_is_judged_when_no_rule_speaks_of_it(rules: Rules, remark: str) -> None:
    house = House(scanned(ALL, {"1.4.2": INDEX}), rules)

    assert house.evaluate(AMD64).remark == remark
    assert house.world.registry.calls.entries == []


def test_outcome_says_that_image_or_repository_are_gone() -> None:
    there = scanned(ALL, {"1.4.2": INDEX})
    house = House(there)
    there.registry.delete(ref(AMD64))

    assert house.evaluate(AMD64).remark == "the image is gone"
    there.registry.calls.fail_before("images", RepositoryNotFoundError("gone"))
    assert house.evaluate(ARM64).remark == "the repository is gone"


def test_there_is_nothing_to_judge_when_no_tagged_image_consists_of_the_scanned_one() -> None:
    sbom = sbom_of(INDEX)
    signature = manifest("signature")
    tags = {"sbom": sbom, f"sha256-{INDEX.digest.hex}.sig": signature}
    house = House(scanned([*ALL, sbom, signature], tags))

    for held in (AMD64, sbom, signature):
        assert house.evaluate(held).remark == "no tagged image consists of it: there is nothing to judge yet"


def test_there_is_nothing_to_do_when_an_event_is_about_no_image() -> None:
    there = scanned(ALL, {"1.4.2": INDEX})
    house = House(there)

    (outcome,) = ScanBatch(
        rules=house.rules, registry=there.registry, scans=there.scans, notices=house.notices, now=noon
    ).evaluate(())

    assert outcome.remark == "it is about no image of ECR: nothing to do"


def test_verdict_is_published_when_the_rule_only_observes_since_it_changes_nothing() -> None:
    house = House(scanned(ALL, {"1.4.2": INDEX}), rulebook(scan=SCAN_RULES, mode=Mode.OBSERVE))

    house.evaluate(AMD64)

    assert house.verdicts() == [(ref(INDEX), Verdict.PASS)]


# ---------------------------------------------------------------- what fails


def test_both_messages_come_back_when_the_image_they_share_could_not_be_judged() -> None:
    house = House(scanned(ALL, {"1.4.2": INDEX}))
    house.world.registry.calls.fail_before("scan", ThrottledError("slow down"))

    (first,), (second,) = house.batch(AMD64, ARM64)

    assert isinstance(first.error, ThrottledError)
    assert first.error.rule == "services"
    assert second.error is first.error


def test_repository_that_does_not_answer_is_asked_once_when_a_whole_batch_is_about_it() -> None:
    house = House(scanned(ALL, {"1.4.2": INDEX}))
    house.world.registry.calls.close(API.registry.account, ThrottledError("slow down"))
    batch = house.new_batch()

    for each in (AMD64, ARM64, INDEX):
        with pytest.raises(ThrottledError):
            batch.evaluate((ScanEnded(ref(each)),))

    assert house.calls("images") == 1


def test_another_image_is_judged_when_one_index_cannot_be_read() -> None:
    bad = manifest("bad index", children=[AMD64])
    there = scanned([*ALL, bad], {"1.4.2": INDEX, "bad": bad})
    there.registry.hold_children(ref(bad), InvalidManifestError("it has layers, too"))
    house = House(there)

    house.batch(AMD64)

    assert house.verdicts() == [(ref(INDEX), Verdict.PASS)]


def test_error_is_the_outcome_when_the_scanned_image_itself_is_an_index_that_cannot_be_read() -> None:
    bad = manifest("bad index", children=[AMD64])
    there = scanned([AMD64, bad], {"bad": bad})
    there.registry.hold_children(ref(bad), InvalidManifestError("it has layers, too"))

    assert isinstance(House(there).evaluate(bad).error, InvalidManifestError)


def test_message_comes_back_when_an_index_cannot_be_read_now_that_may_hold_the_image() -> None:
    there = scanned(ALL, {"1.4.2": INDEX})
    there.registry.hold_children(ref(INDEX), ThrottledError("slow down"))

    with pytest.raises(ThrottledError):
        House(there).evaluate(AMD64)


def test_verdict_is_published_by_the_next_message_when_the_bus_failed() -> None:
    house = House(scanned(ALL, {"1.4.2": INDEX}))
    house.world.registry.calls.fail_before("publish", ThrottledError("slow down"))

    assert isinstance(house.evaluate(AMD64).error, ThrottledError)
    assert house.evaluate(AMD64).error is None
    assert len(house.notices.published) == 1


@pytest.mark.parametrize(("depth", "error"), [(DEPTH_LIMIT, type(None)), (DEPTH_LIMIT + 1, InvalidManifestError)])
def test_index_is_refused_when_it_is_deeper_than_any_image_needs(depth: int, error: type) -> None:
    nested = [AMD64]
    for level in range(depth):
        nested.append(manifest(f"level {level}", children=nested[-1:]))
    house = House(scanned(nested, {"1.4.2": nested[-1], "inner": nested[4]}))

    ((*_, outermost),) = house.batch(nested[-1])

    assert isinstance(outermost.error, error)


def test_an_event_of_an_account_that_is_not_connected_is_remarked_and_fails_nothing() -> None:
    """aws M11"""
    image = manifest("image")
    there = world([image], {"1.4.2": image})
    there.registry.calls.fail_before("images", AccountNotConnectedError("account 222233334444 is not connected"))

    outcome = House(there).evaluate(image)

    assert (outcome.remark, outcome.error) == ("account 222233334444 is not connected", None)
