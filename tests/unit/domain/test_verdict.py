"""The verdict on an image: what fails, what is waited for, what is tolerated, and that nothing unknown ever passes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.names import Digest
from ecr_steward.domain.rules import ScanRules, Waiver
from ecr_steward.domain.scans import Finding, Scan, ScanStatus, Severity, Verdict
from ecr_steward.domain.verdict import SENTENCES_LIMIT, Assessment, assess, bounded, is_top_image, top_images
from tests.given.rules import API, SCAN_RULES, Pattern
from tests.given.worlds import findings, manifest, sbom_of, scans_of, waivers, world

EXAMPLES = settings(max_examples=2 * settings().max_examples, derandomize=True)
TODAY = NOON.date()
AMD64, ARM64 = Digest(f"sha256:{'a' * 64}"), Digest(f"sha256:{'b' * 64}")
HIGH = Finding("CVE-2026-12345", Severity.HIGH, "openssl 3.0.13")
LENIENT = replace(SCAN_RULES, unscannable=Verdict.PASS)


def complete(digest: Digest, *found: Finding) -> Scan:
    return Scan(digest, ScanStatus.COMPLETE, found)


def waiver(until: date = TODAY, reason: str = "not reachable", owner: str | None = "team-a") -> Waiver:
    return Waiver(HIGH.name, (Pattern(".*"),), until, reason, owner)


def judged(*scans: Scan, waivers: Sequence[Waiver] = (), rule: ScanRules = SCAN_RULES) -> Assessment:
    return assess(rule, waivers, TODAY, scans)


def test_image_passes_when_all_its_parts_are_scanned_and_nothing_is_as_severe_as_the_rule_says() -> None:
    medium = replace(HIGH, severity=Severity.MEDIUM)

    assert judged(complete(AMD64), complete(ARM64, medium)) == Assessment(Verdict.PASS)


def test_reason_names_finding_severity_package_and_image_when_an_image_fails() -> None:
    assessment = judged(complete(AMD64), complete(ARM64, HIGH))

    assert assessment == Assessment(Verdict.FAIL, (f"CVE-2026-12345 (HIGH) in openssl 3.0.13 of {ARM64}",))


def test_finding_of_several_parts_is_one_sentence() -> None:
    assert judged(complete(AMD64, HIGH), complete(ARM64, HIGH)).reasons == (
        f"CVE-2026-12345 (HIGH) in openssl 3.0.13 of {AMD64} and 1 more",
    )


def test_worst_finding_comes_first_when_there_are_several() -> None:
    worst = Finding("CVE-2026-99999", Severity.CRITICAL)

    first, second = judged(complete(AMD64, HIGH, worst)).reasons

    assert first == f"CVE-2026-99999 (CRITICAL) of {AMD64}"
    assert "CVE-2026-12345" in second


def test_image_waits_when_a_part_was_never_scanned_or_is_being_scanned() -> None:
    assessment = judged(complete(AMD64), Scan(ARM64, ScanStatus.MISSING))

    assert assessment == Assessment(Verdict.WAIT, (f"{ARM64} has never been scanned",))
    assert judged(Scan(AMD64, ScanStatus.PENDING, said="IN_PROGRESS")).reasons == (
        f"the scan of {AMD64} is under way: IN_PROGRESS",
    )


def test_image_fails_at_once_when_one_part_does_and_another_is_not_scanned_yet() -> None:
    assessment = judged(complete(AMD64, HIGH), Scan(ARM64, ScanStatus.MISSING))

    assert assessment.verdict is Verdict.FAIL
    assert assessment.remarks == (f"{ARM64} has never been scanned",)


def test_image_fails_in_the_scanners_words_when_a_scan_failed() -> None:
    words = "UnsupportedOS:\n  the operating\tsystem is not supported"

    assert judged(Scan(AMD64, ScanStatus.FAILED, said=words)) == Assessment(
        Verdict.FAIL, (f"the scan of {AMD64} failed: UnsupportedOS: the operating system is not supported",)
    )


def test_unscannable_part_fails_unless_the_rule_lets_it_pass() -> None:
    scan = Scan(AMD64, ScanStatus.UNSCANNABLE, said="UNSUPPORTED_IMAGE")

    assert judged(scan) == Assessment(Verdict.FAIL, (f"{AMD64} cannot be scanned: UNSUPPORTED_IMAGE",))
    assert judged(scan, rule=LENIENT) == Assessment(
        Verdict.PASS, remarks=(f"{AMD64} cannot be scanned: UNSUPPORTED_IMAGE; the rule lets it pass",)
    )


def test_image_of_no_part_that_could_be_scanned_is_judged_as_unscannable() -> None:
    assert judged().verdict is Verdict.FAIL
    assert judged(rule=LENIENT).verdict is Verdict.PASS


@pytest.mark.parametrize("word", [None, "UNTRIAGED", "SEVERE_AS_OF_NEXT_YEAR"])
def test_finding_of_no_known_severity_follows_the_rule_and_is_named_in_the_scanners_word(word: str | None) -> None:
    """attacks M1."""
    scan = complete(AMD64, replace(HIGH, severity=Severity.UNDEFINED, severity_word=word))
    sentence = f"CVE-2026-12345 ({word or 'UNDEFINED'}) in openssl 3.0.13 of {AMD64}: it has no known severity"

    assert judged(scan) == Assessment(Verdict.FAIL, (sentence,))
    assert judged(scan, rule=replace(SCAN_RULES, undefined=Verdict.WAIT)) == Assessment(Verdict.WAIT, (sentence,))
    assert judged(scan, rule=replace(SCAN_RULES, undefined=Verdict.PASS)) == Assessment(
        Verdict.PASS, remarks=(f"{sentence}; the rule lets it pass",)
    )


def test_suppressed_finding_follows_the_rule_and_is_named_among_the_waived_when_it_passes() -> None:
    """attacks M2."""
    scan = complete(AMD64, replace(HIGH, is_suppressed=True))
    sentence = f"CVE-2026-12345 (HIGH, suppressed in Inspector) in openssl 3.0.13 of {AMD64}"

    assert judged(scan) == Assessment(Verdict.FAIL, (sentence,))
    assert judged(scan, rule=replace(SCAN_RULES, suppressed=Verdict.WAIT)) == Assessment(Verdict.WAIT, (sentence,))
    assert judged(scan, rule=replace(SCAN_RULES, suppressed=Verdict.PASS)) == Assessment(
        Verdict.PASS, waived=(f"{sentence}; the rule lets it pass",)
    )
    assert judged(scan, waivers=[waiver()]).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("status", "key", "usual", "sentence"),
    [
        (ScanStatus.MISSING, "never_scanned", Verdict.WAIT, f"{AMD64} has never been scanned"),
        (ScanStatus.FAILED, "scan_failed", Verdict.FAIL, f"the scan of {AMD64} failed"),
        (ScanStatus.UNKNOWN, "scan_failed", Verdict.FAIL, f"the scan of {AMD64} is in an unknown state"),
        (ScanStatus.UNSCANNABLE, "unscannable", Verdict.FAIL, f"{AMD64} cannot be scanned"),
        (ScanStatus.EXPIRED, "expired", Verdict.WAIT, f"{AMD64} is no longer scanned"),
        (ScanStatus.LIMIT_EXCEEDED, "limit_exceeded", Verdict.FAIL, f"{AMD64} is beyond a limit of the scanner"),
    ],
)
def test_status_without_findings_follows_its_key_and_is_named_in_ecrs_word(
    status: ScanStatus, key: str, usual: Verdict, sentence: str
) -> None:
    """attacks M1, aws M10."""
    scan = Scan(AMD64, status, said="ITS_WORD")

    assert judged(scan).verdict is usual
    for verdict in Verdict:
        assessment = judged(scan, rule=replace(SCAN_RULES, **{key: verdict}))
        assert assessment.verdict is verdict
        assert f"{sentence}: ITS_WORD" in " ".join((*assessment.reasons, *assessment.remarks))


def test_finding_of_an_expired_scan_still_fails() -> None:
    """aws M10."""
    scan = Scan(AMD64, ScanStatus.EXPIRED, (HIGH,))

    assert judged(scan, rule=replace(SCAN_RULES, expired=Verdict.PASS)).verdict is Verdict.FAIL


def test_waived_finding_does_not_fail_and_says_until_when_why_and_by_whom() -> None:
    assert judged(complete(AMD64, HIGH), waivers=[waiver()]) == Assessment(
        Verdict.PASS,
        waived=(
            f"CVE-2026-12345 (HIGH) in openssl 3.0.13 of {AMD64}, waived until 2026-11-24: not reachable, says team-a",
        ),
    )


def test_finding_fails_again_and_says_since_when_when_its_waiver_has_expired() -> None:
    assert judged(complete(AMD64, HIGH), waivers=[waiver(TODAY - timedelta(days=1))]) == Assessment(
        Verdict.FAIL,
        (f"CVE-2026-12345 (HIGH) in openssl 3.0.13 of {AMD64}: its waiver has expired, its last day was 2026-11-23",),
    )


def test_waiver_that_holds_wins_when_another_has_expired() -> None:
    given_ = [waiver(TODAY - timedelta(days=1)), waiver(TODAY + timedelta(days=1), owner=None)]

    assessment = judged(complete(AMD64, HIGH), waivers=given_)

    assert assessment.verdict is Verdict.PASS
    assert assessment.waived[0].endswith("waived until 2026-11-25: not reachable")


def test_words_of_others_are_cut_when_they_are_endless() -> None:
    endless = Finding("CVE-" + "1" * 10_000, Severity.HIGH, "p" * 10_000)

    assert all(len(reason) < 600 for reason in judged(complete(AMD64, endless)).reasons)


@pytest.mark.parametrize(("count", "told"), [(SENTENCES_LIMIT, SENTENCES_LIMIT), (SENTENCES_LIMIT + 1, 21)])
def test_notice_spells_out_twenty_sentences_and_counts_the_rest(count: int, told: int) -> None:
    sentences = bounded([f"sentence {number}" for number in range(count)])

    assert len(sentences) == told
    assert ("and 1 more" in sentences) is (told > SENTENCES_LIMIT)


def test_top_images_are_those_with_a_tag_of_their_own() -> None:
    image, untagged, signature = manifest("image"), manifest("untagged"), manifest("signature")
    sbom = sbom_of(image)
    tags = {"1.4.2": image, f"sha256-{image.digest.hex}.sig": signature, "sbom": sbom}
    images = world([image, untagged, signature, sbom], tags).registry.images(API)

    assert top_images(images) == [image.digest]
    assert not is_top_image(untagged.digest, images)


# ---------------------------------------------------------------- whatever the scans, findings and waivers

DIGESTS = [Digest(f"sha256:{digit * 64}") for digit in "abc"]
VERDICTS = st.sampled_from(Verdict)
RULES = st.builds(ScanRules, st.sampled_from([*Severity][1:]), *[VERDICTS] * 7)
NO_PASSES = st.sampled_from([Verdict.FAIL, Verdict.WAIT])
SAFE_RULES = st.builds(ScanRules, st.sampled_from([*Severity][1:]), *[NO_PASSES] * 7)
SCANS = st.lists(st.sampled_from(DIGESTS), min_size=1, unique=True).flatmap(
    lambda digests: st.tuples(*map(scans_of, digests))
)
WAIVERS = st.lists(waivers(), max_size=5)
BETTER = {Verdict.FAIL: 0, Verdict.WAIT: 1, Verdict.PASS: 2}


class TestWhateverTheFacts:
    @EXAMPLES
    @given(SAFE_RULES, WAIVERS, SCANS)
    def test_nothing_passes_of_which_something_is_unknown_when_the_rule_lets_nothing_of_that_pass(
        self, rule: ScanRules, given_: list[Waiver], scans: tuple[Scan, ...]
    ) -> None:
        """attacks M1, M2; aws M10."""
        waived = {waiver.finding for waiver in given_ if waiver.holds_on(TODAY)}
        unknown = any(
            scan.status is not ScanStatus.COMPLETE
            or any(each.severity is Severity.UNDEFINED and each.name not in waived for each in scan.findings)
            for scan in scans
        )

        assert not (unknown and assess(rule, given_, TODAY, scans).verdict is Verdict.PASS)

    @EXAMPLES
    @given(RULES, WAIVERS, SCANS)
    def test_everything_unknown_is_named_whatever_the_rule_makes_of_it(
        self, rule: ScanRules, given_: list[Waiver], scans: tuple[Scan, ...]
    ) -> None:
        """attacks M2."""
        assessment = assess(rule, given_, TODAY, scans)

        said = " ".join((*assessment.reasons, *assessment.waived, *assessment.remarks))
        assert all(str(scan.digest) in said for scan in scans if scan.status is not ScanStatus.COMPLETE)

    @EXAMPLES
    @given(RULES, WAIVERS, SCANS, findings())
    def test_no_verdict_becomes_better_when_a_finding_is_added(
        self, rule: ScanRules, given_: list[Waiver], scans: tuple[Scan, ...], finding: Finding
    ) -> None:
        first, *rest = scans
        worse = (replace(first, findings=(*first.findings, finding)), *rest)

        before, after = assess(rule, given_, TODAY, scans), assess(rule, given_, TODAY, worse)

        assert BETTER[after.verdict] <= BETTER[before.verdict]

    @pytest.mark.slow
    @EXAMPLES
    @given(RULES, WAIVERS, SCANS, waivers())
    def test_no_verdict_becomes_worse_when_a_waiver_is_added(
        self, rule: ScanRules, given_: list[Waiver], scans: tuple[Scan, ...], more: Waiver
    ) -> None:
        before = assess(rule, given_, TODAY, scans)

        assert BETTER[assess(rule, [*given_, more], TODAY, scans).verdict] >= BETTER[before.verdict]

    @pytest.mark.slow
    @EXAMPLES
    @given(RULES, WAIVERS, SCANS, st.randoms(use_true_random=False))
    def test_text_is_the_same_in_whatever_order_the_facts_come(
        self, rule: ScanRules, given_: list[Waiver], scans: tuple[Scan, ...], random: object
    ) -> None:
        shuffled = [replace(scan, findings=tuple(reversed(scan.findings))) for scan in scans]
        random.shuffle(shuffled)  # type: ignore[attr-defined]

        assert assess(rule, given_, TODAY, scans) == assess(rule, [*reversed(given_)], TODAY, shuffled)

    @pytest.mark.slow
    @EXAMPLES
    @given(RULES, WAIVERS, SCANS)
    def test_every_verdict_but_a_pass_has_a_reason(
        self, rule: ScanRules, given_: list[Waiver], scans: tuple[Scan, ...]
    ) -> None:
        assessment = assess(rule, given_, TODAY, scans)

        assert bool(assessment.reasons) is (assessment.verdict is not Verdict.PASS)

    @EXAMPLES
    @given(RULES, WAIVERS, SCANS)
    def test_no_finding_of_a_complete_scan_is_lost_that_is_severe_or_without_severity(
        self, rule: ScanRules, given_: list[Waiver], scans: tuple[Scan, ...]
    ) -> None:
        assessment = assess(rule, given_, TODAY, scans)

        said = " ".join((*assessment.reasons, *assessment.waived, *assessment.remarks))
        for scan in scans:
            for finding in scan.findings if scan.status is ScanStatus.COMPLETE else ():
                if finding.severity >= rule.fail_on or finding.severity is Severity.UNDEFINED:
                    assert f"{finding.name} ({finding.severity_text}" in said
