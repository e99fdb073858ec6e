"""A deployed stack, as CloudFormation knows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ecr_steward_cli.doctor.asking import Asker, NotThereError, UnreadError
from ecr_steward_cli.doctor.findings import Unread
from ecr_steward_cli.doctor.intrinsics import StackNames
from ecr_steward_cli.doctor.templates import UnreadableTemplateError, template_of

NOTHING_THERE: Final = frozenset(
    {
        "CREATE_FAILED",
        "DELETE_FAILED",
        "DELETE_IN_PROGRESS",
        "REVIEW_IN_PROGRESS",
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
    }
)
"""States in which a stack has no resources, or only some: that it is in one is all there is to say."""


@dataclass(frozen=True)
class DeployedStack:
    """What CloudFormation says about the stack."""

    names: StackNames
    status: str
    """Such as ``UPDATE_COMPLETE``."""
    why: str = ""
    """``StackStatusReason``."""
    drift: str = "NOT_CHECKED"
    """The last drift detection: ``DRIFTED``, ``IN_SYNC``, ``UNKNOWN``, or ``NOT_CHECKED`` where there was none."""
    resource_states: Mapping[str, str] = field(default_factory=dict)
    """Such as ``CREATE_COMPLETE``, by logical id."""

    @property
    def left_out(self) -> list[str]:
        """Resources that the template has and the stack does not. Raises UnresolvedError."""
        return [name for name in self.names.resources if not self.names.physical_ids.get(name)]


def read_stack(asker: Asker, name: str) -> DeployedStack | None:
    """The stack, or ``None`` where there is none of this name. Raises UnreadError.

    Needs cloudformation:DescribeStacks, ListStackResources and GetTemplate.
    """
    try:
        (stack,) = asker.ask("cloudformation.describe_stacks", StackName=name)["Stacks"]
    except NotThereError:
        return None
    if stack["StackStatus"] in NOTHING_THERE:
        names = StackNames(stack["StackId"], {}, {}, {})
        return DeployedStack(names, stack["StackStatus"], stack.get("StackStatusReason", ""))
    summaries = asker.ask("cloudformation.list_stack_resources", StackName=name)["StackResourceSummaries"]
    listed = [one for one in summaries if one.get("ResourceStatus") != "DELETE_COMPLETE"]
    template = asker.ask("cloudformation.get_template", StackName=name, TemplateStage="Processed")["TemplateBody"]
    parameters = {
        one["ParameterKey"]: one.get("ResolvedValue", one.get("ParameterValue", ""))
        for one in stack.get("Parameters", [])
    }
    physical_ids = {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in listed}
    return DeployedStack(
        StackNames(stack["StackId"], _document(template), parameters, physical_ids),
        stack["StackStatus"],
        stack.get("StackStatusReason", ""),
        stack.get("DriftInformation", {}).get("StackDriftStatus", "NOT_CHECKED"),
        {one["LogicalResourceId"]: one.get("ResourceStatus", "") for one in listed},
    )


def _document(body: Any) -> Mapping[str, Any]:
    try:
        return template_of(body)
    except UnreadableTemplateError as error:
        raise UnreadError(Unread(str(error))) from error
