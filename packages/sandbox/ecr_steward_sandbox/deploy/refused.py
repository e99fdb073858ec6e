"""Values with which the sandbox would silently do something else than the template says.

cfn-lint takes them, or cannot see them, since they are those of parameters.

Asked with every intrinsic resolved, so after moto has created the resources and before anything runs.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ecr_steward_sandbox.deploy.errors import RefusedError
from ecr_steward_sandbox.deploy.interpreter import RUNTIME
from ecr_steward_sandbox.schedule_expressions import ScheduleExpressionError, times_of

if TYPE_CHECKING:
    from ecr_steward_sandbox.deploy.deployment import Deployment


def check_values(deployment: "Deployment") -> None:
    """Raise RefusedError for the first runtime or schedule that the sandbox could not run by."""
    for function in deployment.of_type("AWS::Lambda::Function"):
        if (runtime := function.properties.get("Runtime")) != RUNTIME:
            raise RefusedError(
                f"{function.logical_id} ({function.type}): Runtime: {runtime!r} is refused: "
                f"the sandbox runs functions under the interpreter it has, {RUNTIME}"
            )
    for type_ in ("AWS::Scheduler::Schedule", "AWS::Events::Rule"):
        for resource in deployment.of_type(type_):
            if (expression := resource.properties.get("ScheduleExpression")) is None:
                continue
            timezone = resource.properties.get("ScheduleExpressionTimezone", "UTC")
            try:
                times_of(expression, datetime.now(UTC), timezone=timezone, from_rule=type_ == "AWS::Events::Rule")
            except ScheduleExpressionError as cause:
                raise RefusedError(
                    f"{resource.logical_id} ({type_}): ScheduleExpression: {expression!r} is refused: {cause}"
                ) from cause
