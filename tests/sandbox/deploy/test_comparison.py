"""What exists is compared with the template: a value that changed in moto is found, whichever resource holds it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ecr_steward_sandbox.deploy import Aws, Deployment, Resource, verify
from ecr_steward_sandbox.deploy.comparison import differences
from ecr_steward_sandbox.deploy.errors import DifferenceError

pytestmark = pytest.mark.slow

Resources = Mapping[str, Resource]
Mutation = Callable[[Aws, Resources], Any]


def drop_dead_letter_queue_of_target(aws: Aws, resources: Resources) -> None:
    rule = resources["NoticesRule"]
    target = {name: value for name, value in rule.properties["Targets"][0].items() if name != "DeadLetterConfig"}
    aws.client("events").put_targets(Rule=rule.physical_id, EventBusName="ecr-steward", Targets=[target])


def add_key_to_pattern(aws: Aws, resources: Resources) -> None:
    rule = resources["EnforceImageTagsFunctionImagePushed"]
    pattern = json.dumps({**rule.properties["EventPattern"], "account": ["222222222222"]})
    aws.client("events").put_rule(Name=rule.physical_id, EventBusName="ecr-steward", EventPattern=pattern)


def delete_bus(aws: Aws, resources: Resources) -> None:
    aws.client("events").delete_event_bus(Name=resources["EventBus"].physical_id)


def shorten_visibility(aws: Aws, resources: Resources) -> None:
    url = resources["ReplicateImageQueue"].physical_id
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})


def swap_dead_letter_queue(aws: Aws, resources: Resources) -> None:
    policy = json.dumps({"deadLetterTargetArn": resources["FailureQueue"].arn, "maxReceiveCount": 5})
    url = resources["ReplicateImageQueue"].physical_id
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})


def drop_queue_policy(aws: Aws, resources: Resources) -> None:
    url = resources["DeliveryFailureQueue"].physical_id
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})


def open_topic(aws: Aws, resources: Resources) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sns:Publish"}]}
    arn = resources["NoticesTopic"].physical_id
    aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(policy))


def drop_layers(aws: Aws, resources: Resources) -> None:
    name = resources["EnforceImageTagsFunction"].physical_id
    aws.client("lambda").update_function_configuration(FunctionName=name, Layers=[])


def add_variable(aws: Aws, resources: Resources) -> None:
    function = resources["ReplicateImageFunction"]
    variables = {**function.properties["Environment"]["Variables"], "EXTRA": "1"}
    aws.client("lambda").update_function_configuration(
        FunctionName=function.physical_id, Environment={"Variables": variables}
    )


def forget_failure_destination(aws: Aws, resources: Resources) -> None:
    name = resources["EnforceImageTagsFunction"].physical_id
    aws.client("lambda").delete_function_event_invoke_config(FunctionName=name)


def take_permission_away(aws: Aws, resources: Resources) -> None:
    aws.client("lambda").remove_permission(
        FunctionName=resources["EnforceImageTagsFunction"].physical_id,
        StatementId=resources["EnforceImageTagsFunctionImagePushedPermission"].physical_id,
    )


def widen_batch(aws: Aws, resources: Resources) -> None:
    aws.client("lambda").update_event_source_mapping(
        UUID=resources["ReplicateImageFunctionCopyJobs"].physical_id, BatchSize=10
    )


def delete_layer(aws: Aws, resources: Resources) -> None:
    layer = next(resource for resource in resources.values() if resource.logical_id.startswith("RulebookLayer"))
    aws.client("lambda").delete_layer_version(LayerName="RulebookLayer", VersionNumber=int(layer.physical_id[-1]))


def allow_everything(aws: Aws, resources: Resources) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    aws.client("iam").put_role_policy(
        RoleName=resources["SweepScheduleRole"].physical_id,
        PolicyName="StartTheSweep",
        PolicyDocument=json.dumps(policy),
    )


def keep_logs_forever(aws: Aws, resources: Resources) -> None:
    name = resources["ReplicateImageLogGroup"].physical_id
    aws.client("logs").delete_retention_policy(logGroupName=name)


def raise_threshold(aws: Aws, resources: Resources) -> None:
    alarm = resources["FailureQueueAlarm"]
    wanted = {**alarm.properties, "AlarmName": alarm.physical_id, "Threshold": 5}
    aws.client("cloudwatch").put_metric_alarm(**wanted)


def stop_expiry(aws: Aws, resources: Resources) -> None:
    aws.client("dynamodb").update_time_to_live(
        TableName=resources["IdempotencyTable"].physical_id,
        TimeToLiveSpecification={"AttributeName": "expiration", "Enabled": False},
    )


def disarm_schedule(aws: Aws, resources: Resources) -> None:
    schedule = resources["ReconcileRegistryFunctionSweep"]
    target = {**schedule.properties["Target"], "RoleArn": "arn:aws:iam::111122223333:role/other"}
    aws.client("scheduler").update_schedule(**{**schedule.properties, "Name": schedule.physical_id, "Target": target})


@pytest.mark.parametrize(
    ("mutate", "logical_id", "sentence"),
    [
        (drop_dead_letter_queue_of_target, "NoticesRule", "Targets[0].DeadLetterConfig: the template says"),
        (add_key_to_pattern, "EnforceImageTagsFunctionImagePushed", "EventPattern.account: the template does not"),
        (shorten_visibility, "ReplicateImageQueue", "VisibilityTimeout: the template says 5400, it is '30'"),
        (swap_dead_letter_queue, "ReplicateImageQueue", "RedrivePolicy.deadLetterTargetArn: the template says"),
        (drop_queue_policy, "DeliveryFailureQueuePolicy", "PolicyDocument: the template says"),
        (open_topic, "NoticesTopicPolicy", "PolicyDocument.Statement[0].Sid: the template says"),
        (drop_layers, "EnforceImageTagsFunction", "Layers: the template says"),
        (add_variable, "ReplicateImageFunction", "Environment.Variables.EXTRA: the template does not have it"),
        (forget_failure_destination, "EnforceImageTagsFunctionEventInvokeConfig", "cannot be read back"),
        (take_permission_away, "EnforceImageTagsFunctionImagePushedPermission", "cannot be read back"),
        (widen_batch, "ReplicateImageFunctionCopyJobs", "BatchSize: the template says 1, it is 10"),
        (delete_layer, "RulebookLayer", "cannot be read back"),
        (allow_everything, "SweepScheduleRole", "PolicyDocument.Statement: the template says"),
        (keep_logs_forever, "ReplicateImageLogGroup", "RetentionInDays: the template says 90, it is None"),
        (raise_threshold, "FailureQueueAlarm", "Threshold: the template says 0, it is 5.0"),
        (stop_expiry, "IdempotencyTable", "TimeToLiveSpecification.Enabled: the template says True, it is False"),
        (disarm_schedule, "ReconcileRegistryFunctionSweep", "Target.RoleArn: the template says"),
        (delete_bus, "EventBus", "ecr-steward cannot be read back"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_difference_is_found_when_moto_holds_another_value(
    deployed: Deployment, aws: Aws, mutate: Mutation, logical_id: str, sentence: str
) -> None:
    resources = deployed.resources  # a Lambda layer's id ends in a hash of what it holds
    resource = resources.get(logical_id) or next(one for id_, one in resources.items() if id_.startswith(logical_id))
    before = found_in(aws, resource)

    mutate(aws, deployed.resources)

    new = [difference for difference in found_in(aws, resource) if difference not in before]
    assert all(difference.startswith(f"{resource.logical_id} ({resource.type}): ") for difference in new)
    assert any(sentence in difference for difference in new), new


def test_verification_names_every_difference_when_there_are_two(deploy_changed: Callable[..., Deployment]) -> None:
    deployment = deploy_changed(lambda _: None)
    aws = Aws(deployment.account, deployment.region)
    shorten_visibility(aws, deployment.resources)
    raise_threshold(aws, deployment.resources)

    with pytest.raises(DifferenceError) as error:
        verify(deployment)

    assert "ReplicateImageQueue (AWS::SQS::Queue): VisibilityTimeout" in str(error.value)
    assert "FailureQueueAlarm (AWS::CloudWatch::Alarm): Threshold" in str(error.value)


def found_in(aws: Aws, resource: Resource) -> list[str]:
    return list(differences(aws, resource.logical_id, resource.type, resource.physical_id, resource.properties))
