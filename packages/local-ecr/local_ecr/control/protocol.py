"""AWS JSON 1.1 by botocore's service model: read and check an input, shape an output. Knows no operation by name."""

from __future__ import annotations

import base64
import json
import math
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
import botocore.utils
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from local_ecr.errors import EcrError, invalid_parameter
from local_ecr.expressions import whole_match

TARGET_PREFIX = "AmazonEC2ContainerRegistry_V20150921."
CONTENT_TYPE = "application/x-amz-json-1.1"

NO_TARGET = (
    "This is a local Amazon ECR, and no other AWS service: a call names its operation in the header X-Amz-Target, and "
    "images are below /v2/."
)

Constraint = tuple[str, Callable[[Any], bool]]
"""What is asked of a value, and whether one satisfies it."""

_PATTERN = "Member must satisfy regular expression pattern: "
_OWN_WORDS = {
    "RepositoryName": "must satisfy regular expression '{}'",
    "RegistryId": "must satisfy regular expression {}",
}

LARGE_BODY = 1 << 20
_one_at_a_time = threading.Lock()  # a layer part takes five times its size while it is read; few at once gain no time


@cache
def service_model() -> ServiceModel:
    return botocore.session.Session().get_service_model("ecr")


def operation_model(name: str) -> OperationModel:
    """Raises EcrError UnknownOperationException."""
    if not name:
        raise EcrError("UnknownOperationException", NO_TARGET)
    if name not in service_model().operation_names:
        raise EcrError("UnknownOperationException", f"There is no operation {name[:100]!r} in this version of ECR.")
    return service_model().operation_model(name)


def read_input(operation: OperationModel, body: bytes) -> dict[str, Any]:
    """The members of a request, checked against the model. Raises EcrError; unknown members are ignored, as by AWS."""
    with _one_at_a_time if len(body) > LARGE_BODY else nullcontext():
        return _read_input(operation, body)


def _read_input(operation: OperationModel, body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError) as cause:
        raise EcrError("SerializationException", "The request body is not valid JSON.") from cause
    shape = operation.input_shape
    members: dict[str, Any] = _read(shape, document, "") if shape is not None else {}
    return members


def read_shape(name: str, value: Any, path: str, *, is_strict: bool = False) -> Any:
    """A value of one of the model's shapes; moments as seconds since the epoch. `is_strict`: no unknown members.

    Raises EcrError, which names the fault by its path.
    """
    if value is None:
        raise invalid_parameter(path, "Member must not be null")
    shape = service_model().shape_for(name)
    read = _read(shape, value, path)
    if is_strict:
        _refuse_unknown(shape, value, path)
    return read


def _refuse_unknown(shape: Shape, value: Any, path: str) -> None:
    """Look for members that the model does not have in a value that is otherwise as it should be."""
    if isinstance(shape, StructureShape):
        for name, item in value.items():
            if name not in shape.members:
                raise invalid_parameter(_join(path, name), f"Member must be one of [{', '.join(shape.members)}]")
            if item is not None:
                _refuse_unknown(shape.members[name], item, _join(path, name))
    elif isinstance(shape, ListShape):
        for position, item in enumerate(value, start=1):
            _refuse_unknown(shape.member, item, f"{path}.{position}")


def _read(shape: Shape, value: Any, path: str) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _read_structure(shape, value, path)
    if kind == "list":
        return _read_list(shape, value, path)
    if kind == "map":
        return _read_map(shape, value, path)
    return _read_scalar(shape, value, path)


def _read_structure(shape: Shape, value: Any, path: str) -> dict[str, Any]:
    assert isinstance(shape, StructureShape)  # noqa: S101  by its type_name
    given = _typed(dict, value, path)
    for name in shape.required_members:
        if given.get(name) is None:
            raise invalid_parameter(_join(path, name), "Member must not be null")
    return {
        name: _read(member, given[name], _join(path, name))
        for name, member in shape.members.items()
        if given.get(name) is not None
    }


def _read_list(shape: Shape, value: Any, path: str) -> list[Any]:
    assert isinstance(shape, ListShape)  # noqa: S101  by its type_name
    given = _typed(list, value, path)
    _check(shape, given, path)
    if any(item is None for item in given):
        raise invalid_parameter(path, "Member must not be null")
    read = _read_item if shape.member.type_name in _READERS else _read
    return [read(shape.member, item, f"{path}.{position}") for position, item in enumerate(given, start=1)]


def _read_item(shape: Shape, value: Any, path: str) -> Any:
    """A scalar in a list, which answers for it: github.com/aws-actions/amazon-ecr-login/issues/225."""
    read = _READERS[shape.type_name](value, path)
    constraints = _constraints(shape.name)
    if not all(is_satisfied(read) for _, is_satisfied in constraints):
        listed = ", ".join(constraint for constraint, _ in constraints)
        raise invalid_parameter(path.rpartition(".")[0], f"Member must satisfy constraint: [{listed}]")
    return read


def _read_map(shape: Shape, value: Any, path: str) -> dict[str, Any]:
    assert isinstance(shape, MapShape)  # noqa: S101  by its type_name
    given = _typed(dict, value, path)
    _check(shape, given, path)
    return {key: _read(shape.value, item, _join(path, key)) for key, item in given.items()}


def _read_scalar(shape: Shape, value: Any, path: str) -> Any:
    read = _READERS[shape.type_name](value, path)
    _check(shape, read, path)
    return read


def _check(shape: Shape, read: Any, path: str) -> None:
    for constraint, is_satisfied in _constraints(shape.name):
        if not is_satisfied(read):
            raise invalid_parameter(path, _own_words(shape.name, constraint))


@cache
def _constraints(name: str) -> tuple[Constraint, ...]:
    """What the model asks of a value of this shape, in the words and the order in which AWS's services tell it."""
    shape = service_model().shape_for(name)
    low, high, allowed, pattern = (shape.metadata.get(key) for key in ("min", "max", "enum", "pattern"))
    what, measure = ("value", int) if shape.type_name in {"integer", "long"} else ("length", len)
    found: list[Constraint] = []
    if high is not None:
        found.append((f"Member must have {what} less than or equal to {high}", lambda value: measure(value) <= high))
    if low is not None:
        found.append((f"Member must have {what} greater than or equal to {low}", lambda value: measure(value) >= low))
    if allowed:
        found.append((f"Member must satisfy enum value set: [{', '.join(allowed)}]", lambda value: value in allowed))
    if pattern:
        found.append((_PATTERN + pattern, whole_match(pattern)))
    return tuple(found)


def _own_words(name: str, constraint: str) -> str:
    """ECR looks at some patterns itself, as its answers show.

    Captured in github.com/mulgadc/spinifex and github.com/chanzuckerberg/single-cell-data-portal/pull/3781.
    """
    own = _OWN_WORDS.get(name)
    if own is None or not constraint.startswith(_PATTERN):
        return constraint
    return own.format(constraint.removeprefix(_PATTERN).replace("\\/", "/"))


def _typed(expected: type, value: Any, path: str) -> Any:
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        raise EcrError("SerializationException", f"The value at '{path or 'body'}' has the wrong type.")
    return value


def _read_blob(value: Any, path: str) -> bytes:
    try:
        return base64.b64decode(_typed(str, value, path), validate=True)
    except ValueError as cause:  # what is not ASCII is no binascii.Error
        raise EcrError("SerializationException", f"The value at '{path}' is not base64.") from cause


def _read_string(value: Any, path: str) -> str:
    text: str = _typed(str, value, path)
    try:
        text.encode()
    except UnicodeEncodeError as cause:
        raise EcrError("SerializationException", f"The value at '{path}' is not Unicode text.") from cause
    return text


def _read_double(value: Any, path: str) -> float:
    given = value if isinstance(value, int) and not isinstance(value, bool) else _typed(float, value, path)
    try:
        number = float(given)
    except OverflowError:  # an integer may have thousands of digits
        number = math.inf
    if not math.isfinite(number):
        raise EcrError("SerializationException", f"The value at '{path}' is no number.")
    return number


def _read_timestamp(value: Any, path: str) -> float:
    """Seconds since the epoch, or a date of ISO 8601."""
    if not isinstance(value, str):
        return _read_double(value, path)
    try:
        return botocore.utils.parse_timestamp(value).timestamp()
    except (ValueError, OverflowError) as cause:
        raise EcrError("SerializationException", f"The value at '{path}' is no timestamp.") from cause


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "string": _read_string,
    "integer": lambda value, path: _typed(int, value, path),
    "long": lambda value, path: _typed(int, value, path),
    "double": _read_double,
    "timestamp": _read_timestamp,
    "boolean": lambda value, path: _typed(bool, value, path),
    "blob": _read_blob,
}


def write_output(operation: OperationModel, output: Mapping[str, Any]) -> dict[str, Any]:
    """An operation's answer as JSON. A member that the model does not have is our own fault and raises KeyError."""
    shape = operation.output_shape
    written: dict[str, Any] = _write(shape, output) if shape is not None else {}
    return written


def _write(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return {name: _write(shape.members[name], item) for name, item in value.items() if item is not None}
    if isinstance(shape, ListShape):
        return [_write(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _write(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return value.timestamp() if isinstance(value, datetime) else value
    return value


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
