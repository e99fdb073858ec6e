"""What our template says exists, as boto3 sees it."""

import fnmatch
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_sandbox.deploy import Aws, Deployment, deploy, reset_moto, verify
from ecr_steward_sandbox.deploy.errors import TemplateError

ACCOUNT, SPOKE = "111122223333", "222233334444"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"
SPOKE_TEMPLATE = Path(__file__).parents[3] / "spoke.yaml"


def test_every_resource_exists_and_reads_back_when_our_template_is_deployed(deployed: Deployment, aws: Aws) -> None:
    verify(deployed)

    listed = aws.client("cloudformation").list_stack_resources(StackName="ecr-steward")["StackResourceSummaries"]
    # moto lists a resource whose condition is false, by no name
    assert {resource["LogicalResourceId"] for resource in listed} - {""} == set(deployed.resources)
    assert all(resource.physical_id for resource in deployed.resources.values())


def test_function_has_its_layers_log_group_and_environment_when_deployed(deployed: Deployment, aws: Aws) -> None:
    function = deployed.resources["EnforceImageTagsFunction"]

    configuration = aws.client("lambda").get_function_configuration(FunctionName=function.physical_id)

    layers = [layer.physical_id for layer in deployed.of_type("AWS::Lambda::LayerVersion")]
    assert [layer["Arn"] for layer in configuration["Layers"]] == layers
    assert len(layers) == 2
    assert configuration["Architectures"] == ["arm64"]
    assert configuration["Role"] == deployed.resources["EnforceImageTagsFunctionRole"].arn
    assert configuration["Environment"]["Variables"] == {
        "ECR_STEWARD_ACCOUNT": ACCOUNT,
        "ECR_STEWARD_COPY_JOBS": "5",
        "ECR_STEWARD_SPOKE_ORGANIZATION": "",
        "ECR_STEWARD_SPOKE_ACCOUNTS": "",
        "ECR_STEWARD_SPOKE_ROLE": "ecr-steward-spoke",
        "ECR_STEWARD_EXTERNAL_ID": deployed.outputs["ExternalId"],
        "ECR_STEWARD_PULL_ONLY_ROLE": "ecr-steward-pull-only",
        "ECR_STEWARD_OTHER_REGISTRIES": "",
        "ECR_STEWARD_RULEBOOK": "/opt/rulebook.json",
        "ECR_STEWARD_RULEBOOK_BUCKET": "",
        "ECR_STEWARD_RULEBOOK_KEY": "ecr-steward/rulebook.json",
        "ECR_STEWARD_SECRET_KEY": "",
        "ECR_STEWARD_SECRET_PREFIX": "ecr-steward/",
        "ECR_STEWARD_TEMPLATE_ROLE_PREFIX": "ecr-steward-creation-template",
        "ECR_STEWARD_TRUSTED_PRINCIPALS": "",
        "ECR_STEWARD_EVENT_BUS": "ecr-steward",
        "ECR_STEWARD_FAILURE_QUEUE_URL": deployed.resources["FailureQueue"].physical_id,
        "ECR_STEWARD_REPLICATE_QUEUE_URL": deployed.resources["ReplicateImageQueue"].physical_id,
        "ECR_STEWARD_IDEMPOTENCY_TABLE": deployed.resources["IdempotencyTable"].physical_id,
        "ECR_STEWARD_STATE_TABLE": deployed.resources["StateTable"].physical_id,
        "POWERTOOLS_METRICS_NAMESPACE": "EcrSteward",
        "POWERTOOLS_SERVICE_NAME": "enforce_image_tags",
    }
    assert uuid.UUID(deployed.outputs["ExternalId"])  # CloudFormation's id of the stack
    log_group = deployed.resources["EnforceImageTagsLogGroup"].physical_id
    assert function.properties["LoggingConfig"] == {"LogGroup": log_group}


def test_rule_target_has_its_exit_and_patience_when_deployed(deployed: Deployment, aws: Aws) -> None:
    rule = deployed.resources["ToReplicateImageRule"]

    targets = aws.client("events").list_targets_by_rule(Rule=rule.physical_id, EventBusName="ecr-steward")["Targets"]

    assert targets == [
        {
            "Id": "ReplicateImageQueue",
            "Arn": deployed.resources["ReplicateImageQueue"].arn,
            "DeadLetterConfig": {"Arn": deployed.resources["DeliveryFailureQueue"].arn},
            "RetryPolicy": {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400},
        }
    ]
    assert rule.properties["Targets"] == targets


def test_mapping_is_listed_with_its_properties_when_deployed(deployed: Deployment, aws: Aws) -> None:
    function = deployed.resources["ReplicateImageFunction"]

    mappings = aws.client("lambda").list_event_source_mappings(FunctionName=function.physical_id)["EventSourceMappings"]

    assert [mapping["EventSourceArn"] for mapping in mappings] == [deployed.resources["ReplicateImageQueue"].arn]
    assert mappings[0]["BatchSize"] == 1
    assert mappings[0]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mappings[0]["ScalingConfig"] == {"MaximumConcurrency": 5}


def test_schedule_policies_and_time_to_live_exist_when_deployed(deployed: Deployment, aws: Aws) -> None:
    schedule = aws.client("scheduler").get_schedule(
        Name=deployed.resources["ReconcileRegistryFunctionSweep"].physical_id
    )
    role = deployed.resources["ReconcileRegistryFunctionRole"].physical_id
    managed = aws.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    tables = [deployed.resources[table].physical_id for table in ("IdempotencyTable", "StateTable")]
    dynamodb = aws.client("dynamodb")
    lives = [dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"] for table in tables]
    failures = aws.client("lambda").get_function_event_invoke_config(
        FunctionName=deployed.resources["ReconcileRegistryFunction"].physical_id
    )

    assert schedule["ScheduleExpression"] == "rate(1 hour)"
    assert schedule["Target"]["Arn"] == deployed.resources["ReconcileRegistryFunction"].arn
    assert schedule["Target"]["RoleArn"] == deployed.resources["SweepScheduleRole"].arn
    assert managed == [], "SAM's would write every log and take from every queue"
    assert lives == [{"TimeToLiveStatus": "ENABLED", "AttributeName": "expiration"}] * 2
    assert failures["DestinationConfig"]["OnFailure"]["Destination"] == deployed.resources["FailureQueue"].arn


def test_resources_are_found_by_type_and_arn_when_deployed(deployed: Deployment) -> None:
    function = deployed.resources["ReplicateImageFunction"]

    assert len(deployed.of_type("AWS::Lambda::Function")) == 6
    assert function.arn is not None
    assert deployed.by_arn(function.arn) is function
    assert deployed.by_arn("arn:aws:lambda:us-east-1:111122223333:function:other") is None


def test_code_names_the_built_folder_when_function_or_layer_is_deployed(deployed: Deployment) -> None:
    function = deployed.resources["ReplicateImageFunction"]

    assert deployed.code["ReplicateImageFunction"].name == "ReplicateImageFunction"
    assert [deployed.code[arn].name for arn in function.properties["Layers"]] == ["CoreLayer", "RulebookLayer"]
    assert all(folder.is_dir() for folder in deployed.code.values())


def test_outputs_are_resolved_when_deployed(deployed: Deployment, aws: Aws) -> None:
    stack = aws.client("cloudformation").describe_stacks(StackName="ecr-steward")["Stacks"][0]

    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs["EventBusName"] == "ecr-steward"
    assert outputs["FailureQueueUrl"] == deployed.resources["FailureQueue"].physical_id


def test_stack_is_refused_when_it_exists_already(deployed: Deployment, build: Callable[..., Path]) -> None:
    with pytest.raises(TemplateError, match="ecr-steward exists already in 111122223333 us-east-1"):
        deploy(build(lambda _: None), stack_name="ecr-steward", account=deployed.account, region=deployed.region)


@pytest.mark.slow
def test_parameters_reach_their_resources_when_given(deploy_changed: Callable[..., Deployment], aws: Aws) -> None:
    deployment = deploy_changed(
        lambda _: None, Architecture="x86_64", SweepSchedule="rate(5 minutes)", LogRetentionDays="7"
    )

    function = deployment.resources["EnforceImageTagsFunction"]
    group = deployment.resources["EnforceImageTagsLogGroup"]
    read = aws.client("lambda").get_function_configuration(FunctionName=function.physical_id)
    assert function.properties["Architectures"] == read["Architectures"] == ["x86_64"]
    sweep = deployment.resources["ReconcileRegistryFunctionSweep"]
    assert sweep.properties["ScheduleExpression"] == "rate(5 minutes)"
    assert group.properties == {"RetentionInDays": 7}


@pytest.mark.slow
def test_rule_stays_disabled_when_the_template_says_so(deploy_changed: Callable[..., Deployment], aws: Aws) -> None:
    def disable(template: dict[str, Any]) -> None:
        template["Resources"]["NoticesRule"]["Properties"]["State"] = "DISABLED"

    rule = deploy_changed(disable).resources["NoticesRule"]

    assert rule.properties["State"] == "DISABLED"
    assert aws.client("events").describe_rule(Name=rule.physical_id, EventBusName="ecr-steward")["State"] == "DISABLED"


@pytest.mark.slow
def test_conditional_resources_follow_their_condition_when_deployed(
    deploy_changed: Callable[..., Deployment],
) -> None:
    def add_conditions(template: dict[str, Any]) -> None:
        template["Conditions"] |= {
            "OnArm": {"Fn::Equals": [{"Ref": "Architecture"}, "arm64"]},
            "OnIntel": {"Fn::Not": [{"Condition": "OnArm"}]},
        }
        template["Resources"]["ArmTopic"] = {"Type": "AWS::SNS::Topic", "Condition": "OnArm"}
        template["Resources"]["IntelTopic"] = {"Type": "AWS::SNS::Topic", "Condition": "OnIntel"}
        topic = {"Fn::If": ["OnArm", {"Ref": "ArmTopic"}, {"Ref": "IntelTopic"}]}
        template["Resources"]["FailureQueueAlarm"]["Properties"]["AlarmActions"] = [topic]

    deployment = deploy_changed(
        add_conditions,
        NotificationEmail="platform@example.com",
        SweepSchedule="rate(5 minutes)",
        PermissionsBoundaryArn=BOUNDARY,
        SubnetIds="subnet-0123456789abcdef0",
        SecurityGroupIds="sg-0123456789abcdef0",
        EventConcurrency="20",
        KmsKeyArn=KEY,
    )

    assert deployment.resources["NoticesSubscription"].properties["Endpoint"] == "platform@example.com"
    assert "RefreshMissedAlarm" in deployment.resources
    function = deployment.resources["EnforceImageTagsFunction"]
    assert function.properties["ReservedConcurrentExecutions"] == 20
    assert function.properties["VpcConfig"]["SubnetIds"] == ["subnet-0123456789abcdef0"]
    assert function.properties["KmsKeyArn"] == KEY
    for queue in deployment.of_type("AWS::SQS::Queue"):
        assert queue.properties["KmsMasterKeyId"] == KEY
        assert "SqsManagedSseEnabled" not in queue.properties, "SQS takes one or the other"
    roles = [role.properties for role in deployment.of_type("AWS::IAM::Role")]
    assert {role["PermissionsBoundary"] for role in roles} == {BOUNDARY}
    assert not {"IntelTopic", "SweepMissedAlarm"} & deployment.resources.keys()
    actions = deployment.resources["FailureQueueAlarm"].properties["AlarmActions"]
    assert actions == [deployment.resources["ArmTopic"].arn]


@pytest.mark.slow
def test_list_has_no_element_where_a_condition_leaves_it_out(
    deploy_changed: Callable[..., Deployment], aws: Aws
) -> None:
    def add_statements(template: dict[str, Any]) -> None:
        template["Conditions"] |= {
            "OnArm": {"Fn::Equals": [{"Ref": "Architecture"}, "arm64"]},
            "OnIntel": {"Fn::Not": [{"Condition": "OnArm"}]},
        }
        inner = {"Fn::If": ["OnArm", {"Ref": "AWS::NoValue"}, "sns:Subscribe"]}
        said = {"Effect": "Allow", "Action": ["sns:Publish", inner], "Resource": "*"}
        template["Resources"]["AskedRole"] = {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sts:AssumeRole",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                        }
                    ],
                },
                "Policies": [
                    {
                        "PolicyName": "asked",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [
                                {"Fn::If": ["OnIntel", said, {"Ref": "AWS::NoValue"}]},
                                {"Fn::If": ["OnArm", said, {"Ref": "AWS::NoValue"}]},
                            ],
                        },
                    }
                ],
            },
        }

    role = deploy_changed(add_statements).resources["AskedRole"]

    read = aws.client("iam").get_role_policy(RoleName=role.physical_id, PolicyName="asked")["PolicyDocument"]
    assert read["Statement"] == [{"Effect": "Allow", "Action": ["sns:Publish"], "Resource": "*"}]


@pytest.mark.slow
def test_managed_policy_is_attached_when_the_template_names_it(
    deploy_changed: Callable[..., Deployment], aws: Aws
) -> None:
    def name_policy(template: dict[str, Any]) -> None:
        arn = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
        template["Resources"]["EnforceImageTagsFunctionRole"]["Properties"]["ManagedPolicyArns"] = [arn]

    role = deploy_changed(name_policy).resources["EnforceImageTagsFunctionRole"]

    attached = aws.client("iam").list_attached_role_policies(RoleName=role.physical_id)["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == ["arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"]


@pytest.mark.slow
def test_accounts_and_regions_are_apart_when_both_hold_the_template(
    deploy_changed: Callable[..., Deployment], build: Callable[..., Path], aws: Aws
) -> None:
    ours = deploy_changed(lambda _: None)

    theirs = deploy(build(lambda _: None), stack_name="ecr-steward", account="222222222222", region="eu-west-1")

    queue = theirs.resources["FailureQueue"]
    assert queue.arn is not None
    assert queue.arn.startswith("arn:aws:sqs:eu-west-1:222222222222:ecr-steward-FailureQueue-")
    queues = aws.client("sqs").list_queues()["QueueUrls"]
    assert sorted(queues) == sorted(resource.physical_id for resource in ours.of_type("AWS::SQS::Queue"))


@pytest.mark.slow
def test_made_names_fit_the_service_when_the_stack_name_is_long(build: Callable[..., Path]) -> None:
    name = "ecr-steward-of-a-very-long-team-name"

    deployment = deploy(build(lambda _: None), stack_name=name, account="333333333333", region="us-east-1")

    functions = deployment.of_type("AWS::Lambda::Function")
    assert {len(function.physical_id) <= 64 for function in functions} == {True}
    assert len({function.physical_id for function in functions}) == 6


@pytest.mark.slow
def test_bus_lets_in_exactly_the_connected_accounts_when_there_are_some(
    deploy_changed: Callable[..., Deployment], aws: Aws
) -> None:
    deployment = deploy_changed(lambda _: None, SpokeAccounts=f"{SPOKE},333344445555")

    policy = json.loads(aws.client("events").describe_event_bus(Name="ecr-steward")["Policy"])
    principals = [(statement["Effect"], statement["Principal"]) for statement in policy["Statement"]]
    assert principals == [("Allow", {"AWS": [SPOKE, "333344445555"]}), ("Deny", "*")]
    function = deployment.resources["ReplicateImageFunction"]
    assert function.properties["Environment"]["Variables"]["ECR_STEWARD_SPOKE_ACCOUNTS"] == f"{SPOKE},333344445555"


@pytest.mark.slow
def test_region_has_room_for_two_stacks_when_their_pull_only_roles_differ(
    build: Callable[..., Path], deploy_changed: Callable[..., Deployment], aws: Aws
) -> None:
    """aws minor 3."""
    first = deploy_changed(lambda _: None)
    other = {"PullOnlyRoleName": "ecr-steward-pull-only-canary"}

    second = deploy(build(lambda _: None), stack_name="canary", account=ACCOUNT, region="us-east-1", parameters=other)

    verify(second)
    verify(first)
    ours, theirs = ({each.physical_id for each in stack.resources.values()} for stack in (first, second))
    assert not ours & theirs
    buses = aws.client("events").list_event_buses()["EventBuses"]
    assert {bus["Name"] for bus in buses} == {"default", "ecr-steward", "canary"}


@pytest.mark.slow
def test_spoke_is_deployed_from_its_file_when_told_what_the_hub_tells(
    deploy_changed: Callable[..., Deployment],
) -> None:
    hub = deploy_changed(lambda _: None, SpokeAccounts=SPOKE)

    given = {name: hub.outputs[name] for name in ("ExternalId", "HubAccount", "HubBusArn", "HubStackName")}
    spoke = deploy(SPOKE_TEMPLATE, stack_name="spoke", account=SPOKE, region="us-east-1", parameters=given)

    assert given["HubBusArn"] == hub.resources["EventBus"].arn
    assert spoke.resources["SpokeRole"].arn == f"arn:aws:iam::{SPOKE}:role/ecr-steward-spoke"
    assert spoke.outputs["PullOnlyRoleArn"] == f"arn:aws:iam::{SPOKE}:role/ecr-steward-pull-only"
    role = hub.resources["ReplicateImageFunctionRole"].arn or ""
    trust = spoke.resources["SpokeRole"].properties["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    assert fnmatch.fnmatchcase(role, trust["ArnLike"]["aws:PrincipalArn"])
    variables = hub.resources["ReplicateImageFunction"].properties["Environment"]["Variables"]
    assert trust["StringEquals"] == {"sts:ExternalId": variables["ECR_STEWARD_EXTERNAL_ID"]}


def test_outputs_and_roles_are_missing_when_their_condition_is_false() -> None:
    reset_moto()
    parameters = {
        "HubAccount": ACCOUNT,
        "HubBusArn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/ecr-steward",
        "ExternalId": "the-external-id",
        "CreateRoles": "false",
    }

    spoke = deploy(SPOKE_TEMPLATE, stack_name="spoke", account=SPOKE, region="us-east-1", parameters=parameters)

    assert {"SpokeRole", "PullOnlyRole"}.isdisjoint(spoke.resources)
    assert set(spoke.outputs) == {"NoticesTopicArn", "DeliveryFailureQueueUrl"}
    reset_moto()
