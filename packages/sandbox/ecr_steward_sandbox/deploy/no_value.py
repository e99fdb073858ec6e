"""Elements of lists that a template leaves out by AWS::NoValue: moto keeps a null in their place."""

from collections.abc import Callable
from typing import Any

_NO_VALUE = {"Ref": "AWS::NoValue"}


def without_elements_of_no_value(value: Any, holds: Callable[[str], bool]) -> Any:
    """The same without them, however deep. ``holds`` says whether a condition is true."""
    if isinstance(value, list):
        return [without_elements_of_no_value(item, holds) for item in value if not _is_no_value(item, holds)]
    if isinstance(value, dict) and "Fn::If" in value:  # a list, too, whose elements have their places
        condition, *branches = value["Fn::If"]
        return {"Fn::If": [condition, *(without_elements_of_no_value(branch, holds) for branch in branches)]}
    if isinstance(value, dict):
        return {name: without_elements_of_no_value(item, holds) for name, item in value.items()}
    return value


def _is_no_value(value: Any, holds: Callable[[str], bool]) -> bool:
    if isinstance(value, dict) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        return _is_no_value(yes if holds(condition) else no, holds)
    return bool(value == _NO_VALUE)
