"""Amazon EventBridge Scheduler: schedules. moto keeps them and never fires one."""

from typing import Any

from ecr_steward_sandbox.deploy.in_process import Aws
from ecr_steward_sandbox.deploy.model import Created, Properties, ResourceModel, picked


class Schedule(ResourceModel):
    TYPE = "AWS::Scheduler::Schedule"
    NAME_PROPERTY = "Name"
    NAME_LENGTH = 64
    PROPERTIES = frozenset(
        {
            "Description",
            "FlexibleTimeWindow",
            "GroupName",
            "Name",
            "ScheduleExpression",
            "ScheduleExpressionTimezone",
            "State",
            "Target",
        }
    )
    ATTRIBUTES = frozenset({"Arn"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        arn = aws.client("scheduler").create_schedule(**{**properties, "Name": name})["ScheduleArn"]
        return Created(name, arn, {"Arn": arn})

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        group = picked(properties, frozenset({"GroupName"}))
        return picked(aws.client("scheduler").get_schedule(Name=physical_id, **group), cls.PROPERTIES)


MODELS = (Schedule,)
