"""`ecr-steward copy`, the whole program with a password, against thirty attacks of one hostile registry."""

import re

import pytest

from lab.hostile.attack import Attack
from lab.hostile.catalogue import ATTACKS
from lab.hostile.clients import OURS
from lab.hostile.judging import attacked
from lab.hostile.running import SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.alone]

WRONG = re.compile(r"^Error: .+$", re.MULTILINE)


def test_there_are_thirty_attacks_each_with_its_number() -> None:
    assert [attack.number for attack in ATTACKS] == list(range(1, 31))


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(
            attack,
            id=f"{attack.number} {attack.name} {attack.advisories}".rstrip(),
        )
        for attack in ATTACKS
    ],
)
def test_the_copier_stands(attack: type[Attack], idle: int) -> None:
    outcome = attacked(OURS, attack, idle)

    assert outcome.fall is None
    for met in outcome.met:
        errors = WRONG.findall(met.ran.errors)
        assert met.ran.seconds < SECONDS
        if met.said is None:
            assert (met.ran.status, errors) == (0, [])
            continue
        assert (met.ran.status, met.tags) == (1, ())
        assert len(errors) == 1
        assert re.search(met.said, errors[0])
    if attack.is_closed:
        assert outcome.visits == 0
