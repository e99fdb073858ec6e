"""What the answers of ``sam local invoke`` mean; each output is one that SAM 1.170 printed."""

import pytest

from sam_local.invocation import Answer


@pytest.mark.parametrize(
    ("exit_code", "output", "complaint"),
    [
        pytest.param(0, '{"outcomes": []}\n', None, id="returned"),
        pytest.param(0, 'a line that the function printed\n{"outcomes": []}\n', None, id="printed-and-returned"),
        pytest.param(
            0,
            '{"errorMessage": "no such table", "errorType": "KeyError", "requestId": "1", "stackTrace": []}\n',
            "the function raised KeyError: no such table",
            id="raised",
        ),
        pytest.param(
            0,
            '{"batchItemFailures": [{"itemIdentifier": "059f36b4"}]}\n',
            "the function wants messages again: [{'itemIdentifier': '059f36b4'}]",
            id="not-answered",
        ),
        pytest.param(0, '{"batchItemFailures": []}\n', None, id="all-answered"),
        pytest.param(0, "", "the function returned no JSON: ''", id="timed-out"),
        pytest.param(1, "", "sam local invoke exited 1", id="out-of-memory"),
    ],
)
def test_answer_complains_when_the_function_did_not_return(exit_code: int, output: str, complaint: str | None) -> None:
    assert Answer(exit_code, output, log="", seconds=2.1).complaint == complaint
