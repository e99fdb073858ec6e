"""Every intrinsic of a template that names something: is it there?

moto puts an empty string, or nothing at all, in the place of what it cannot find, so this is asked before it starts.
The values themselves are moto's to resolve.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ecr_steward_sandbox.deploy.errors import TemplateError, UnknownReferenceError

PSEUDO_PARAMETERS = frozenset(
    f"AWS::{name}" for name in ("AccountId", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix")
)
_SUBSTITUTED = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True)
class Reference:
    """``name`` alone is a Ref; with ``attribute`` it is a GetAtt."""

    name: str
    attribute: str | None = None

    def __str__(self) -> str:
        return f"Ref {self.name}" if self.attribute is None else f"GetAtt {self.name}.{self.attribute}"


def references(value: Any, holds: Callable[[str], bool] | None = None) -> Iterator[Reference]:
    """What a value refers to. With ``holds`` (is this condition true), only in the branch that each Fn::If takes."""
    if isinstance(value, list):
        for item in value:
            yield from references(item, holds)
        return
    if not isinstance(value, dict):
        return
    if set(value) == {"Ref"}:
        yield Reference(value["Ref"])
    elif set(value) == {"Fn::GetAtt"}:
        yield _attribute(value["Fn::GetAtt"])
    elif set(value) == {"Fn::Sub"}:
        yield from _substituted(value["Fn::Sub"], holds)
    elif set(value) == {"Fn::If"}:
        condition, yes, no = value["Fn::If"]
        yield from references([yes, no] if holds is None else (yes if holds(condition) else no), holds)
    else:
        for item in value.values():
            yield from references(item, holds)


def check_references(
    template: Mapping[str, Any], holds: Callable[[str], bool], attributes_of: Callable[[str], frozenset[str]]
) -> None:
    """Raise UnknownReferenceError for the first reference to what does not, or will not, exist, and TemplateError for
    resources that refer to one another in a circle.

    ``holds`` says whether a condition is true, ``attributes_of`` which attributes GetAtt knows of a resource type.
    """
    resources: Mapping[str, Any] = template["Resources"]
    known = PSEUDO_PARAMETERS | set(template.get("Parameters", {}))
    conditions = set(template.get("Conditions", {}))

    def created(logical_id: str) -> bool:
        condition = resources[logical_id].get("Condition")
        return condition is None or holds(condition)

    def check(owner: str, reference: Reference) -> None:
        if reference.attribute is None and reference.name in known:
            return
        if reference.name not in resources:
            raise UnknownReferenceError(f"{owner}: {reference} points at nothing in the template")
        if not created(reference.name):
            raise UnknownReferenceError(f"{owner}: {reference} points at a resource whose condition is false")
        type_ = resources[reference.name]["Type"]
        if reference.attribute is not None and reference.attribute not in attributes_of(type_):
            raise UnknownReferenceError(f"{owner}: {reference}: the sandbox knows no such attribute of {type_}")

    for logical_id, resource in resources.items():
        if (condition := resource.get("Condition")) is not None and condition not in conditions:
            raise UnknownReferenceError(f"{logical_id}: Condition {condition} points at nothing in the template")
        if not created(logical_id):
            continue
        for reference in references(resource.get("Properties", {}), holds):
            check(logical_id, reference)
        depends_on = resource.get("DependsOn", [])
        for name in [depends_on] if isinstance(depends_on, str) else depends_on:
            if name not in resources:
                raise UnknownReferenceError(f"{logical_id}: DependsOn {name} points at nothing in the template")
    _check_circles(template, holds)
    for name, output in template.get("Outputs", {}).items():
        if output.get("Condition") is None or holds(output["Condition"]):
            for reference in references(output, holds):
                check(f"output {name}", reference)


def _check_circles(template: Mapping[str, Any], holds: Callable[[str], bool]) -> None:
    """Raise TemplateError for resources that need one another, each to be created before the other."""
    resources: Mapping[str, Any] = template["Resources"]
    done: set[str] = set()

    def needed_by(logical_id: str) -> list[str]:
        resource = resources[logical_id]
        depends_on = resource.get("DependsOn", [])
        names = [reference.name for reference in references(resource.get("Properties", {}), holds)]
        return [*names, *([depends_on] if isinstance(depends_on, str) else depends_on)]

    def visit(logical_id: str, path: tuple[str, ...]) -> None:
        if logical_id in path:
            circle = " -> ".join([*path[path.index(logical_id) :], logical_id])
            raise TemplateError(f"circular dependency between resources: {circle}")
        if logical_id not in resources or logical_id in done:
            return
        for name in needed_by(logical_id):
            visit(name, (*path, logical_id))
        done.add(logical_id)

    for logical_id in resources:
        visit(logical_id, ())


def _attribute(written: str | list[str]) -> Reference:
    name, attribute = written.split(".", 1) if isinstance(written, str) else written
    return Reference(name, attribute)


def _substituted(written: str | list[Any], holds: Callable[[str], bool] | None) -> Iterator[Reference]:
    text, variables = (written, {}) if isinstance(written, str) else written
    yield from references(list(variables.values()), holds)
    for name in _SUBSTITUTED.findall(text):
        if name not in variables:
            yield _attribute(name) if "." in name else Reference(name)
