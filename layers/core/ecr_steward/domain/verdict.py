"""The verdict on an image: what its rule and the waivers of the day say about the scans of all that it consists of.

The subject is a top image: one that somebody tagged. An index stands for the images that it leads to, and is as good as
the worst of them. What is not known is never taken for good.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import Digest
from ecr_steward.domain.rules import ScanRules, Unscannable, Waiver
from ecr_steward.domain.scans import Finding, Scan, ScanStatus, Severity, Verdict
from ecr_steward.domain.tagging import attached_to

SENTENCES_LIMIT = 20
"""How many sentences of a kind a notice spells out: an event has a limit, and so has a reader."""
_QUOTED_CHARACTERS = 200


@dataclass(frozen=True)
class Assessment:
    """A verdict with its grounds, one sentence each, in an order that depends on nothing but the facts."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    """Why it is no pass: what fails, or, where nothing fails, what is waited for."""
    waived: tuple[str, ...] = ()
    """What would fail if no waiver tolerated it."""
    remarks: tuple[str, ...] = ()
    """What a reader should know that decided nothing."""


def assess(rule: ScanRules, waivers: Iterable[Waiver], day: date, scans: Iterable[Scan]) -> Assessment:
    """Judge an image from the scans of its parts: of itself, or of all images that an index leads to.

    ``waivers`` are those that cover the repository, ``day`` is today in UTC. A finding below the rule's severity does
    not fail; one without a severity is below all of them, and named in a remark.
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

    def read_status(self, scan: Scan) -> None:
        match scan.status:
            case ScanStatus.COMPLETE:
                pass
            case ScanStatus.MISSING:
                self._waiting.append(f"{scan.digest} has never been scanned{_said(scan)}")
            case ScanStatus.PENDING:
                self._waiting.append(f"the scan of {scan.digest} is under way{_said(scan)}")
            case ScanStatus.UNSCANNABLE:
                self.read_unscannable(f"{scan.digest} cannot be scanned{_said(scan)}")
            case ScanStatus.FAILED:
                self._failing.append(f"the scan of {scan.digest} failed{_said(scan)}")

    def read_unscannable(self, sentence: str) -> None:
        if self._rule.unscannable is Unscannable.PASS:
            self._remarks.append(f"{sentence}; the rule lets it pass")
        else:
            self._failing.append(sentence)

    def read_finding(self, finding: Finding, digests: Sequence[Digest], waivers: Sequence[Waiver], day: date) -> None:
        sentence = _sentence(finding, digests)
        if finding.severity >= self._rule.fail_on:
            holding = [waiver for waiver in waivers if waiver.holds_on(day)]
            if holding:
                self._waived.append(f"{sentence}, waived {_terms(_longest(holding))}")
            elif waivers:
                expired = f"its waiver has expired, its last day was {_longest(waivers).until}"
                self._failing.append(f"{sentence}: {expired}")
            else:
                self._failing.append(sentence)
        elif finding.severity is Severity.UNDEFINED:
            self._remarks.append(f"{sentence}: nobody has said yet how severe it is")

    def assessment(self) -> Assessment:
        waived, remarks = tuple(self._waived), tuple(self._remarks)
        if self._failing:
            return Assessment(Verdict.FAIL, tuple(self._failing), waived, (*self._waiting, *remarks))
        if self._waiting:
            return Assessment(Verdict.PENDING, tuple(self._waiting), waived, remarks)
        return Assessment(Verdict.PASS, (), waived, remarks)


def _findings(parts: Iterable[Scan]) -> Iterator[tuple[Finding, list[Digest]]]:
    """Each finding of the complete scans with the images that have it, the worst first."""
    found: dict[Finding, list[Digest]] = defaultdict(list)
    for scan in parts:
        for finding in set(scan.findings) if scan.status is ScanStatus.COMPLETE else ():
            found[finding].append(scan.digest)
    for finding in sorted(found, key=lambda each: (-each.severity, each.name, each.package or "")):
        yield finding, found[finding]


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
    return f"{_short(finding.name)} ({finding.severity.name}){package} of {digests[0]}{more}"


def _said(scan: Scan) -> str:
    return f": {_short(scan.said)}" if scan.said else ""


def _short(text: str) -> str:
    """Somebody else's words, on one line and no longer than a reader bears."""
    text = " ".join(text.split())
    return text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}..."
