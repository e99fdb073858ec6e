"""Is what exists what the template says? Resource by resource, property by property."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from ecr_steward_sandbox.deploy import not_simulated
from ecr_steward_sandbox.deploy.errors import TemplateError, UnknownPropertyError, UnknownTypeError
from ecr_steward_sandbox.deploy.in_process import Aws
from ecr_steward_sandbox.deploy.model import Properties, ResourceModel
from ecr_steward_sandbox.deploy.services import MODELS

_ABSENT = object()
_ACTED_UPON = frozenset({"Type", "Properties", "Condition", "DependsOn"})
_IDENTITIES = ("PolicyName", "Key", "Id")
"""Members that tell the items of a list apart where the order of the list means nothing."""


def check_known(template: Mapping[str, Any]) -> None:
    """Raise for the first resource type, attribute or property that the sandbox neither creates nor lists."""
    for logical_id, resource in template["Resources"].items():
        model = model_of(logical_id, resource.get("Type"))
        for name in resource.keys() - _ACTED_UPON - not_simulated.ATTRIBUTES.keys():
            raise TemplateError(f"{logical_id} ({model.TYPE}): the sandbox knows no resource attribute {name}")
        for name in resource.get("Properties", {}):
            if name not in model.PROPERTIES and (model.TYPE, name) not in not_simulated.PROPERTIES:
                raise UnknownPropertyError(
                    f"{logical_id} ({model.TYPE}): property {name} is neither created by the sandbox nor listed in "
                    f"not_simulated; it knows {', '.join(sorted(model.PROPERTIES))}"
                )


def model_of(logical_id: str, type_: Any) -> type[ResourceModel]:
    """The model of a resource type. Raises UnknownTypeError."""
    if type_ not in MODELS:
        raise UnknownTypeError(f"{logical_id}: the sandbox has no model of the resource type {type_}")
    return MODELS[type_]


def differences(aws: Aws, logical_id: str, type_: str, physical_id: str, properties: Properties) -> Iterator[str]:
    """Read one resource back and compare it with its resolved properties: one sentence per difference.

    One way only: what the template leaves to the service's default is not compared, but a list or a document that the
    template does give must be equal as a whole.
    """
    model = model_of(logical_id, type_)
    owner = f"{logical_id} ({type_})"
    try:
        actual = model.read(aws, physical_id, properties)
    except (ClientError, LookupError) as cause:
        yield f"{owner}: {physical_id} cannot be read back: {cause}"
        return
    for name, expected in properties.items():
        if (type_, name) in not_simulated.PROPERTIES:
            continue
        for path, wanted, found in _unequal(name, expected, actual.get(name, _ABSENT)):
            says = "the template does not have it" if wanted is _ABSENT else f"the template says {wanted!r}"
            yield f"{owner}: {path}: {says}, {'it is absent' if found is _ABSENT else f'it is {found!r}'}"


def _unequal(path: str, expected: Any, actual: Any) -> Iterator[tuple[str, Any, Any]]:
    """The innermost places where two values differ."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name in [*expected, *(name for name in actual if name not in expected)]:
            yield from _unequal(f"{path}.{name}", expected.get(name, _ABSENT), actual.get(name, _ABSENT))
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (wanted, found) in enumerate(zip(_in_order(expected), _in_order(actual), strict=True)):
            yield from _unequal(f"{path}[{index}]", wanted, found)
    elif isinstance(expected, list) and isinstance(actual, set):
        if set(expected) != actual:
            yield path, expected, sorted(actual)
    elif isinstance(expected, Mapping | list) or _text(expected) != _text(actual):
        yield path, expected, actual


def _in_order(items: list[Any]) -> list[Any]:
    for identity in _IDENTITIES:
        if all(isinstance(item, Mapping) and identity in item for item in items):
            return sorted(items, key=lambda item: str(item[identity]))
    return items


def _text(value: Any) -> Any:
    """A scalar as CloudFormation sees it, for which 60, 60.0 and "60" are one value, and true is "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float | str) else value
