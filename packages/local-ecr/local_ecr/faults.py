"""Faults of delivery, on request: events that are lost, doubled, late or out of order, as EventBridge may do it.

ECR's events are best effort ("in some rare cases an event might not be delivered"), a rule may be triggered more than
once by one event, and no order is promised (EventBridge user guide, "Service event delivery levels"). Nothing goes
wrong here unless it was asked for, and then the same way every time: by a seed.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

Deliver = Callable[[str, str, dict[str, Any]], None]
"""Account, region and event; never raises."""

Kind = Literal["drop", "double", "delay", "reorder"]

MAX_DONE = 10_000
MAX_WINDOW = 1_000

EXAMPLE = {"kind": "drop", "next": 2, "detail_type": "ECR Image Action", "repository": "team/app"}


class FaultError(ValueError):
    """No fault that there is; its text says what is wrong."""


@dataclass(frozen=True)
class Fault:
    """What happens to which events. An event meets the first fault that is for it, and no other."""

    kind: Kind
    """`drop`: it is lost. `double`: the same event comes twice. `delay`: it comes later. `reorder`: see `window`."""
    share: float = 1.0
    """How many of the events that it is for, from above 0 to 1."""
    next: int | None = None
    """For how many events it stands; None: until it is cleared."""
    detail_type: str | None = None
    """Only for events of this type; None: of any."""
    repository: str | None = None
    """Only for events of the repository of this name; None: of any, or of none."""
    seconds: float | None = None
    """Of a delay, by the clock of the registries; None: until `release`."""
    window: int | None = None
    """Of `reorder`: so many events are held, then delivered in another order than they came in."""

    def __post_init__(self) -> None:
        """Raises FaultError."""
        if self.kind not in get_args(Kind):
            raise FaultError(f"kind is one of {', '.join(get_args(Kind))}, not {self.kind!r}")
        if not _is_number(self.share) or not 0 < self.share <= 1:
            raise FaultError(f"share is a number above 0 and at most 1, not {self.share!r}")
        if self.next is not None and not (_is_whole(self.next) and self.next > 0):
            raise FaultError(f"next is a number of events, at least 1, not {self.next!r}")
        for name in ("detail_type", "repository"):
            text = getattr(self, name)
            if text is not None and not (isinstance(text, str) and text):
                raise FaultError(f"{name} is a text, not {text!r}")
        self._check_seconds()
        self._check_window()

    def _check_seconds(self) -> None:
        if self.seconds is None:
            return
        if self.kind != "delay":
            raise FaultError(f"seconds is for delay; a {self.kind} has none")
        try:
            timedelta(seconds=self.seconds)
        except (TypeError, ValueError, OverflowError) as cause:
            raise FaultError(f"seconds is how long a delay is, not {self.seconds!r}") from cause
        if isinstance(self.seconds, bool) or self.seconds <= 0:
            raise FaultError(f"seconds is above 0, not {self.seconds!r}; without it, an event waits for its release")

    def _check_window(self) -> None:
        if self.kind == "reorder":
            if not _is_whole(self.window) or not 2 <= (self.window or 0) <= MAX_WINDOW:
                raise FaultError(f"reorder has a window of 2 to {MAX_WINDOW} events, not {self.window!r}")
        elif self.window is not None:
            raise FaultError(f"window is for reorder; a {self.kind} has none")

    def is_for(self, event: Mapping[str, Any]) -> bool:
        if self.detail_type is not None and event["detail-type"] != self.detail_type:
            return False
        return self.repository is None or self.repository in repositories_of(event)


@dataclass(frozen=True)
class Done:
    """What a fault did to an event."""

    kind: Kind
    time: datetime
    """By the clock of the registries."""
    account: str
    region: str
    event: Mapping[str, Any]


@dataclass(frozen=True)
class _Sent:
    account: str
    region: str
    event: dict[str, Any]


@dataclass(frozen=True)
class _Late:
    due: datetime | None
    sent: _Sent


@dataclass
class _Standing:
    """A fault in force, and what it has of its own."""

    fault: Fault
    dice: random.Random
    left: int | None
    window: list[_Sent] = field(default_factory=list)

    def fires(self) -> bool:
        """Throw the dice for an event that the fault is for; it counts only when it falls."""
        if self.left == 0 or self.dice.random() >= self.fault.share:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """Stands between the registries and whoever receives their events. Safe to use from any thread."""

    def __init__(self, deliver: Deliver, clock: Callable[[], datetime]) -> None:
        self._deliver = deliver
        self._clock = clock
        self._lock = threading.Lock()
        self._standing: list[_Standing] = []
        self._late: list[_Late] = []
        self._done: deque[Done] = deque(maxlen=MAX_DONE)
        self._seed = 0
        self._numbers = itertools.count()

    def drop(self, **settings: Any) -> Fault:
        """Lose events; `settings` are those of `Fault`. Raises FaultError, as its brothers do."""
        return self.add(_fault("drop", settings))

    def double(self, **settings: Any) -> Fault:
        """Deliver events twice, with the same id."""
        return self.add(_fault("double", settings))

    def delay(self, **settings: Any) -> Fault:
        """Hold events for `seconds` of the clock, or without that until `release`."""
        return self.add(_fault("delay", settings))

    def reorder(self, window: int, **settings: Any) -> Fault:
        """Hold `window` events and deliver them in another order."""
        return self.add(_fault("reorder", {"window": window, **settings}))

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            # dice of its own, so that faults do not change each other's luck
            dice = random.Random(f"{self._seed}/{next(self._numbers)}")  # noqa: S311  repeatable, not secret
            self._standing.append(_Standing(fault, dice, fault.next))
        return fault

    def seed(self, seed: int) -> None:
        """Begin the luck of all faults that are added from now on anew; 0 at first."""
        with self._lock:
            self._seed, self._numbers = seed, itertools.count()

    @property
    def standing(self) -> list[Fault]:
        """The faults in force, as they were asked for; without those whose `next` events are over."""
        with self._lock:
            return [one.fault for one in self._standing if one.left != 0]

    @property
    def held(self) -> list[dict[str, Any]]:
        """Events that are delivered later, in the order they came in."""
        with self._lock:
            return [one.sent.event for one in self._late] + [
                one.event for each in self._standing for one in each.window
            ]

    @property
    def done(self) -> list[Done]:
        """What was done to which event, oldest first: the last 10,000."""
        with self._lock:
            return list(self._done)

    def send(self, account: str, region: str, event: dict[str, Any]) -> None:
        """Deliver an event, or do to it what was asked for."""
        sent = _Sent(account, region, event)
        with self._lock:
            now = [sent] if (standing := self._met_by(sent)) is None else self._befall(standing, sent)
        self._deliver_all(now)

    def release_due(self, now: datetime) -> None:
        """Deliver what is late enough by the clock."""
        with self._lock:
            due = [one.sent for one in self._late if one.due is not None and one.due <= now]
            self._late = [one for one in self._late if one.due is None or one.due > now]
        self._deliver_all(due)

    def release(self) -> int:
        """Deliver everything that is held, whether or not it is due; how many events that were."""
        with self._lock:
            held = self._take_held()
        return self._deliver_all(held)

    def clear(self) -> int:
        """End all faults, and deliver what they held; how many events that were. What was done stays to be read."""
        with self._lock:
            held = self._take_held()
            self._standing = []
        return self._deliver_all(held)

    def _met_by(self, sent: _Sent) -> _Standing | None:
        return next((one for one in self._standing if one.fault.is_for(sent.event) and one.fires()), None)

    def _befall(self, standing: _Standing, sent: _Sent) -> list[_Sent]:
        """Do to an event what the fault says; which events are to be delivered now."""
        fault, now = standing.fault, self._clock()
        self._done.append(Done(fault.kind, now, sent.account, sent.region, sent.event))
        if fault.kind == "double":
            return [sent, sent]
        if fault.kind == "delay":
            due = None if fault.seconds is None else now + timedelta(seconds=fault.seconds)
            self._late.append(_Late(due, sent))
        elif fault.kind == "reorder":
            standing.window.append(sent)
            if len(standing.window) == fault.window or standing.left == 0:
                window, standing.window = standing.window, []
                return _in_another_order(window, standing.dice)
        return []

    def _take_held(self) -> list[_Sent]:
        held = [one.sent for one in self._late]
        for standing in self._standing:
            held += standing.window
            standing.window = []
        self._late = []
        return held

    def _deliver_all(self, sent: list[_Sent]) -> int:
        for one in sent:
            self._deliver(one.account, one.region, one.event)
        return len(sent)


def read_fault(document: object) -> Fault:
    """A fault from JSON, whose members are those of `Fault`. Raises FaultError."""
    if not isinstance(document, dict) or "kind" not in document:
        raise FaultError("a fault is an object with a kind")
    settings = {name: value for name, value in document.items() if name != "kind"}
    return _fault(document["kind"], settings)


def repositories_of(event: Mapping[str, Any]) -> set[str]:
    """Names of the repositories that an event is about, in whichever place its type has them."""
    detail = event["detail"]
    named = [detail.get("repository-name"), (detail.get("requestParameters") or {}).get("repositoryName")]
    named += [one.get("repository-name") for one in detail.get("repositories", ())]
    arns = [*event.get("resources", ()), *(one.get("ARN", "") for one in detail.get("resources", ()))]
    named += [name for name in (_name_in(arn) for arn in arns) if name]
    return {_name_in(name) or name for name in named if name}


def _name_in(arn: str) -> str:
    return arn.partition(":repository/")[2].partition("/sha256:")[0]


def _fault(kind: Any, settings: Mapping[str, Any]) -> Fault:
    known = set(Fault.__dataclass_fields__) - {"kind"}
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise FaultError(f"a fault has no {', '.join(map(repr, unknown))}; it has {', '.join(sorted(known))}")
    return Fault(kind, **settings)


def _in_another_order(window: list[_Sent], dice: random.Random) -> list[_Sent]:
    """Shuffled; and never by chance as it was."""
    shuffled = dice.sample(window, len(window))
    return shuffled if any(one is not other for one, other in zip(shuffled, window, strict=True)) else window[::-1]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
