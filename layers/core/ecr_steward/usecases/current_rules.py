"""Which rules are in force, where the rulebook can change under a running function: the last ones that validated."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from ecr_steward.domain.notices import RulebookRefused
from ecr_steward.domain.rules import Rules
from ecr_steward.errors import InvalidRulebookError, PermanentError, RetryableError, StewardError
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.messages import Notices
from ecr_steward.ports.rulebook import CompiledRulebook, LastGoodRulebook, RulebookSource

LOOKED_AT_EVERY: Final = timedelta(seconds=60)


class CurrentRules:
    """The rules of the rulebook that lies at a place, looked at once a minute.

    A new one that does not validate changes nothing: the last good one stays in force, also for functions that start
    meanwhile. Each look at one that does not validate is counted, and people are told of it once.
    """

    def __init__(
        self,
        source: RulebookSource,
        parse: Callable[[bytes, str], Rules],
        *,
        last_good: LastGoodRulebook,
        notices: Notices,
        count_refusal: Callable[[], None],
        now: Clock,
    ) -> None:
        """``parse`` makes rules of a text, given what people call its place. Raises InvalidRulebookError."""
        self._source = source
        self._parse = parse
        self._last_good = last_good
        self._notices = notices
        self._count_refusal = count_refusal
        self._now = now
        self._rules: Rules | None = None
        self._version: str | None = None
        self._refused: InvalidRulebookError | None = None
        self._looked_at: datetime | None = None
        self._lock = Lock()

    def __call__(self) -> Rules:
        """The rules in force. Raises InvalidRulebookError where none ever validated, and retryable errors."""
        with self._lock:
            now = self._now()
            is_fresh = self._looked_at and timedelta() <= now - self._looked_at < LOOKED_AT_EVERY
            if self._rules is None or not is_fresh:
                self._look()
                self._looked_at = now
            assert self._rules is not None  # noqa: S101 - _look raises otherwise
            return self._rules

    def _look(self) -> None:
        try:
            found = self._source.read(self._version)
        except RetryableError as error:
            self._go_on_without(error)
            return
        except PermanentError as error:
            self._refused = InvalidRulebookError(f"the rulebook cannot be read: {error}")
            self._tell("unreadable")
        else:
            if found is not None:
                self._take(found)
            elif self._refused is not None:
                self._count_refusal()
        if self._refused is not None:
            self._go_on_without(self._refused)

    def _take(self, found: CompiledRulebook) -> None:
        self._version = found.version
        try:
            self._rules = self._parse(found.text, self._source.place)
        except InvalidRulebookError as error:
            self._refused = error
            self._tell(found.version)
            return
        self._refused = None
        try:
            self._last_good.keep(found)
        except StewardError as error:
            logging.getLogger(__name__).warning("the rulebook could not be kept: %s", error)

    def _tell(self, version: str) -> None:
        self._count_refusal()
        logging.getLogger(__name__).error("the rulebook is refused: %s", self._refused)
        try:
            self._notices.publish(RulebookRefused(self._source.place, version, str(self._refused)))
        except StewardError as error:  # the count has an alarm of its own
            logging.getLogger(__name__).warning("nobody could be told: %s", error)

    def _go_on_without(self, reason: StewardError) -> None:
        """Keep the rules that are there, else those that were kept; raises the reason where there are none."""
        if self._rules is not None:
            return
        text = self._last_good.get()
        if text is None:
            raise reason
        try:
            self._rules = self._parse(text, f"the last good version of {self._source.place}")
        except InvalidRulebookError as outdated:  # as a newer steward finds it
            reason.add_note(str(outdated))
            raise reason from outdated
