"""A whole sandbox is well; with each part broken once, doctor names that part and no other."""

import contextlib
from collections.abc import Iterator

import pytest

from ecr_steward_cli.doctor.findings import Status
from tests.sandbox.doctor.broken import (
    of_functions,
    of_queues,
    of_roles,
    of_rules,
    of_stores,
    of_the_account,
    of_the_stack,
)
from tests.sandbox.doctor.broken.breakage import Breakage
from tests.sandbox.doctor.conftest import WHOLE, House

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("doctor")]

THEMES = (of_the_stack, of_rules, of_queues, of_functions, of_roles, of_stores, of_the_account)
BREAKAGES = [breakage for theme in THEMES for breakage in theme.BREAKAGES]
ROUNDS = sorted({breakage.round for breakage in BREAKAGES})
type Found = set[tuple[str, str, Status]]


@pytest.fixture(scope="module")
def found(house: House) -> Iterator[dict[int, Found]]:
    """What doctor finds where all of a round is broken, by round: it looks once for each."""
    by_round: dict[int, Found] = {}
    for number in ROUNDS:
        with contextlib.ExitStack() as stack:
            for breakage in BREAKAGES:
                if breakage.round == number:
                    stack.enter_context(breakage.make(house))
            by_round[number] = house.not_ok()
    return by_round


def test_all_is_well_when_the_sandbox_is_whole(house: House) -> None:
    assert house.not_ok() == WHOLE


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.id)
def test_the_part_is_named_when_it_is_broken(found: dict[int, Found], breakage: Breakage) -> None:
    about = {one for one in found[breakage.round] if one[1] == breakage.subject}
    hidden = {(check, breakage.subject, Status.NOT_LOOKED_AT) for check in breakage.hides}
    assert about == hidden | {
        (each.check, each.subject, Status.PROBLEM)
        for each in BREAKAGES
        if (each.round, each.subject) == (breakage.round, breakage.subject)
    }


@pytest.mark.parametrize("number", ROUNDS)
def test_no_other_part_is_named_when_many_are_broken(found: dict[int, Found], number: int) -> None:
    subjects = {one.subject for one in BREAKAGES if one.round == number}
    assert {one for one in found[number] if one[1] not in subjects} == WHOLE


def test_all_is_well_when_everything_is_mended(found: dict[int, Found], house: House) -> None:
    assert house.not_ok() == WHOLE
