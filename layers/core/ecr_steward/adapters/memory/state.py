"""Fakes of what the steward remembers: the switch, the brakes, the journal, the releases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Lock

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.brake import MANY, WEEK, Brake, Excess, Hold, Load, Spent, Weight, erosion
from ecr_steward.domain.journal import KEPT, Entry, StepState, entry_of
from ecr_steward.domain.names import ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.pause import Pause
from ecr_steward.domain.plan import Step
from ecr_steward.domain.releases import Release
from ecr_steward.ports.brakes import GRANT_LASTS
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.switch import REMEMBERED_SECONDS


class InMemorySwitch:
    """A ``Switch``. ``elsewhere`` is what somebody else has set, which is noticed when the answer is too old."""

    def __init__(self, now: Clock = noon, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.elsewhere: Pause | None = None
        self._now = now
        self._known: Pause | None = None
        self._read_at: datetime | None = None

    def paused(self) -> Pause | None:
        with self.calls.record("paused"):
            now = self._now()
            if self._read_at is None or now - self._read_at >= timedelta(seconds=REMEMBERED_SECONDS):
                self._known, self._read_at = self.elsewhere, now
            return self._known

    def pause(self, pause: Pause) -> None:
        with self.calls.record("pause", pause):
            self.elsewhere, self._read_at = pause, None

    def resume(self) -> Pause | None:
        with self.calls.record("resume"):
            ended, self.elsewhere, self._read_at = self.elsewhere, None, None
            return ended


class InMemoryBrakes:
    """A ``Brakes``."""

    def __init__(self, now: Clock = noon, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._now = now
        self._lock = Lock()
        self._spent: dict[tuple[str, str], dict[str, Weight]] = {}
        self._weeks: dict[tuple[str, str], tuple[datetime, int, int]] = {}
        """By rule and repository: until when, how many tagged images it began with, and how many went."""
        self._grants: dict[tuple[str, str | None], tuple[int, datetime]] = {}
        self._holds: dict[tuple[str, str], Hold] = {}
        self._held: dict[tuple[str, str], set[str]] = {}
        """By rule and window: what was held."""

    def spend(self, rule: str, window: str, load: Load, brake: Brake) -> Excess | None:
        with self.calls.record("spend", rule, window, load, brake), self._lock:
            excess = self._excess(rule, window, load, brake)
            for place in (load.about, None) if excess else ():
                left, until = self._grants.get((rule, place), (0, self._now()))
                if until > self._now() and left >= load.weight.removals:
                    self._grants[rule, place] = left - load.weight.removals, until
                    return None
            if excess:
                held = self._held.setdefault((rule, window), set())
                held.add(load.about)
                excess = replace(excess, is_wide=excess.is_wide or len(held) >= MANY)
            return excess

    def _excess(self, rule: str, window: str, load: Load, brake: Brake) -> Excess | None:
        if excess := load.by_itself(brake):
            return excess
        until, there, gone = self._weeks.get((rule, load.about), (self._now(), load.tagged_there, 0))
        if until <= self._now():
            until, there, gone = self._now() + WEEK, load.tagged_there, 0
        if load.weight.tagged and (excess := erosion(load, brake, there, gone)):
            return excess
        of_window = self._spent.setdefault((rule, window), {})
        here = of_window.get(load.about, Weight(0))
        together = sum(brake.counted(weight.removals) for weight in of_window.values())
        if excess := load.excess(brake, Spent(here, together)):
            return excess
        of_window[load.about] = _sum(here, load.weight)
        if load.weight.tagged:
            self._weeks[rule, load.about] = until, there, gone + load.weight.tagged
        return None

    def holding(self, rule: str, subject: str) -> Hold | None:
        with self.calls.record("holding", rule, subject):
            return self._holds.get((rule, "")) or self._holds.get((rule, subject))

    def hold(self, hold: Hold) -> Hold:
        with self.calls.record("hold", hold), self._lock:
            return self._holds.setdefault(_place(hold), hold)

    def tell(self, hold: Hold) -> None:
        with self.calls.record("tell", hold):
            if _place(hold) in self._holds:
                self._holds[_place(hold)] = replace(self._holds[_place(hold)], is_told=True)

    def holds(self) -> Iterator[Hold]:
        with self.calls.record("holds"):
            yield from (self._holds[place] for place in sorted(self._holds))

    def release(self, hold: Hold, removals: int) -> bool:
        with self.calls.record("release", hold, removals):
            self._grants[hold.rule, None if hold.is_wide else hold.subject] = removals, self._now() + GRANT_LASTS
            return self._holds.pop(_place(hold), None) is not None


class InMemoryJournal:
    """A ``Journal``."""

    def __init__(self, now: Clock = noon, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._now = now
        self._entries: dict[str, Entry] = {}

    def begin(self, step: Step, who: str) -> str:
        with self.calls.record("begin", step, who):
            at = self._now()
            entry = entry_of(step, f"{at:%Y%m%d-%H%M%S}-{len(self._entries):08x}", at, who)
            self._entries[entry.id] = entry
            return entry.id

    def end(self, entry_id: str, state: StepState) -> None:
        with self.calls.record("end", entry_id, state):
            if entry_id in self._entries:
                self._entries[entry_id] = replace(self._entries[entry_id], state=state)

    def entry(self, entry_id: str) -> Entry | None:
        with self.calls.record("entry", entry_id):
            entry = self._entries.get(entry_id)
            return entry if entry and self._now() < entry.at + KEPT else None

    def entries(self, first: date, last: date) -> Iterator[Entry]:
        with self.calls.record("entries", first, last):
            kept = [each for each in self._entries.values() if self._now() < each.at + KEPT]
            wanted = [entry for entry in kept if first <= entry.at.date() <= last]
            yield from sorted(wanted, key=lambda entry: (entry.at, entry.id), reverse=True)


class InMemoryReleases:
    """A ``Releases``."""

    def __init__(self, now: Clock = noon, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._now = now
        self._given: dict[tuple[ImageRef, ImageTag | None], Release] = {}

    def of(self, repository: RepositoryRef) -> Iterator[Release]:
        with self.calls.record("of", repository):
            alive = [each for each in self._given.values() if each.until > self._now()]
            yield from (release for release in alive if release.image.repository == repository)

    def give(self, release: Release) -> None:
        with self.calls.record("give", release):
            self._given[release.image, release.image_tag] = release

    def end(self, release: Release) -> None:
        with self.calls.record("end_release", release):
            self._given.pop((release.image, release.image_tag), None)


def _place(hold: Hold) -> tuple[str, str]:
    return hold.rule, "" if hold.is_wide else hold.subject


def _sum(one: Weight, other: Weight) -> Weight:
    return Weight(one.removals + other.removals, one.images + other.images, one.tagged + other.tagged)


class InMemoryLeases:
    """A ``Leases``."""

    def __init__(self, now: Clock = noon, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._now = now
        self._lock = Lock()
        self._held: dict[str, tuple[str, datetime]] = {}
        self._given = 0

    def take(self, what: str, seconds: float) -> str | None:
        with self._lock, self.calls.record("take", what, seconds):
            if what in self._held and self._held[what][1] > self._now():
                return None
            self._given += 1
            self._held[what] = f"lease {self._given}", self._now() + timedelta(seconds=int(seconds))
            return self._held[what][0]

    def give_back(self, what: str, lease: str) -> None:
        with self._lock, self.calls.record("give_back", what, lease):
            if what in self._held and self._held[what][0] == lease:
                del self._held[what]
