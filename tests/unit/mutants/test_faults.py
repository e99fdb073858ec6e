"""The faults as they are committed."""

import json

import pytest

from mutants.__main__ import RECORD
from mutants.faults import Fault, Gone, read_faults, read_rooms

COUNTED = [fault for fault in read_faults() if not fault.equivalent]


def test_of_several_equal_lines_one_is_changed() -> None:
    text = "a\nb\na\n"

    assert Fault("x-01", "x", "x", "x", "a", "c", 2).planted_in(text) == "a\nb\nc\n"
    assert Fault("x-01", "x", "x", "x", "a", "").planted_in(text) == "b\na\n"
    with pytest.raises(Gone):
        Fault("x-01", "x", "x", "x", "a", "c", 3).planted_in(text)


def test_every_fault_is_of_a_room_and_changes_one_line() -> None:
    rooms = read_rooms()

    assert {fault.room for fault in COUNTED} == rooms.keys()
    assert [fault.id for fault in COUNTED if fault.before == fault.after or "\n" in fault.before + fault.after] == []


def test_at_least_eighty_faults_are_killed_and_none_that_was_has_been_given_up() -> None:
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    killed = {fault.id for fault in COUNTED if record[fault.id]["after"]}

    assert len(killed) >= 80
    assert [fault.id for fault in COUNTED if record[fault.id].get("before") and fault.id not in killed] == []
