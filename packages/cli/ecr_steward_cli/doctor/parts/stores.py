"""Tables, the topic of notices, alarms, log groups, and the pulls that ECR does not count."""

import json
from collections.abc import Mapping

from ecr_steward_cli.doctor.asking import Asker, NotThereError
from ecr_steward_cli.doctor.parts.part import Properties, Reader, tried


def _table(asker: Asker, name: str, _: Properties) -> Properties:
    table = asker.ask("dynamodb.describe_table", TableName=name)["Table"]
    return {
        "KeySchema": table["KeySchema"],
        "status": table["TableStatus"],
        "TimeToLiveSpecification": tried(lambda: _time_to_live(asker, name)),
    }


def _time_to_live(asker: Asker, table: str) -> Properties:
    found = asker.ask("dynamodb.describe_time_to_live", TableName=table)["TimeToLiveDescription"]
    is_enabled = found["TimeToLiveStatus"] in {"ENABLED", "ENABLING"}
    return {"AttributeName": found.get("AttributeName"), "Enabled": is_enabled}


def _topic(asker: Asker, arn: str, _: Properties) -> Properties:
    found: Properties = asker.ask("sns.get_topic_attributes", TopicArn=arn)["Attributes"]
    return found


def _topic_policy(asker: Asker, _: str, wanted: Properties) -> Properties:
    policies = [
        json.loads(asker.ask("sns.get_topic_attributes", TopicArn=arn)["Attributes"].get("Policy") or "null")
        for arn in wanted["Topics"]
    ]
    others = [policy for policy in policies if policy != wanted["PolicyDocument"]]
    return {"PolicyDocument": others[0] if others else wanted["PolicyDocument"]}


def _subscription(asker: Asker, _: str, wanted: Properties) -> Properties:
    """By topic and address: one that is not confirmed has no ARN ("Subscription", SNS API reference)."""
    listed = asker.ask("sns.list_subscriptions_by_topic", TopicArn=wanted["TopicArn"])["Subscriptions"]
    for one in listed:
        if (one["Protocol"], one["Endpoint"]) == (wanted["Protocol"], wanted["Endpoint"]):
            return {"is_confirmed": one["SubscriptionArn"].startswith("arn:")}
    raise NotThereError


def _alarm(asker: Asker, name: str, _: Properties) -> Properties:
    """One call for all alarms of a stack: CloudWatch takes 9 of them a second."""
    alarms: list[Properties] = asker.ask("cloudwatch.describe_alarms", AlarmNamePrefix=_stem(name))["MetricAlarms"]
    for alarm in alarms:
        if alarm["AlarmName"] == name:
            return alarm
    raise NotThereError(name)


def _log_group(asker: Asker, name: str, _: Properties) -> Properties:
    for group in asker.ask("logs.describe_log_groups", logGroupNamePrefix=_stem(name))["logGroups"]:
        if group["logGroupName"] == name:
            return {"RetentionInDays": group.get("retentionInDays")}
    raise NotThereError(name)


def _stem(name: str) -> str:
    """How all names of the stack begin that CloudFormation has made: STACK-LOGICALID-RANDOM."""
    return name.rsplit("-", 2)[0] if name.count("-") > 1 else name


def _pulls(asker: Asker, _: str, wanted: Properties) -> Properties:
    if wanted["PrincipalArn"] not in asker.ask("ecr.list_pull_time_update_exclusions")["pullTimeUpdateExclusions"]:
        raise NotThereError
    return {}


READERS: Mapping[str, Reader] = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::DynamoDB::Table": _table,
    "AWS::ECR::PullTimeUpdateExclusion": _pulls,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _topic_policy,
}
