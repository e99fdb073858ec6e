"""Fakes of what the steward remembers: the switch, the brakes, the journal, the releases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Lock

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.brake import Brake, Hold, Load, Weight
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
        self._spent: dict[tuple[str, str], Weight] = {}
        self._of_repositories: dict[tuple[str, str, RepositoryRef], Weight] = {}
        self._grants: dict[str, tuple[int, datetime]] = {}
        self._holds: dict[str, Hold] = {}

    def spend(self, rule: str, window: str, load: Load, brake: Brake) -> str | None:
        with self.calls.record("spend", rule, window, load, brake), self._lock:
            together = self._spent.get((rule, window), Weight(0))
            here = (
                self._of_repositories.get((rule, window, load.repository), Weight(0)) if load.repository else together
            )
            spent = Weight(together.removals, here.images, here.tagged)
            why = load.excess(brake, spent)
            if why is None:
                self._spent[rule, window] = _sum(together, load.weight)
                if load.repository:
                    self._of_repositories[rule, window, load.repository] = _sum(here, load.weight)
                return None
            left, until = self._grants.get(rule, (0, self._now()))
            if until > self._now() and left >= load.weight.removals:
                self._grants[rule] = left - load.weight.removals, until
                return None
            return why

    def holding(self, rule: str) -> Hold | None:
        with self.calls.record("holding", rule):
            return self._holds.get(rule)

    def hold(self, hold: Hold) -> Hold:
        with self.calls.record("hold", hold), self._lock:
            return self._holds.setdefault(hold.rule, hold)

    def tell(self, rule: str) -> None:
        with self.calls.record("tell", rule):
            if rule in self._holds:
                self._holds[rule] = replace(self._holds[rule], is_told=True)

    def holds(self) -> Iterator[Hold]:
        with self.calls.record("holds"):
            yield from (self._holds[rule] for rule in sorted(self._holds))

    def release(self, rule: str, removals: int) -> Hold | None:
        with self.calls.record("release", rule, removals):
            self._grants[rule] = removals, self._now() + GRANT_LASTS
            return self._holds.pop(rule, None)


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
