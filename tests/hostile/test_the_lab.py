"""The lab itself: it tells a client that falls why it does, or the thirty attacks would prove nothing."""

import sys
from pathlib import Path

import pytest

from lab.hostile.attack import SOURCE, TAG, Asked, Attack, destination_of, tag_of
from lab.hostile.catalogue import ATTACKS
from lab.hostile.clients import Client
from lab.hostile.judging import attacked
from lab.hostile.stage import Stage

MIB = 1 << 20
TRUSTING = Path(__file__).with_name("trusting_client.py")
FALLS = {
    2: "credential sent",
    3: "credential sent",
    4: "credential sent, content sent",
    5: "credential sent",
    9: "accepted",
    11: "accepted",
    13: "MiB",
    19: "credential sent",
    20: "requests",
    25: "accepted, incomplete",
}


def _command(stage: Stage, reference: str) -> list[str | Path]:
    kind = "tags" if stage.attack.asked is Asked.TAGS else "copy"
    there = f"http://{stage.destination}/v2/{destination_of(reference)}"
    return [TRUSTING, kind, f"http://{stage.source}/v2/{SOURCE}", reference, there, tag_of(reference)]


CLIENT = Client("trusting", sys.executable, _command)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("attack", "fall"),
    [pytest.param(attack, FALLS[attack.number], id=attack.name) for attack in ATTACKS if attack.number in FALLS],
)
def test_a_client_that_believes_everything_falls_and_the_lab_says_why(attack: type[Attack], fall: str) -> None:
    assert fall in (attacked(CLIENT, attack, 30 * MIB).fall or "")


class Silence(Attack):
    """An honest registry, which the trusting client copies from without harm."""

    number = 0
    name = "none"
    may_succeed = True


def test_a_client_that_believes_everything_stands_where_nothing_is_wrong() -> None:
    outcome = attacked(CLIENT, Silence, 30 * MIB)

    (met,) = outcome.met
    assert (outcome.fall, met.ran.status, met.tags) == (None, 0, (TAG,))


def test_a_client_falls_when_it_crashes_or_shows_the_password() -> None:
    crash = Client("crash", sys.executable, lambda stage, reference: ["-c", "1 / 0"])
    chatter = Client("chatter", sys.executable, lambda stage, reference: ["-c", "print('pa55-canary')"])

    assert attacked(crash, Silence, 30 * MIB).fall == "crashed"
    assert attacked(chatter, Silence, 30 * MIB).fall == "password shown"


@pytest.mark.slow
def test_a_client_falls_when_it_never_ends() -> None:
    sleeper = Client("sleeper", sys.executable, lambda stage, reference: ["-c", "import time; time.sleep(60)"])

    assert attacked(sleeper, Silence, 30 * MIB).fall == "never ends"


def test_a_client_that_cannot_be_asked_neither_stands_nor_falls() -> None:
    outcome = attacked(Client("silent", sys.executable, lambda stage, reference: None), Silence, 30 * MIB)

    assert (outcome.is_asked, outcome.fall) == (False, None)
