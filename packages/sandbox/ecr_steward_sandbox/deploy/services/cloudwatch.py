"""Amazon CloudWatch: alarms. They exist and can be read; nothing evaluates them."""

from typing import Any

from ecr_steward_sandbox.deploy.in_process import Aws
from ecr_steward_sandbox.deploy.model import Created, Properties, ResourceModel, picked


class Alarm(ResourceModel):
    TYPE = "AWS::CloudWatch::Alarm"
    NAME_PROPERTY = "AlarmName"
    PROPERTIES = frozenset(
        {
            "ActionsEnabled",
            "AlarmActions",
            "AlarmDescription",
            "AlarmName",
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluationPeriods",
            "MetricName",
            "Namespace",
            "OKActions",
            "Period",
            "Statistic",
            "Threshold",
            "TreatMissingData",
        }
    )
    ATTRIBUTES = frozenset({"Arn"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        aws.client("cloudwatch").put_metric_alarm(**{**properties, "AlarmName": name})
        arn = _described(aws, name)["AlarmArn"]
        return Created(name, arn, {"Arn": arn})

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        return picked(_described(aws, physical_id), cls.PROPERTIES)


def _described(aws: Aws, name: str) -> Any:
    alarms = aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    if not alarms:
        raise LookupError(f"alarm {name} does not exist")
    return alarms[0]


MODELS = (Alarm,)
