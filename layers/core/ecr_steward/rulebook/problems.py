"""What is wrong with a rulebook, each as one problem with its place, what was expected and the nearest right word."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from itertools import islice
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.limits import MOST_PROBLEMS
from ecr_steward.rulebook.model import Rulebook
from ecr_steward.rulebook.nearest import nearest_word
from ecr_steward.rulebook.words import WrongWordError

type Path = tuple[str | int, ...]
"""The keys and list positions that lead to a value, such as ``("rules", 0, "match")``."""

_SHOWN_CHARACTERS = 60
_LONG_QUOTE = re.compile(rf"`([^`]{{{_SHOWN_CHARACTERS}}})[^`]+`")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    path: Path
    message: str
    expected: str | None = None
    """What would be right, where the message does not say it."""
    nearest: str | None = None
    """The word that was most likely meant."""
    on_key: bool = False
    """Whether the key at the end of the path is wrong, and not its value."""
    _: KW_ONLY
    code: Code

    def __str__(self) -> str:
        meant = f"; did you mean `{self.nearest}`?" if self.nearest else ""
        expected = f"; expected {self.expected}" if self.expected else ""
        return f"{spell_path(self.path)}: {self.message}{meant}{expected}"


def spell_path(path: Path) -> str:
    """A path as people write it, such as ``rules[0].match``."""
    return (
        "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".") or "rulebook"
    )


def structural_problems(data: Any, error: ValidationError, root: type[BaseModel] = Rulebook) -> list[Problem]:
    """What the models object to, and every key that has no value. ``root`` is the model of the whole file."""
    empty = empty_values(data)[:MOST_PROBLEMS]
    reported = {problem.path for problem in empty}
    wrong = (details for details in error.errors(include_url=False) if not _counts_only_valid(details))
    # Twice as many as are reported: some echo others, and to find the word that was meant takes time.
    found = [_problem(data, details, root) for details in islice(wrong, 2 * MOST_PROBLEMS)]
    return _without_echoes([*empty, *(problem for problem in found if problem.path not in reported)])


def _counts_only_valid(details: Any) -> bool:
    """Whether a list is called too short only because entries in it are wrong, each of which is reported."""
    return bool(details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"])


def empty_values(data: Any) -> list[Problem]:
    """Every key that has no value: a setting that somebody meant to write and that nothing would carry out."""
    return list(_empty_values(data, ()))


def _empty_values(data: Any, path: Path) -> Iterator[Problem]:
    match data:
        case None:
            yield Problem(path, "there is no value here", "a value, or no key at all", code=Code.NO_VALUE)
        case Mapping():
            for key, value in data.items():
                yield from _empty_values(value, (*path, key))
        case list() | tuple():
            for position, value in enumerate(data):
                yield from _empty_values(value, (*path, position))


def _problem(data: Any, details: Any, root: type[BaseModel]) -> Problem:
    kind = details["type"]
    path = _path_in(data, details["loc"], ends_with_new_key=kind == "missing")
    if kind == "extra_forbidden":
        return _unknown_key(path, root)
    if kind == "missing":
        return _missing(path)
    if kind == "value_error":
        return _wrong_word(path, details["ctx"]["error"])
    if kind == "literal_error":
        return _unknown_value(path, details)
    message = f"{_show(details['input'])} does not fit here"
    if kind in _EXPECTED:
        code, expected = _EXPECTED[kind]
        return Problem(path, message, expected.format(**details.get("ctx", {})), code=code)
    return Problem(path, message, details["msg"].removeprefix("Input should be "), code=Code.OTHER_VALUE)


_LIST = "a list: put it in [brackets], or write its entries below each other, each after a dash"
_EXPECTED = {
    "bool_type": (Code.NOT_TRUE_OR_FALSE, "true or false"),
    "dict_type": (Code.NOT_A_MAPPING, "keys with values"),
    "float_type": (Code.NOT_A_NUMBER, "a number"),
    "greater_than": (Code.NUMBER_OUT_OF_RANGE, "more than {gt}"),
    "greater_than_equal": (Code.NUMBER_OUT_OF_RANGE, "{ge} or more"),
    "int_from_float": (Code.NOT_A_NUMBER, "a whole number"),
    "int_parsing": (Code.NOT_A_NUMBER, "a whole number"),
    "int_type": (Code.NOT_A_NUMBER, "a whole number"),
    "less_than": (Code.NUMBER_OUT_OF_RANGE, "less than {lt}"),
    "less_than_equal": (Code.NUMBER_OUT_OF_RANGE, "{le} or less"),
    "list_type": (Code.NOT_A_LIST, _LIST),
    "model_type": (Code.NOT_A_MAPPING, "keys with values"),
    "string_pattern_mismatch": (Code.NAME_FORM, "a name of letters a-z, digits and dashes"),
    "string_too_long": (Code.TEXT_TOO_LONG, "at most {max_length} characters"),
    "string_too_short": (Code.SAYS_NOTHING, "at least {min_length} character"),
    "string_type": (Code.NOT_TEXT, "text: put it in quotes"),
    "too_long": (Code.TOO_MANY_ENTRIES, "at most {max_length} entries"),
    "too_short": (Code.TOO_FEW_ENTRIES, "at least {min_length} entry"),
    "tuple_type": (Code.NOT_A_LIST, _LIST),
}


def _wrong_word(path: Path, error: ValueError) -> Problem:
    message = _LONG_QUOTE.sub(r"`\1...`", str(error))
    if isinstance(error, WrongWordError):
        return Problem(path, message, error.expected, error.nearest, code=error.code)
    return Problem(path, message, code=Code.OTHER_VALUE)


def _missing(path: Path) -> Problem:
    """``path`` leads to the key that is missing."""
    return Problem(path[:-1], f"`{path[-1]}` is missing", code=Code.MISSING_KEY)


def _unknown_key(path: Path, root: type[BaseModel]) -> Problem:
    wrong = str(path[-1])
    known = known_keys(path[:-1], root)
    message = f"unknown key `{wrong}`"
    expected = f"one of {', '.join(known)}" if known else "no keys"
    nearest = nearest_word(wrong, known)
    if nearest is None and (home := _home_of(wrong, root)) is not None:
        return Problem(path, f"{message}; it belongs below `{home}`", expected, on_key=True, code=Code.UNKNOWN_KEY)
    return Problem(path, message, expected, nearest, on_key=True, code=Code.UNKNOWN_KEY)


def _unknown_value(path: Path, details: Any) -> Problem:
    words = re.findall(r"'([^']*)'", details["ctx"]["expected"])
    wrong = details["input"]
    nearest = nearest_word(wrong, words) if isinstance(wrong, str) else None
    expected = details["ctx"]["expected"].replace("'", "")
    if str(wrong) == expected:
        expected += " without quotes"
    return Problem(path, f"{_show(wrong)} is not known here", expected, nearest, code=Code.UNKNOWN_VALUE)


def known_keys(path: Path, root: type[BaseModel] = Rulebook) -> tuple[str, ...]:
    """The keys of the mapping at a path, in the order of the model."""
    model: type[BaseModel] | None = root
    for part in path:
        if model is None or isinstance(part, int):
            continue
        fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
        model = _model_in(fields.get(part))
    return _keys_of(model) if model else ()


def _keys_of(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The one model that an annotation holds, however wrapped."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)


def _home_of(key: str, model: type[BaseModel], name: str | None = None) -> str | None:
    """The key below which a key belongs."""
    for field_name, field in model.model_fields.items():
        own_name = field.alias or field_name
        if own_name == key:
            return name
        nested = _model_in(field.annotation)
        if nested is not None and (home := _home_of(key, nested, own_name)) is not None:
            return home
    return None


def _path_in(data: Any, loc: tuple[str | int, ...], *, ends_with_new_key: bool) -> Path:
    """The part of a pydantic location that leads through the data: the names of union members are left out."""
    path: list[str | int] = []
    for number, part in enumerate(loc):
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            if not (ends_with_new_key and number == len(loc) - 1):
                continue
        path.append(part)
    return tuple(path)


def _without_echoes(problems: list[Problem]) -> list[Problem]:
    """Without the key that is missing only because it is misspelt."""
    misspelt = {(*problem.path[:-1], problem.nearest) for problem in problems if problem.on_key and problem.nearest}
    echoes = {_missing(path) for path in misspelt}
    return [problem for problem in problems if problem not in echoes]


def _show(value: object) -> str:
    text = value if isinstance(value, str) else _spell(value)
    return f"`{text}`" if len(text) <= _SHOWN_CHARACTERS else f"`{text[:_SHOWN_CHARACTERS]}...`"


def _spell(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Mapping():
            return "{" + ", ".join(f"{key}: ..." for key in value) + "}"
        case list() | tuple():
            return "[...]" if value else "[]"
    return str(value)
