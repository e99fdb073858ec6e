"""Which tests reach a line, from lines and their tests as coverage reports them."""

import pytest

from mutants.reach import reaching

CODE = """\
LIMIT = 3


def first(
    text: str,
) -> str:
    return text.removeprefix(
        "a",
    )


class Second:
    size: int = 1

    def third(self) -> int:
        if self.size:
            return 1
        return 2
"""
BY_LINE = {7: {"test_a"}, 8: {"test_a"}, 16: {"test_b", "test_c"}, 17: {"test_b"}, 18: {"test_c"}}


@pytest.mark.parametrize(
    ("line", "tests"),
    [
        pytest.param(17, {"test_b"}, id="of-the-line"),
        pytest.param(9, {"test_a"}, id="of-the-statement"),
        pytest.param(5, {"test_a"}, id="of-the-function"),
        pytest.param(13, {"test_b", "test_c"}, id="of-the-class"),
        pytest.param(1, {"test_a", "test_b", "test_c"}, id="of-the-file"),
    ],
)
def test_what_is_around_a_line_decides_when_nothing_reports_the_line(line: int, tests: set[str]) -> None:
    assert reaching(line, CODE, BY_LINE) == tests
