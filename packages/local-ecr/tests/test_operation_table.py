"""The table of operations: none of the model's is left out, and what is said to be done is tested to be."""

import ast
from pathlib import Path

from local_ecr.control.operations import HANDLERS, REFUSED
from local_ecr.control.protocol import service_model

OPERATIONS = Path(__file__).parent / "operations"


def test_every_operation_is_either_done_or_refused_with_a_reason():
    assert set(HANDLERS) | set(REFUSED) == set(service_model().operation_names)
    assert set(HANDLERS) & set(REFUSED) == set()
    assert all(len(reason) > 20 for reason in REFUSED.values())


def test_every_operation_that_is_done_has_a_test_that_calls_it_with_success():
    """Those of tests/operations that are marked with it; docs/operations.md calls it implemented."""
    tested = {name for path in OPERATIONS.glob("test_*.py") for name in marked(path)}

    untested = sorted(set(HANDLERS) - tested)
    assert untested == [], f"no test is marked @pytest.mark.operation for {', '.join(untested)}"
    assert sorted(tested - set(HANDLERS)) == [], "a test is marked with what is no operation that is done"


def marked(path):
    """Names of the operations that tests of a module are marked with."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.operation":
                yield from (ast.literal_eval(argument) for argument in mark.args)
