"""The page that compares us with others says what was measured, and of us nothing that no test shows."""

import ast
import json

import pytest
from comparing.operations import CALLS
from comparing.page import API, MEASURED, PAGE, ROOT, SHOWN_BY, comparison_page

from local_ecr.control.operations import HANDLERS
from local_ecr.control.protocol import service_model


@pytest.fixture(scope="module")
def measured():
    return json.loads(MEASURED.read_text(encoding="utf-8"))


def test_the_page_is_what_was_measured(measured):
    assert PAGE.read_text(encoding="utf-8") == comparison_page(measured), "run: make compare"


def test_every_operation_is_called_once_in_the_comparison(measured):
    names = [operation for operation, _ in CALLS]

    assert sorted(names) == sorted(service_model().operation_names)
    assert all(sorted(measured[name]["operations"]) == sorted(names) for name in API)


def test_the_operations_that_are_said_to_be_ours_are_those_that_are_done(measured):
    said = {operation for operation, outcome in measured["local_ecr"]["operations"].items() if outcome == "yes"}

    assert said == set(HANDLERS)


@pytest.mark.parametrize("part", ["behaviours", "data plane"])
def test_what_is_said_of_us_was_measured_and_is_shown_by_a_test(measured, part):
    for behaviour, outcome in measured["local_ecr"][part].items():
        assert (behaviour, outcome) == (behaviour, "yes")
        path, _, name = SHOWN_BY[behaviour].partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
