"""Replication backfills: what of a registry was there before ECR replicated it, and when ECR is to copy that, too.

A backfill copies all that the replication configuration has for one destination, a registry. What it was started for
is noted: ECR does not tell.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ecr_steward.domain.asked import Asked
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.registries import WantedReplication
from ecr_steward.domain.repositories import Document

RETRIED: Final = timedelta(days=1)
"""So long after its end a backfill that failed is started again; so long after its start another one follows it."""
TOLD: Final = timedelta(days=1)
"""For so long after its end a sweep that misses images tells of it: until then somebody has been told."""
MOST_UNDER_WAY: Final = 10
"""Backfills of one registry at a time (StartReplicationBackfill API reference)."""
SHOWN: Final = 5
"""How many of the images that failed are named."""
_ENDED: Final = frozenset({"COMPLETE", "FAILED", "STOPPED"})

type Prefixes = frozenset[str]
"""Beginnings of repository names, none of which begins with another; the empty one is every repository."""


@dataclass(frozen=True)
class Backfill:
    """A backfill, as ECR tells of it."""

    id: str
    to: RegistryRef
    status: str
    """``PREPARING``, ``IN_PROGRESS``, ``STOPPING``, ``COMPLETE``, ``FAILED``, ``STOPPED``, or what a newer ECR says."""
    started_at: datetime
    ended_at: datetime | None = None
    total: int | None = None
    """How many images there are to copy, each once for each of its tags; ``None`` while ECR is looking for them."""
    completed: int = 0
    failed: int = 0
    failure_code: str | None = None
    """Why it failed as a whole."""
    failure_codes: tuple[str, ...] = ()
    """Why images failed, each code once."""

    @property
    def is_under_way(self) -> bool:
        """Whether it may still bring images, or keeps another one from being started."""
        return self.status not in _ENDED and self.ended_at is None

    @property
    def has_failed(self) -> bool:
        """Whether it is to be started again: it failed, or at least half of its images did.

        ECR calls no backfill of fewer than 100 images FAILED, even when it brought none of them.
        """
        is_mostly_missing = self.failed > 0 and 2 * self.failed >= (self.total or 0)
        return self.status == "FAILED" or (self.status == "COMPLETE" and is_mostly_missing)

    @property
    def progress(self) -> str:
        """How far it is."""
        if self.total is None:
            return "ECR is looking for the images" if self.is_under_way else "no image"
        return f"{self.completed} of {self.total} images, {self.failed} failed"

    def __str__(self) -> str:
        return f"backfill to {self.to}: {self.progress}"


@dataclass(frozen=True)
class StartedBackfill:
    """What was noted when a backfill was started."""

    id: str
    prefixes: Prefixes
    """Which repositories it was started for."""
    at: datetime
    """By ECR's clock."""


@dataclass(frozen=True)
class FailedImage:
    """An image that a backfill did not bring."""

    repository_name: str
    digest: str
    image_tag: str | None
    failure_code: str | None

    def __str__(self) -> str:
        name = f"{self.repository_name}{f':{self.image_tag}' if self.image_tag else f'@{self.digest}'}"
        return f"{name} ({self.failure_code})" if self.failure_code else name


@dataclass(frozen=True, kw_only=True)
class StartReplicationBackfill(Asked):
    """Have ECR copy to one destination what was there before. Started only where that is configured."""

    registry: RegistryRef
    to: RegistryRef
    prefixes: Prefixes
    """Which repositories the configuration has to lead there."""

    def __str__(self) -> str:
        return f"start a backfill to {self.to}"


@dataclass(frozen=True)
class BackfillFacts:
    """What is known of a registry's backfills."""

    before: Document
    """The replication configuration as it is."""
    after: Document
    """As it is once all that is planned is done."""
    listed: Sequence[Backfill]
    """All that ECR tells of."""
    noted: Mapping[RegistryRef, StartedBackfill] | None
    """What the last one to each destination was started for; ``None`` where nobody keeps notes."""
    now: datetime


@dataclass(frozen=True)
class BackfillPlan:
    """What is to be started, and what there is to tell of those that were."""

    steps: tuple[StartReplicationBackfill, ...] = ()
    remarks: tuple[str, ...] = ()
    failures: tuple[Backfill, ...] = ()
    """Those that did not bring all images, of which somebody has to be told."""


def destinations(wanted: WantedReplication) -> dict[RegistryRef, Prefixes]:
    """Where the rulebook has ECR replicate to, and which repositories."""
    found: dict[RegistryRef, set[str]] = {}
    for rule in wanted.rules:
        for to in rule.destinations:
            found.setdefault(to, set()).update(rule.prefixes or {""})
    return {to: shortest(prefixes) for to, prefixes in sorted(found.items())}


def configured(configuration: Document, to: RegistryRef) -> Prefixes:
    """Which repositories a replication configuration leads to a destination; nothing where it does not.

    A filter of a kind that nobody here knows leads nowhere: what it is for cannot be said.
    """
    found: set[str] = set()
    for rule in configuration.get("rules", []):
        if any(
            (one.get("registryId"), one.get("region")) == (to.account, to.region)
            for one in rule.get("destinations", [])
        ):
            filters = rule.get("repositoryFilters", [])
            found.update(one["filter"] for one in filters if one.get("filterType") == "PREFIX_MATCH")
            found.update(() if filters else {""})
    return shortest(found)


def shortest(prefixes: Iterable[str]) -> Prefixes:
    """The same repositories, without prefixes that begin with another one."""
    kept: list[str] = []
    for prefix in sorted(prefixes):  # one that begins another stands before it
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return frozenset(kept)


def covers(these: Prefixes, those: Prefixes) -> bool:
    """Whether every repository that the others are about is among these."""
    return bool(those) and all(prefix.startswith(tuple(these)) for prefix in those)


def gaps(wanted: WantedReplication, before: Document) -> tuple[RegistryRef, ...]:
    """The destinations for which ECR does not copy all that it should: what is pushed meanwhile stays behind."""
    asked = destinations(wanted)
    return tuple(to for to, prefixes in asked.items() if not covers(configured(before, to), prefixes))


def void_notes(
    wanted: WantedReplication, before: Document, noted: Mapping[RegistryRef, StartedBackfill]
) -> tuple[RegistryRef, ...]:
    """The destinations of which what was noted is void, whatever comes next: ECR does not copy all of that any more.

    A note that only lacks prefixes, since the rulebook asks for more than before, stays true of those it has.
    """
    return tuple(
        to for to in gaps(wanted, before) if to not in noted or not covers(configured(before, to), noted[to].prefixes)
    )


def plan_backfills(rule: str, registry: RegistryRef, wanted: WantedReplication, facts: BackfillFacts) -> BackfillPlan:
    """Plan the backfills that bring what was there before a configuration that is there, or will be.

    Nothing is planned for a region to which one is under way, since ECR takes one at a time. One that failed is started
    again a day later; one that somebody has stopped is not. Whoever takes a destination away again and again, and has
    it put back each time, gets one a day.
    """
    open_gaps = frozenset(gaps(wanted, facts.before))
    steps: list[StartReplicationBackfill] = []
    remarks: list[str] = []
    failures: list[Backfill] = []
    under_way = [one for one in facts.listed if one.is_under_way]
    busy = {one.to.region for one in under_way}
    for to, prefixes in destinations(wanted).items():
        if not covers(configured(facts.after, to), prefixes):
            continue  # the configuration stays as it is, for a reason that its own plan tells
        current = [one for one in under_way if one.to == to]
        remarks += map(str, current)
        last = _last(to, prefixes, facts, is_void=to in open_gaps)
        if last is not None and not last.is_under_way:
            remarks += _remarks(last, facts.now)
            failures += [last] if _is_failure(last, facts.now) else []
        why = _why(to, prefixes, facts, last, is_gap=to in open_gaps)
        if why is None or current:
            continue
        if (recent := _recent(to, prefixes, facts)) is not None:
            remarks.append(
                f"a backfill to {to} waits: the last one was started at {recent.started_at:%Y-%m-%d %H:%M} UTC, and "
                "the next one a day later"
            )
            continue
        if to.region in busy or len(under_way) + len(steps) >= MOST_UNDER_WAY:
            remarks.append(f"a backfill to {to} waits until another one has ended")
            continue
        busy.add(to.region)
        steps.append(StartReplicationBackfill(rule=rule, why=why, registry=registry, to=to, prefixes=prefixes))
    return BackfillPlan(tuple(steps), tuple(remarks), tuple(failures))


def failure_of(backfill: Backfill, images: Sequence[FailedImage]) -> str:
    """What a backfill did not bring, and why, naming some of the images."""
    ended = "failed" if backfill.status == "FAILED" else "ended"
    code = f" ({backfill.failure_code})" if backfill.failure_code else ""
    counted = f"{backfill.failed} of {backfill.total or 0} images failed"
    codes = f" ({', '.join(backfill.failure_codes)})" if backfill.failure_codes else ""
    named = f": {', '.join(map(str, images))}" if images else ""
    more = backfill.failed - len(images)
    others = f" and {more} more" if images and more > 0 else ""
    return f"ECR's backfill {backfill.id} {ended}{code}: {counted}{codes}{named}{others}"


def _last(to: RegistryRef, prefixes: Prefixes, facts: BackfillFacts, *, is_void: bool) -> Backfill | None:
    """The last backfill to a destination that was started for what is configured; ``None`` for none that is known."""
    if is_void:
        return None
    fitting = [one for one in facts.listed if one.to == to]
    if facts.noted is not None:
        note = facts.noted.get(to)
        if note is None or not covers(note.prefixes, prefixes):
            return None
        fitting = [one for one in fitting if one.id == note.id or one.started_at >= note.at]
    return max(fitting, key=lambda one: one.started_at, default=None)


def _recent(to: RegistryRef, prefixes: Prefixes, facts: BackfillFacts) -> Backfill | None:
    """The backfill that the next one has to wait for, though it is over.

    None of another one where nobody keeps notes, which would keep it due, and where the last was for fewer
    repositories: that is the rulebook's doing, once.
    """
    if facts.noted is None:
        return None
    note = facts.noted.get(to)
    if note is not None and not covers(note.prefixes, prefixes):
        return None
    recent = [one for one in facts.listed if one.to == to and facts.now - one.started_at < RETRIED]
    return max(recent, key=lambda one: one.started_at, default=None)


def _why(
    to: RegistryRef, prefixes: Prefixes, facts: BackfillFacts, last: Backfill | None, *, is_gap: bool
) -> str | None:
    """Why a backfill has to be started, or ``None``."""
    if last is not None:
        is_due = last.has_failed and facts.now - (last.ended_at or last.started_at) >= RETRIED
        return f"the one of {last.started_at:%Y-%m-%d %H:%M} UTC failed" if is_due else None
    note = facts.noted.get(to) if facts.noted is not None else None
    if note is None or (is_gap and covers(note.prefixes, prefixes)):
        return "what was there before it was replicated is not there yet"
    if covers(note.prefixes, prefixes):
        return None  # it ended so long ago that ECR does not tell of it any more
    return f"the last one, of {note.at:%Y-%m-%d %H:%M} UTC, was for fewer repositories"


def _is_failure(last: Backfill, now: datetime) -> bool:
    """Whether somebody has to be told: always of one that failed, for a day of some images that did."""
    if last.has_failed:
        return True
    return last.failed > 0 and now - (last.ended_at or last.started_at) <= TOLD


def _remarks(last: Backfill, now: datetime) -> Iterator[str]:
    if last.status == "STOPPED":
        yield f"{last}; somebody has stopped it, so it is not started again: what it did not bring stays behind"
    elif last.failed and not _is_failure(last, now):
        yield f"{last}; push those again, or start another backfill by hand"
