"""Amazon DynamoDB: tables."""

from typing import Any

from ecr_steward_sandbox.deploy.in_process import Aws
from ecr_steward_sandbox.deploy.model import Created, Properties, ResourceModel, picked

_LISTS = frozenset({"AttributeDefinitions", "KeySchema"})


class Table(ResourceModel):
    TYPE = "AWS::DynamoDB::Table"
    NAME_PROPERTY = "TableName"
    PROPERTIES = _LISTS | {"TableName", "BillingMode", "PointInTimeRecoverySpecification", "TimeToLiveSpecification"}
    ATTRIBUTES = frozenset({"Arn"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        dynamodb = aws.client("dynamodb")
        table = dynamodb.create_table(TableName=name, **picked(properties, _LISTS | {"BillingMode"}))
        if "TimeToLiveSpecification" in properties:
            specification = properties["TimeToLiveSpecification"]
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)
        if "PointInTimeRecoverySpecification" in properties:
            backups = properties["PointInTimeRecoverySpecification"]
            dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=backups)
        arn = table["TableDescription"]["TableArn"]
        return Created(name, arn, {"Arn": arn})

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        dynamodb = aws.client("dynamodb")
        table = dynamodb.describe_table(TableName=physical_id)["Table"]
        time_to_live = dynamodb.describe_time_to_live(TableName=physical_id)["TimeToLiveDescription"]
        enabled = time_to_live["TimeToLiveStatus"] == "ENABLED"
        backups = dynamodb.describe_continuous_backups(TableName=physical_id)["ContinuousBackupsDescription"]
        is_recoverable = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        return picked(table, _LISTS | {"TableName"}) | {
            "BillingMode": table["BillingModeSummary"]["BillingMode"],
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": is_recoverable},
            "TimeToLiveSpecification": {"AttributeName": time_to_live.get("AttributeName"), "Enabled": enabled},
        }


MODELS = (Table,)
