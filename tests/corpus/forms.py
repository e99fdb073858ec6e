"""The form of a document: which members it has, and how their values are written, whatever they are."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

type Forms = Mapping[str, frozenset[str]]

_TEXTS = {
    "digest": r"sha256:[0-9a-f]{64}",
    "ARN": r"arn:aws[a-z-]*:[a-z0-9-]+:.*",
    "UUID": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "time with a fraction": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z",
    "time with an offset": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d",
    "Java's time": r"[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d\d:\d\d [AP]M",
    "Java's time without a comma": r"[A-Z][a-z]{2} \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d [AP]M",
    "Inspector's time": r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d\.\d{3} UTC \d{4}",
    "account": r"\d{12}",
    "URL": r"https?://.*",
    "WORD": r"[A-Z][A-Z0-9_]+",
    "empty": r"",
}
_TEXT_FORMS = {form: re.compile(pattern, re.DOTALL) for form, pattern in _TEXTS.items()}


def forms_of(document: Any) -> Forms:
    """The forms at each place; `[]` in a place is any element."""
    found: dict[str, set[str]] = defaultdict(set)
    for place, form in _walk(document, ""):
        found[place].add(form)
    return {place: frozenset(forms) for place, forms in found.items()}


def differences(real: Any, ours: Any) -> set[tuple[str, str, str]]:
    """Places where two documents have another form, and both forms; `-` where a member is missing.

    What is below a member that one of them lacks is not told beside it.
    """
    here, there = forms_of(real), forms_of(ours)
    return {
        (place, _text(here.get(place)), _text(there.get(place)))
        for place in here.keys() | there.keys()
        if here.get(place) != there.get(place) and _is_told(place, here, there)
    }


def _is_told(place: str, here: Forms, there: Forms) -> bool:
    """Not below a place that one of them lacks, and not an element of a list that is empty in one of them."""
    parents = [place[:end] for end in range(1, len(place)) if place[end] in ".["]
    return all((parent in here) == (parent in there) for parent in parents) and not (
        place.endswith("[]") and (place not in here or place not in there)
    )


def _text(forms: frozenset[str] | None) -> str:
    return " or ".join(sorted(forms)) if forms else "-"


def _walk(value: Any, place: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            yield place, "object"
            for name, each in value.items():
                yield from _walk(each, f"{place}.{name}" if place else name)
        case list():
            yield place, "list"
            for each in value:
                yield from _walk(each, f"{place}[]")
        case _:
            yield place, _form(value)


def _form(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number" if value == int(value) else "number with a fraction"
        case str() if value.startswith("{"):
            return _json_form(value)
        case str():
            return next((form for form, pattern in _TEXT_FORMS.items() if pattern.fullmatch(value)), "text")
    raise TypeError(value)


def _json_form(text: str) -> str:
    try:
        json.loads(text)
    except ValueError:
        return "text"
    return "JSON in ECR's layout" if text.startswith('{\n  "') and '" : ' in text else "JSON"
