"""Which rules are in force while code and rulebook change to another format, in the orders of docs/deploy/upgrade.md.

The older code is this one. The newer code reads the next format alone, as this one reads ``FORMAT`` alone.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ecr_steward.adapters.memory import InMemoryNotices
from ecr_steward.adapters.memory.rulebook import InMemoryLastGoodRulebook, InMemoryRulebookSource
from ecr_steward.domain.rules import Rules
from ecr_steward.errors import InvalidRulebookError
from ecr_steward.rulebook.load import FORMAT, parse_compiled
from ecr_steward.usecases.current_rules import LOOKED_AT_EVERY, CurrentRules

type Code = Callable[[bytes, str], Rules]


def compiled(format_: int, rule: str, **more: str) -> bytes:
    """A compiled rulebook with one rule."""
    section = {"repository": {"scanning": "on_push"}}
    rules = [{"name": rule, "match": {"repositories": ["team-a/**"]}, **section, **more}]
    return json.dumps({"format": format_, "rulebook": {"version": 1, "rules": rules}}).encode()


def older(text: bytes, place: str) -> Rules:
    return parse_compiled(text, place)


def newer(text: bytes, place: str) -> Rules:
    document = json.loads(text)
    if document["format"] != FORMAT + 1:
        raise InvalidRulebookError(f"ES613 {place} is no compiled rulebook of format {FORMAT + 1}")
    return parse_compiled(json.dumps(document | {"format": FORMAT}).encode(), place)


OLD = compiled(FORMAT, "old")
NEW = compiled(FORMAT + 1, "new")


class Key:
    """An object in the bucket, and what is kept of it."""

    def __init__(self, text: bytes | None = None) -> None:
        self.object = InMemoryRulebookSource(text)
        self.kept = InMemoryLastGoodRulebook()


class Function:
    """A function that has started."""

    def __init__(self, code: Code, key: Key) -> None:
        self._now = datetime(2026, 12, 3, tzinfo=UTC)
        self._rules = CurrentRules(
            key.object,
            code,
            last_good=key.kept,
            notices=InMemoryNotices(),
            count_refusal=lambda: None,
            now=lambda: self._now,
        )

    def handle(self) -> str:
        """Handle an event, later than a minute after the last one. Says which rule was in force."""
        self._now += LOOKED_AT_EVERY + timedelta(seconds=1)
        (rule,) = self._rules().rules
        return rule.name


def test_no_event_fails_when_the_object_is_put_before_the_code() -> None:
    """aws minor 12."""
    key = Key(OLD)
    running = Function(older, key)
    assert running.handle() == "old"

    key.object.text = NEW

    assert [running.handle(), Function(older, key).handle()] == ["old", "old"]
    assert Function(newer, key).handle() == "new"


def test_each_event_fails_until_the_object_is_put_when_the_code_comes_first() -> None:
    """aws minor 12: what is kept has the old format, too."""
    key = Key(OLD)
    assert Function(older, key).handle() == "old"
    deployed = Function(newer, key)

    with pytest.raises(InvalidRulebookError, match="ES613") as refused:
        deployed.handle()
    assert "the last good version" in refused.value.__notes__[0]

    key.object.text = NEW
    assert deployed.handle() == "new"


def test_a_function_that_the_deployment_has_not_reached_cannot_start_once_another_has_kept_the_new_object() -> None:
    key = Key(OLD)
    running = Function(older, key)
    assert running.handle() == "old"
    key.object.text = NEW
    assert Function(newer, key).handle() == "new"

    assert running.handle() == "old"
    with pytest.raises(InvalidRulebookError, match="ES613"):
        Function(older, key).handle()


def test_no_event_fails_when_the_deployment_brings_code_and_key_together() -> None:
    old, new = Key(OLD), Key(NEW)
    assert Function(older, old).handle() == "old"
    assert Function(newer, new).handle() == "new"

    assert Function(older, old).handle() == "old"  # not reached yet, or rolled back
    old.object.text = None  # the role may read the new key alone by now
    assert Function(older, old).handle() == "old"


def test_no_event_fails_in_a_rollback_when_the_old_object_is_put_before_the_code() -> None:
    key = Key(NEW)
    assert Function(newer, key).handle() == "new"

    key.object.text = OLD

    assert Function(newer, key).handle() == "new"
    assert Function(older, key).handle() == "old"


def test_a_word_that_the_code_does_not_know_changes_nothing_until_the_code_does() -> None:
    """The format stays where a release only adds words."""
    key = Key(OLD)
    assert Function(older, key).handle() == "old"

    key.object.text = compiled(FORMAT, "new", word_of_a_later_release="x")

    assert Function(older, key).handle() == "old"
