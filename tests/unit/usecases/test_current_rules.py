"""Which rules are in force while the rulebook changes."""

from datetime import UTC, datetime, timedelta

import pytest

from ecr_steward.adapters.memory import InMemoryNotices
from ecr_steward.adapters.memory.rulebook import InMemoryLastGoodRulebook, InMemoryRulebookSource
from ecr_steward.domain.notices import RulebookRefused
from ecr_steward.domain.rules import Credential, Rules
from ecr_steward.errors import InvalidRulebookError, RegistryUnavailableError, ThrottledError
from ecr_steward.ports.rulebook import CompiledRulebook
from ecr_steward.usecases.current_rules import LOOKED_AT_EVERY, CurrentRules


def parse(text: bytes, place: str) -> Rules:
    """What begins with ``good`` is a rulebook, and carries its text as the name of a credential."""
    if not text.startswith(b"good"):
        raise InvalidRulebookError(f"ES614 {place} does not validate: {text.decode()}")
    return Rules(rules=(), credentials=(Credential(text.decode(), "pull-only", (), ()),))


class World:
    """A source, and functions that start with it."""

    def __init__(self) -> None:
        self.source = InMemoryRulebookSource()
        self.last_good = InMemoryLastGoodRulebook()
        self.notices = InMemoryNotices()
        self.refusals = 0
        self.now = datetime(2026, 11, 26, 12, tzinfo=UTC)

    def start(self) -> CurrentRules:
        return CurrentRules(
            self.source,
            parse,
            last_good=self.last_good,
            notices=self.notices,
            count_refusal=self._count,
            now=lambda: self.now,
        )

    def pass_time(self, time: timedelta = LOOKED_AT_EVERY) -> None:
        self.now += time

    def _count(self) -> None:
        self.refusals += 1


@pytest.fixture
def world() -> World:
    return World()


def in_force(rules: Rules) -> str:
    return rules.credentials[0].name


def test_the_rules_of_the_object_are_in_force_when_it_validates(world: World) -> None:
    world.source.text = b"good 1"

    assert in_force(world.start()()) == "good 1"
    assert world.last_good.kept is not None
    assert world.notices.published == []


def test_a_change_is_in_force_within_a_minute_and_the_object_is_asked_for_once(world: World) -> None:
    world.source.text = b"good 1"
    rules = world.start()
    rules()
    world.source.text = b"good 2"

    world.pass_time(LOOKED_AT_EVERY - timedelta(seconds=1))
    assert in_force(rules()) == "good 1"
    assert len(world.source.calls.entries) == 1
    world.pass_time(timedelta(seconds=1))
    assert in_force(rules()) == "good 2"
    assert len(world.source.calls.entries) == 2


def test_the_last_good_rules_stay_when_a_new_version_does_not_validate(world: World) -> None:
    world.source.text = b"good 1"
    rules = world.start()
    rules()
    world.source.text = b"bad"
    world.pass_time()

    assert in_force(rules()) == "good 1"

    (notice,) = world.notices.published
    assert isinstance(notice, RulebookRefused)
    assert (notice.rulebook, notice.reason) == (
        "s3://rules/rulebook.json",
        "ES614 s3://rules/rulebook.json does not validate: bad",
    )
    assert world.refusals == 1


def test_people_are_told_once_and_each_look_is_counted_while_a_bad_version_lies_there(world: World) -> None:
    world.source.text = b"good 1"
    rules = world.start()
    rules()
    world.source.text = b"bad"
    for _ in range(3):
        world.pass_time()
        rules()

    assert len(world.notices.published) == 1
    assert world.refusals == 3


def test_counting_ends_when_the_rulebook_is_mended(world: World) -> None:
    world.source.text = b"good 1"
    rules = world.start()
    for text in (b"good 1", b"bad", b"good 3", b"good 3"):
        world.source.text = text
        world.pass_time()
        rules()

    assert in_force(rules()) == "good 3"
    assert world.refusals == 1


@pytest.mark.parametrize("text", [b"bad", None])
def test_a_function_that_starts_later_has_the_last_good_rules_when_what_lies_there_is_none(
    world: World, text: bytes | None
) -> None:
    world.source.text = b"good 1"
    world.start()()
    world.source.text = text

    assert in_force(world.start()()) == "good 1"
    assert world.refusals == 1


@pytest.mark.parametrize("text", [b"bad", None])
def test_every_event_has_the_reason_when_no_version_was_ever_good(world: World, text: bytes | None) -> None:
    world.source.text = text
    rules = world.start()

    for _ in range(2):
        with pytest.raises(InvalidRulebookError, match=r"does not validate|cannot be read: s3:GetObject"):
            rules()
    world.source.text = b"good"
    assert in_force(rules()) == "good"


def test_the_rules_stay_when_the_object_cannot_be_asked_for_at_the_moment(world: World) -> None:
    world.source.text = b"good 1"
    rules = world.start()
    rules()
    world.source.calls.fail_before("read", ThrottledError("slow down"))
    world.pass_time()

    assert in_force(rules()) == "good 1"
    assert (world.refusals, world.notices.published) == (0, [])


def test_the_event_comes_again_when_nothing_can_be_asked_for_and_nothing_was_kept(world: World) -> None:
    world.source.calls.fail_before("read", ThrottledError("slow down"))

    with pytest.raises(ThrottledError):
        world.start()()


def test_rules_are_in_force_when_neither_can_they_be_kept_nor_anybody_be_told(world: World) -> None:
    world.source.text = b"good 1"
    world.last_good.calls.fail_before("keep", RegistryUnavailableError("the table is away"))
    rules = world.start()
    assert in_force(rules()) == "good 1"
    world.source.text = b"bad"
    world.notices.calls.fail_before("publish", RegistryUnavailableError("the bus is away"))
    world.pass_time()

    assert in_force(rules()) == "good 1"


def test_both_reasons_are_told_when_what_was_kept_validates_no_longer(world: World) -> None:
    world.source.text = b"bad"
    world.last_good.keep(CompiledRulebook(b"of an older steward", "v0"))

    with pytest.raises(InvalidRulebookError, match="does not validate: bad") as refused:
        world.start()()

    assert "the last good version of s3://rules/rulebook.json does not validate" in refused.value.__notes__[0]
