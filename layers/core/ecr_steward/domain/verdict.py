"""The verdict on an image: what its rule and the waivers of the day say about the scans of all that it consists of.

The subject is a top image: one that holds an image tag. An index stands for the images that it leads to, and is as
good as the worst of them. What is not known is never taken for good.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import Digest
from ecr_steward.domain.rules import ScanRules, Waiver
from ecr_steward.domain.scans import Finding, Scan, ScanStatus, Severity, Verdict
from ecr_steward.domain.tagging import attached_to

SENTENCES_LIMIT = 20
"""How many sentences of a kind a notice spells out: an event has a limit, and so has a reader."""
_QUOTED_CHARACTERS = 200
_HAVE_FINDINGS = frozenset({ScanStatus.COMPLETE, ScanStatus.EXPIRED})


@dataclass(frozen=True)
class Assessment:
    """A verdict with its grounds, one sentence each, in an order that depends on nothing but the facts."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    """Why it is no pass: what fails, or, where nothing fails, what is waited for."""
    waived: tuple[str, ...] = ()
    """Findings that would fail if no waiver tolerated them, and suppressed ones that the rule lets pass."""
    remarks: tuple[str, ...] = ()
    """What a reader should know that decided nothing."""
    waits_for_expired: bool = False
    """Whether it waits for expired scans alone, whose end no event announces."""


def assess(rule: ScanRules, waivers: Iterable[Waiver], day: date, scans: Iterable[Scan]) -> Assessment:
    """Judge an image from the scans of its parts: of itself, or of all images that an index leads to.

    ``waivers`` are those that cover the repository, ``day`` is today in UTC. A finding below the rule's severity does
    not fail. For what is not known the rule says what follows: a finding without a severity, or one that is suppressed.
    """
    parts = sorted(scans, key=lambda scan: scan.digest)
    reading = _Reading(rule)
    if not parts:
        reading.read_unscannable("it leads to no image that a scanner could scan")
    for scan in parts:
        reading.read_status(scan)
    given = _by_finding(waivers)
    for finding, digests in _findings(parts):
        reading.read_finding(finding, digests, given.get(finding.name, ()), day)
    return reading.assessment()


def bounded(sentences: Sequence[str]) -> tuple[str, ...]:
    """The first sentences, and how many more there are."""
    more = len(sentences) - SENTENCES_LIMIT
    return tuple(sentences) if more <= 0 else (*sentences[:SENTENCES_LIMIT], f"and {more} more")


def is_top_image(digest: Digest, images: RepositoryImages) -> bool:
    """Whether an image is one to judge: tagged, and attached to no other, be it as a referrer or by its tag's name."""
    return images.subject_of(digest) is None and any(
        attached_to(image_tag, images) is None for image_tag in images.tags_of(digest)
    )


def top_images(images: RepositoryImages) -> list[Digest]:
    """The top images of a repository, sorted."""
    return sorted(digest for digest in set(images.holders.values()) if is_top_image(digest, images))


class _Reading:
    """Gathers sentences by what follows from them."""

    def __init__(self, rule: ScanRules) -> None:
        self._rule = rule
        self._failing: list[str] = []
        self._waiting: list[str] = []
        self._waived: list[str] = []
        self._remarks: list[str] = []
        self._expired: set[str] = set()

    def read_status(self, scan: Scan) -> None:
        rule, said = self._rule, _said(scan)
        match scan.status:
            case ScanStatus.COMPLETE:
                pass
            case ScanStatus.PENDING:
                self._waiting.append(f"the scan of {scan.digest} is under way{said}")
            case ScanStatus.MISSING:
                self._follow(rule.never_scanned, f"{scan.digest} has never been scanned{said}")
            case ScanStatus.UNSCANNABLE:
                self.read_unscannable(f"{scan.digest} cannot be scanned{said}")
            case ScanStatus.FAILED:
                self._follow(rule.scan_failed, f"the scan of {scan.digest} failed{said}")
            case ScanStatus.UNKNOWN:
                self._follow(rule.scan_failed, f"the scan of {scan.digest} is in an unknown state{said}")
            case ScanStatus.EXPIRED:
                sentence = f"{scan.digest} is no longer scanned{said}"
                self._expired.add(sentence)
                self._follow(rule.expired, sentence)
            case ScanStatus.LIMIT_EXCEEDED:
                self._follow(rule.limit_exceeded, f"{scan.digest} is beyond a limit of the scanner{said}")
            case _:
                assert_never(scan.status)

    def read_unscannable(self, sentence: str) -> None:
        self._follow(self._rule.unscannable, sentence)

    def read_finding(self, finding: Finding, digests: Sequence[Digest], waivers: Sequence[Waiver], day: date) -> None:
        """A finding below the rule's severity says nothing; one of an unknown severity is never below it."""
        is_undefined = finding.severity is Severity.UNDEFINED
        if not is_undefined and finding.severity < self._rule.fail_on:
            return
        sentence = _sentence(finding, digests)
        holding = [waiver for waiver in waivers if waiver.holds_on(day)]
        if holding:
            self._waived.append(f"{sentence}, waived {_terms(_longest(holding))}")
            return
        if waivers:
            sentence = f"{sentence}: its waiver has expired, its last day was {_longest(waivers).until}"
        elif is_undefined:
            sentence = f"{sentence}: it has no known severity"
        if finding.is_suppressed and self._rule.suppressed is Verdict.PASS:
            self._waived.append(f"{sentence}; the rule lets it pass")
        elif is_undefined:
            self._follow(self._rule.undefined, sentence)
        elif finding.is_suppressed:
            self._follow(self._rule.suppressed, sentence)
        else:
            self._failing.append(sentence)

    def assessment(self) -> Assessment:
        waived, remarks = tuple(self._waived), tuple(self._remarks)
        if self._failing:
            return Assessment(Verdict.FAIL, tuple(self._failing), waived, (*self._waiting, *remarks))
        if self._waiting:
            return Assessment(
                Verdict.WAIT, tuple(self._waiting), waived, remarks, self._expired.issuperset(self._waiting)
            )
        return Assessment(Verdict.PASS, (), waived, remarks)

    def _follow(self, verdict: Verdict, sentence: str) -> None:
        """Have a verdict of the rule follow from what is not known. Whichever it is, the sentence is kept."""
        match verdict:
            case Verdict.PASS:
                self._remarks.append(f"{sentence}; the rule lets it pass")
            case Verdict.WAIT:
                self._waiting.append(sentence)
            case Verdict.FAIL:
                self._failing.append(sentence)
            case _:
                assert_never(verdict)


def _findings(parts: Iterable[Scan]) -> Iterator[tuple[Finding, list[Digest]]]:
    """Each finding of complete and of expired scans with the images that have it, the worst first.

    What a scan under way answers belongs to the one before it.
    """
    found: dict[Finding, list[Digest]] = defaultdict(list)
    for scan in parts:
        for finding in set(scan.findings) if scan.status in _HAVE_FINDINGS else ():
            found[finding].append(scan.digest)
    for finding in sorted(found, key=_order):
        yield finding, found[finding]


def _order(finding: Finding) -> tuple[int, str, str, str, bool]:
    package, word = finding.package or "", finding.severity_word or ""
    return -finding.severity, finding.name, package, word, finding.is_suppressed


def _by_finding(waivers: Iterable[Waiver]) -> Mapping[str, Sequence[Waiver]]:
    given: dict[str, list[Waiver]] = defaultdict(list)
    for waiver in waivers:
        given[waiver.finding].append(waiver)
    return given


def _longest(waivers: Sequence[Waiver]) -> Waiver:
    return max(waivers, key=lambda waiver: (waiver.until, waiver.reason, waiver.owner or ""))


def _terms(waiver: Waiver) -> str:
    owner = f", says {waiver.owner}" if waiver.owner else ""
    return f"until {waiver.until}: {_short(waiver.reason)}{owner}"


def _sentence(finding: Finding, digests: Sequence[Digest]) -> str:
    package = f" in {_short(finding.package)}" if finding.package else ""
    more = f" and {len(digests) - 1} more" if len(digests) > 1 else ""
    suppressed = ", suppressed in Inspector" if finding.is_suppressed else ""
    return f"{_short(finding.name)} ({_short(finding.severity_text)}{suppressed}){package} of {digests[0]}{more}"


def _said(scan: Scan) -> str:
    return f": {_short(scan.said)}" if scan.said else ""


def _short(text: str) -> str:
    """Words of another system, on one line and cut to what a reader can take in."""
    text = " ".join(text.split())
    return text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}..."
