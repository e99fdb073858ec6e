"""Tables, notices, alarms and logs that are broken."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.sns.models import sns_backends

from tests.sandbox.doctor.broken.breakage import Break, Breakage
from tests.sandbox.doctor.conftest import HUB, REGION, House


@contextlib.contextmanager
def table_deleted(house: House) -> Iterator[None]:
    tables, name = dynamodb_backends[HUB][REGION].tables, house.named("IdempotencyTable")
    table = tables.pop(name)
    yield
    tables[name] = table


@contextlib.contextmanager
def items_stay(house: House) -> Iterator[None]:
    client, name = house.client("dynamodb"), house.named("StateTable")
    wanted = house.properties("StateTable")["TimeToLiveSpecification"]
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={**wanted, "Enabled": False})
    yield
    client.update_time_to_live(TableName=name, TimeToLiveSpecification=wanted)


@contextlib.contextmanager
def topic_policy_changed(house: House) -> Iterator[None]:
    sns, arn = house.client("sns"), house.named("NoticesTopic")
    wanted = house.properties("NoticesTopicPolicy")["PolicyDocument"]
    other = json.dumps(wanted).replace("cloudwatch.amazonaws.com", "events.amazonaws.com")
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=other)
    yield
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(wanted))


@contextlib.contextmanager
def mail_unconfirmed(house: House) -> Iterator[None]:
    """As SNS lists it until then; moto's subscriptions are confirmed at once."""
    subscription = sns_backends[HUB][REGION].subscriptions[house.named("NoticesSubscription")]
    before, subscription.arn = subscription.arn, "PendingConfirmation"
    yield
    subscription.arn = before


@contextlib.contextmanager
def mail_unsubscribed(house: House) -> Iterator[None]:
    subscriptions, arn = sns_backends[HUB][REGION].subscriptions, house.named("NoticesSubscription")
    subscription = subscriptions.pop(arn)
    yield
    subscriptions[arn] = subscription


def alarm_put(logical_id: str, *, deletes: bool = False, **changes: Any) -> Break:
    @contextlib.contextmanager
    def broken(house: House) -> Iterator[None]:
        cloudwatch, wanted = house.client("cloudwatch"), house.properties(logical_id)
        asked = {**wanted, "AlarmName": house.named(logical_id)}
        if deletes:
            cloudwatch.delete_alarms(AlarmNames=[asked["AlarmName"]])
        else:
            cloudwatch.put_metric_alarm(**(asked | changes))
        yield
        cloudwatch.put_metric_alarm(**asked)

    return broken


@contextlib.contextmanager
def alarm_on(house: House) -> Iterator[None]:
    cloudwatch, name = house.client("cloudwatch"), house.named("BrakeHeldAlarm")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="1 datapoint was greater than 0")
    yield
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="none was")


@contextlib.contextmanager
def logs_kept_for_a_day(house: House) -> Iterator[None]:
    logs, name = house.client("logs"), house.named("EnforceImageTagsLogGroup")
    logs.put_retention_policy(logGroupName=name, retentionInDays=1)
    yield
    logs.put_retention_policy(logGroupName=name, retentionInDays=90)


@contextlib.contextmanager
def log_deleted(house: House) -> Iterator[None]:
    logs, name = house.client("logs"), house.named("ReplicateImageLogGroup")
    logs.delete_log_group(logGroupName=name)
    yield
    logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=name, retentionInDays=90)


@contextlib.contextmanager
def pulls_count(house: House) -> Iterator[None]:
    ecr, arn = house.sandbox.client("ecr"), house.named("ReconcileRegistryPulls")
    ecr.deregister_pull_time_update_exclusion(principalArn=arn)
    yield
    ecr.register_pull_time_update_exclusion(principalArn=arn)


BREAKAGES = [
    Breakage("table-exists", "IdempotencyTable", table_deleted),
    Breakage("table-expiry", "StateTable", items_stay),
    Breakage("topic-policy", "NoticesTopicPolicy", topic_policy_changed),
    Breakage("subscription-confirmed", "NoticesSubscription", mail_unconfirmed),
    Breakage("subscription-exists", "NoticesSubscription", mail_unsubscribed, round=2),
    Breakage("alarm-exists", "FailureQueueAlarm", alarm_put("FailureQueueAlarm", deletes=True)),
    Breakage("alarm-actions", "DeliveryFailureAlarm", alarm_put("DeliveryFailureAlarm", AlarmActions=[])),
    Breakage(
        "alarm-settings", "ReplicateImageDeadLetterAlarm", alarm_put("ReplicateImageDeadLetterAlarm", Threshold=9)
    ),
    Breakage("alarm-quiet", "BrakeHeldAlarm", alarm_on),
    Breakage("log-retention", "EnforceImageTagsLogGroup", logs_kept_for_a_day),
    Breakage("log-exists", "ReplicateImageLogGroup", log_deleted),
    Breakage("pull-exclusion", "ReconcileRegistryPulls", pulls_count),
]
