"""The rulebook file: YAML 1.2, read so that every key and value keeps its place.

ruamel.yaml parses; the data is built here from its nodes, so that a duplicate key, a self-reference or a document that
unfolds without end is an error with a place, and a value is never anything but what JSON knows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.problems import Path as DataPath
from ecr_steward.rulebook.problems import Problem, spell_path

SIZE_LIMIT: Final = 1024 * 1024
"""Bytes in a rulebook file."""
VALUE_LIMIT: Final = 100_000
"""Values in a rulebook, with every alias unfolded."""

_YAML = "tag:yaml.org,2002:"
_TEXT_TAGS = frozenset({f"{_YAML}str", f"{_YAML}timestamp", f"{_YAML}value"})


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands: line and column count from 1, ``length`` is what of it stands in that line."""

    line: int
    column: int
    length: int = 1


@dataclass(frozen=True)
class RulebookFile:
    """A rulebook file that was read: its data and the place of everything in it."""

    path: Path
    source: bytes
    data: Any
    lines: tuple[str, ...]
    keys: Mapping[DataPath, Place]
    values: Mapping[DataPath, Place]

    def place_of(self, problem: Problem) -> Place:
        """Where a problem stands: at its key or its value; for what has no place of its own, at what contains it."""
        for length in range(len(problem.path), -1, -1):
            path = problem.path[:length]
            is_visible = not isinstance(value_at(self.data, path), Mapping | list | None)
            first, second = (self.values, self.keys) if is_visible and not problem.on_key else (self.keys, self.values)
            place = first.get(path) or second.get(path)
            if place is not None:
                return place
        return Place(1, 1)


class UnreadableRulebookError(Exception):
    """The file is no YAML that a rulebook could be. ``place`` says where reading ended."""

    def __init__(self, code: Code, message: str, place: Place, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.place = place
        self.lines = lines


def value_at(data: Any, path: DataPath) -> Any:
    """The value that a path leads to; ``None`` where it leads nowhere."""
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def read_rulebook_file(path: Path) -> RulebookFile:
    """Read a rulebook file. Raises UnreadableRulebookError, and OSError where there is no such file."""
    source = path.read_bytes()
    if len(source) > SIZE_LIMIT:
        raise UnreadableRulebookError(
            Code.FILE_TOO_LARGE, f"the file has {len(source)} bytes; a rulebook has at most {SIZE_LIMIT}", Place(1, 1)
        )
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = source.count(b"\n", 0, cause.start) + 1
        raise UnreadableRulebookError(
            Code.NOT_UTF8, f"the file is not UTF-8: {cause.reason}", Place(line, 1)
        ) from cause
    lines = tuple(text.splitlines())
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as cause:
        raise _no_yaml(cause, lines) from cause
    except (YAMLError, ValueError) as cause:
        told = f"this is no YAML: {str(cause).splitlines()[0]}"
        raise UnreadableRulebookError(Code.NOT_YAML, told, Place(1, 1), lines) from cause
    except RecursionError as cause:
        raise UnreadableRulebookError(
            Code.NESTED_TOO_DEEPLY, "this is nested too deeply", Place(1, 1), lines
        ) from cause
    if root is None:
        raise UnreadableRulebookError(
            Code.FILE_EMPTY, "the file is empty: it needs `version` and `rules`", Place(1, 1), lines
        )
    builder = _Builder(lines)
    return RulebookFile(path, source, builder.build(root, ()), lines, builder.keys, builder.values)


def _no_yaml(cause: MarkedYAMLError, lines: tuple[str, ...]) -> UnreadableRulebookError:
    mark = cause.problem_mark or cause.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
    message = ", ".join(filter(None, (cause.context, cause.problem)))
    if "'\\t'" in message:
        return UnreadableRulebookError(Code.TAB, "a tab indents nothing in YAML: write spaces", place, lines)
    if "another document" in message:
        return UnreadableRulebookError(
            Code.SEVERAL_DOCUMENTS, "a second document begins here: a file holds one", place, lines
        )
    return UnreadableRulebookError(Code.NOT_YAML, f"this is no YAML: {message}", place, lines)


@dataclass
class _Builder:
    lines: tuple[str, ...]
    keys: dict[DataPath, Place] = field(default_factory=dict)
    values: dict[DataPath, Place] = field(default_factory=dict)
    open_nodes: list[Any] = field(default_factory=list)
    count: int = 0

    def build(self, node: Any, path: DataPath) -> Any:
        """The data of a node; notes the place of everything below it."""
        place = self.values[path] = self._place(node)
        self.count += 1
        if self.count > VALUE_LIMIT:
            raise self._error(
                Code.UNFOLDS_TOO_FAR, f"this unfolds to more than {VALUE_LIMIT} values", self.keys.get(path[:1], place)
            )
        if any(node is opened for opened in self.open_nodes):
            raise self._error(Code.ALIAS_IN_ITSELF, f"`*{node.anchor}` contains itself", place)
        if node.id == "scalar":
            return self._scalar(node, place)
        self.open_nodes.append(node)
        try:
            if node.id == "sequence":
                return [self.build(item, (*path, number)) for number, item in enumerate(node.value)]
            return dict(self._items(node, path))
        finally:
            self.open_nodes.pop()

    def _items(self, node: Any, path: DataPath) -> Iterator[tuple[str, Any]]:
        for key_node, value_node in node.value:
            place = self._place(key_node)
            if key_node.id != "scalar":
                raise self._error(Code.KEY_NOT_A_WORD, "a key is a word, not a list or a mapping", place)
            key = key_node.value
            if key_node.tag == f"{_YAML}merge":
                raise self._error(Code.MERGE_KEY, "merge keys are not understood here: write the keys out", place)
            if (*path, key) in self.keys:
                first = self.keys[(*path, key)].line
                raise self._error(
                    Code.DUPLICATE_KEY,
                    f"the key `{spell_path((key,))}` stands here twice: first in line {first}",
                    place,
                )
            self.keys[(*path, key)] = place
            yield key, self.build(value_node, (*path, key))

    def _scalar(self, node: Any, place: Place) -> object:
        text: str = node.value
        if node.tag in _TEXT_TAGS:
            return text
        if node.tag == f"{_YAML}null":
            return None
        if node.tag == f"{_YAML}bool":
            return text.lower() == "true"
        try:
            if node.tag == f"{_YAML}int":
                return int(text.replace("_", ""), 0)
            if node.tag == f"{_YAML}float":
                return float(text.replace("_", ""))
        except ValueError:
            return text  # such as .inf, or 012: no number that a rulebook could use
        raise self._error(Code.YAML_TAG, f"the YAML tag `{node.tag}` is not understood here", place)

    def _place(self, node: Any) -> Place:
        start, end = node.start_mark, node.end_mark
        line = self.lines[start.line] if start.line < len(self.lines) else ""
        until = end.column if end.line == start.line else len(line)
        return Place(start.line + 1, start.column + 1, max(1, until - start.column))

    def _error(self, code: Code, message: str, place: Place) -> UnreadableRulebookError:
        return UnreadableRulebookError(code, message, place, self.lines)
