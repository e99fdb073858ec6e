"""Where two values differ, in the fewest words."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

_SHOWN: Final = 3
_LONGEST: Final = 120
"""Characters of a value that are shown."""


def differences(wanted: Any, found: Any, *, is_whole: bool) -> list[str]:
    """Each place where ``found`` is not as ``wanted``; none where it is.

    ``is_whole``: what is found beyond what is wanted is a difference, too.
    """
    return list(_differences(wanted, found, "", is_whole))


def shortened(places: list[str]) -> str:
    """The first of them, and how many more there are."""
    shown, more = places[:_SHOWN], len(places) - _SHOWN
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def _differences(wanted: Any, found: Any, path: str, is_whole: bool) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        names = [*wanted, *(name for name in found if is_whole and name not in wanted)]
        for name in names:
            yield from _differences(wanted.get(name), found.get(name), f"{path}.{name}" if path else name, is_whole)
    elif isinstance(wanted, list) and isinstance(found, list):
        yield from _of_lists(wanted, found, path or "it")
    elif not _same(wanted, found):
        yield f"{path or 'it'} is {_shown(found)}, the template says {_shown(wanted)}"


def _of_lists(wanted: list[Any], found: list[Any], path: str) -> Iterator[str]:
    missing = [one for one in wanted if not any(_same(one, other) for other in found)]
    surplus = [one for one in found if not any(_same(one, other) for other in wanted)]
    for one in missing:
        yield f"{path} lacks {_shown(one)}"
    for one in surplus:
        yield f"{path} has {_shown(one)}, the template does not"
    if not missing and not surplus and not _same(wanted, found):
        yield f"{path} is in another order, or not as often there"


def _same(wanted: Any, found: Any) -> bool:
    return bool(wanted == found) or _equal(wanted, found)


def _equal(wanted: Any, found: Any) -> bool:
    """A template may write a number, or a truth, as text."""
    if not isinstance(wanted, str | int | float) or not isinstance(found, str | int | float):
        return False
    return str(wanted).lower() == str(found).lower() or _number(wanted) == _number(found) is not None


def _number(value: str | float) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except ValueError:
        return None


def _shown(value: Any) -> str:
    if value is None:
        return "not there"
    if isinstance(value, Mapping) and "Sid" in value:
        return f"the statement {value['Sid']}"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
