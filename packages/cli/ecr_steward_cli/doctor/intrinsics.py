"""The intrinsic functions of a template, resolved to what a deployed stack has: AWS CloudFormation user guide,
"Intrinsic function reference".

Those that the template of the steward and SAM's translation of it use. Another one raises UnresolvedError: then what it
is part of is not looked at.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from ecr_steward_cli.doctor.attributes import attribute_of

type Value = Any
"""What JSON holds."""

_PLACE: Final = re.compile(r"\$\{(!?)([^}]+)\}")
_NOTHING: Final = object()
"""AWS::NoValue: the element that holds it is left out."""


class UnresolvedError(Exception):
    """A value of the template that cannot be resolved here. ``str(error)`` names it."""


@dataclass(frozen=True)
class StackNames:
    """What a template can refer to."""

    stack_id: str
    template: Mapping[str, Any]
    """After SAM's translation."""
    parameters: Mapping[str, str]
    physical_ids: Mapping[str, str]
    """By logical id."""

    @property
    def partition(self) -> str:
        return self.stack_id.split(":")[1]

    @property
    def region(self) -> str:
        return self.stack_id.split(":")[3]

    @property
    def account(self) -> str:
        return self.stack_id.split(":")[4]

    @property
    def stack_name(self) -> str:
        return self.stack_id.split("/")[1]

    @cached_property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """The resources whose condition holds, by logical id. Raises UnresolvedError."""
        return {
            name: one
            for name, one in self.template.get("Resources", {}).items()
            if "Condition" not in one or self._holds(one["Condition"])
        }

    def resolve(self, value: Value) -> Value:
        """A value of the template as the stack has it. Raises UnresolvedError."""
        found = self._resolved(value)
        return None if found is _NOTHING else found

    def _resolved(self, value: Value) -> Value:
        if isinstance(value, list):
            return [found for one in value if (found := self._resolved(one)) is not _NOTHING]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if (function := self._functions.get(name)) is not None:
                return function(argument)
            if name.startswith("Fn::"):
                raise UnresolvedError(name)
        resolved = {name: self._resolved(one) for name, one in value.items()}
        return {name: found for name, found in resolved.items() if found is not _NOTHING}

    @cached_property
    def _functions(self) -> Mapping[str, Callable[[Any], Value]]:
        return {
            "Condition": self._condition,
            "Fn::And": lambda given: all(map(self._truth, given)),
            "Fn::Equals": lambda given: self._resolved(given[0]) == self._resolved(given[1]),
            "Fn::GetAtt": self._attribute,
            "Fn::If": lambda given: self._resolved(given[1] if self._holds(given[0]) else given[2]),
            "Fn::Join": lambda given: str(given[0]).join(map(str, self._resolved(given[1]))),
            "Fn::Not": lambda given: not self._truth(given[0]),
            "Fn::Or": lambda given: any(map(self._truth, given)),
            "Fn::Select": lambda given: self._resolved(given[1])[int(self._resolved(given[0]))],
            "Fn::Split": lambda given: str(self._resolved(given[1])).split(given[0]),
            "Fn::Sub": self._sub,
            "Ref": self._ref,
        }

    def _condition(self, name: Value) -> Value:
        """In a condition a name of another; in a policy's statement a block of conditions."""
        return self._holds(name) if isinstance(name, str) else {"Condition": self._resolved(name)}

    def _holds(self, name: str) -> bool:
        conditions = self.template.get("Conditions", {})
        if name not in conditions:
            raise UnresolvedError(f"the condition {name}")
        return self._truth(conditions[name])

    def _truth(self, condition: Value) -> bool:
        return bool(self._resolved(condition))

    def _ref(self, name: str) -> Value:
        pseudo = {
            "AWS::AccountId": self.account,
            "AWS::NoValue": _NOTHING,
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::StackId": self.stack_id,
            "AWS::StackName": self.stack_name,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            return self._parameter(name)
        if name in self.physical_ids:
            return self.physical_ids[name]
        raise UnresolvedError(f"Ref {name}")

    def _parameter(self, name: str) -> Value:
        declared = str(self.template.get("Parameters", {}).get(name, {}).get("Type", "String"))
        value = self.parameters[name]
        is_list = declared == "CommaDelimitedList" or declared.startswith("List<")
        return [part.strip() for part in value.split(",")] if is_list else value

    def _attribute(self, given: Value) -> str:
        logical_id, name = given.split(".", 1) if isinstance(given, str) else given
        resource = self.resources.get(logical_id)
        if resource is None or logical_id not in self.physical_ids:
            raise UnresolvedError(f"{logical_id}.{name}")
        properties = resource.get("Properties", {})
        physical_id = self.physical_ids[logical_id]
        found = attribute_of(resource["Type"], name, physical_id, self.resolve(_names_alone(properties)), self)
        if found is None:
            raise UnresolvedError(f"{logical_id}.{name}")
        return found

    def _sub(self, given: Value) -> str:
        text, own = (given, {}) if isinstance(given, str) else given
        values = {name: self._resolved(value) for name, value in own.items()}

        def replaced(match: re.Match[str]) -> str:
            is_literal, name = match.groups()
            if is_literal:
                return f"${{{name}}}"
            if name in values:
                return str(values[name])
            return str(self._attribute(name) if "." in name else self._ref(name))

        return _PLACE.sub(replaced, text)


def _names_alone(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties that an ARN can be made of: whatever else there is could refer back in a circle."""
    return {name: properties[name] for name in ("EventBusName", "GroupName", "Path") if name in properties}
