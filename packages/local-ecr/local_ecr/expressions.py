"""Regular expressions for what hostile people write, on either side: RE2 never goes back, so it takes linear time.

One of the ECR model's own, of scan filters, takes Python's `re` for ever on 30 letters and a mark that is none of its.
"""

from __future__ import annotations

from collections.abc import Callable

import re2  # type: ignore[import-untyped]

MAX_MEMORY = 64 << 20  # bytes; the longest policy, all of it wildcards, takes less


def whole_match(expression: str) -> Callable[[str], bool]:
    """Whether an expression is all of a text; `.` stands for line ends, too. Raises re2.error for what is none."""
    options = re2.Options()
    options.dot_nl = True
    options.max_mem = MAX_MEMORY
    options.log_errors = False  # it would write to stderr
    pattern = re2.compile(expression, options)
    return lambda text: pattern.fullmatch(text) is not None


def escape(text: str) -> str:
    """The expression that is this text alone."""
    escaped: str = re2.escape(text)
    return escaped
