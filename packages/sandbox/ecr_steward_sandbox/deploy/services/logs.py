"""Amazon CloudWatch Logs: log groups."""

from typing import Any

from ecr_steward_sandbox.deploy.in_process import Aws
from ecr_steward_sandbox.deploy.model import Created, Properties, ResourceModel


class LogGroup(ResourceModel):
    TYPE = "AWS::Logs::LogGroup"
    NAME_PROPERTY = "LogGroupName"
    PROPERTIES = frozenset({"LogGroupName", "RetentionInDays"})
    ATTRIBUTES = frozenset({"Arn"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        logs = aws.client("logs")
        logs.create_log_group(logGroupName=name)
        if "RetentionInDays" in properties:
            logs.put_retention_policy(logGroupName=name, retentionInDays=properties["RetentionInDays"])
        arn = _described(aws, name)["arn"]
        return Created(name, arn, {"Arn": arn})

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        group = _described(aws, physical_id)
        return {"LogGroupName": group["logGroupName"], "RetentionInDays": group.get("retentionInDays")}


def _described(aws: Aws, name: str) -> Any:
    pages = aws.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    for page in pages:
        for group in page["logGroups"]:
            if group["logGroupName"] == name:
                return group
    raise LookupError(f"log group {name} does not exist")


MODELS = (LogGroup,)
