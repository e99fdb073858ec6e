"""Our own built template, deployed into the moto of this process, and proven to be what the template says."""

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from moto.cloudformation.models import Stack, cloudformation_backends
from moto.cloudformation.parsing import ResourceMap, clean_json

from ecr_steward_sandbox.deploy.comparison import check_known, differences
from ecr_steward_sandbox.deploy.described import describe_as_aws
from ecr_steward_sandbox.deploy.errors import DifferenceError, TemplateError
from ecr_steward_sandbox.deploy.in_process import Aws
from ecr_steward_sandbox.deploy.model import Created, register
from ecr_steward_sandbox.deploy.moto_deliveries import stop_moto_deliveries
from ecr_steward_sandbox.deploy.no_value import without_elements_of_no_value
from ecr_steward_sandbox.deploy.refused import check_values
from ecr_steward_sandbox.deploy.services import MODELS
from ecr_steward_sandbox.deploy.translate import translate


@dataclass(frozen=True)
class Resource:
    """One resource that exists, under the names that the template and AWS give it."""

    logical_id: str
    type: str
    physical_id: str
    arn: str | None
    properties: Mapping[str, Any]
    """As the template gives them, every intrinsic resolved."""


@dataclass(frozen=True)
class Deployment:
    """What one template created."""

    stack_name: str
    account: str
    region: str
    resources: Mapping[str, Resource]
    """By logical id of the translated template."""
    code: Mapping[str, Path]
    """The built folder of each function, by logical id, and of each Lambda layer, by the ARN of its version."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """What the template tells people, by name."""

    def of_type(self, type_: str) -> tuple[Resource, ...]:
        """All resources of a CloudFormation type, in the template's order."""
        return tuple(resource for resource in self.resources.values() if resource.type == type_)

    def by_arn(self, arn: str) -> Resource | None:
        """The resource that has this ARN, if it is one of ours."""
        return next((resource for resource in self.resources.values() if resource.arn == arn), None)


def deploy(
    source: Path, *, stack_name: str, account: str, region: str, parameters: Mapping[str, str] = MappingProxyType({})
) -> Deployment:
    """Translate a template, create it in moto's backends of this process, compare, and return what exists.

    ``source`` is the folder that ``sam build`` writes, or a template file where nothing is to be built. Needs no server
    and no ``mock_aws``, and disturbs neither (see in_process).
    Nothing is created where the template names a type or property that does not exist; what else is wrong with it,
    ``sam validate --lint`` says.

    Raises the errors of ``errors``; after a CreationError, RefusedError or DifferenceError, what was created is still
    there.
    """
    translation = translate(source, region=region, parameters=parameters)
    template = translation.template
    check_known(template)
    _check_parameters(template, parameters)
    holds = _conditions(template, account, region, stack_name, parameters)
    template = without_elements_of_no_value(template, holds)
    register(MODELS)
    backend = cloudformation_backends[account][region]
    if stack_name in {stack.name for stack in backend.stacks.values()}:
        raise TemplateError(f"a stack {stack_name} exists already in {account} {region}")
    # moto tries YAML first, which takes it a hundred times as long: a tab is no YAML, and may stand before JSON.
    body = f"\t{json.dumps(template, ensure_ascii=False)}"
    stack = backend.create_stack(stack_name, body, parameters=dict(parameters))
    stop_moto_deliveries(account, region)
    describe_as_aws(stack)
    resources = _resources(stack, template)
    code = {_code_key(resources[name]): folder for name, folder in translation.folders.items() if name in resources}
    deployment = Deployment(stack_name, account, region, resources, code, _outputs(stack, template))
    check_values(deployment)
    verify(deployment)
    return deployment


def verify(deployment: Deployment) -> None:
    """Read every resource back and compare it with the template. Raises DifferenceError with every difference."""
    aws = Aws(deployment.account, deployment.region)
    found = [
        difference
        for resource in deployment.resources.values()
        for difference in differences(
            aws, resource.logical_id, resource.type, resource.physical_id, resource.properties
        )
    ]
    if found:
        raise DifferenceError("what exists is not what the template says:\n" + "\n".join(found))


def _check_parameters(template: Mapping[str, Any], given: Mapping[str, str]) -> None:
    """What CloudFormation refuses and moto does not."""
    declared = template.get("Parameters", {})
    for name in given:
        if name not in declared:
            raise TemplateError(f"the template has no parameter {name}; it has {', '.join(sorted(declared)) or 'none'}")
    for name, declaration in declared.items():
        if "Default" not in declaration and name not in given:
            raise TemplateError(f"parameter {name} has no value and no default")
        _check_value(name, declaration, str(given.get(name, declaration.get("Default"))))


def _check_value(name: str, declaration: Mapping[str, Any], value: str) -> None:
    """CloudFormation user guide, "Parameters": each value of a list must match by itself."""
    allowed = declaration.get("AllowedValues")
    pattern = declaration.get("AllowedPattern")
    is_list = declaration.get("Type") == "CommaDelimitedList"
    for one in (part.strip() for part in value.split(",")) if is_list else [value]:
        if allowed is not None and one not in map(str, allowed):
            raise TemplateError(f"parameter {name}: {value} is none of {', '.join(map(str, allowed))}")
        if pattern is not None and not re.fullmatch(pattern, one):
            raise TemplateError(f"parameter {name}: {value!r} does not match {pattern}")


def _conditions(
    template: Mapping[str, Any], account: str, region: str, stack_name: str, parameters: Mapping[str, str]
) -> Callable[[str], bool]:
    """Whether a condition holds, as moto's stack will see it. Nothing is created for the answer."""
    only_conditions = {name: value for name, value in template.items() if name != "Outputs"}
    resource_map = ResourceMap("", stack_name, dict(parameters), {}, region, account, only_conditions, None)
    resource_map.load()
    known: Mapping[str, bool] = resource_map.lazy_condition_map

    def holds(condition: str) -> bool:
        if condition not in known:
            raise TemplateError(f"the template has no condition {condition}")
        return known[condition]

    return holds


def _resources(stack: Stack, template: Mapping[str, Any]) -> dict[str, Resource]:
    """What moto's stack created, in the template's order; a resource whose condition is false is not among it."""
    resources: dict[str, Resource] = {}
    for logical_id, resource in template["Resources"].items():
        model = stack.resource_map[logical_id]
        if model is None:
            continue
        created: Created = model.created
        properties = clean_json(copy.deepcopy(resource.get("Properties", {})), stack.resource_map)
        resources[logical_id] = Resource(logical_id, resource["Type"], created.physical_id, created.arn, properties)
    return resources


def _outputs(stack: Stack, template: Mapping[str, Any]) -> dict[str, str]:
    """What the stack tells; an output whose condition is false is not among it."""
    holds = stack.resource_map.lazy_condition_map
    told = {
        name: clean_json(copy.deepcopy(output["Value"]), stack.resource_map)
        for name, output in template.get("Outputs", {}).items()
        if output.get("Condition") is None or holds[output["Condition"]]
    }
    return {name: str(value) for name, value in told.items()}


def _code_key(resource: Resource) -> str:
    """Functions find their Lambda layers by ARN."""
    return resource.physical_id if resource.type == "AWS::Lambda::LayerVersion" else resource.logical_id
