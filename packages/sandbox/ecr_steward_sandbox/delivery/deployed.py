"""Reads the wiring out of deployed stacks: from resolved properties, and roles from IAM, to what delivery needs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from ecr_steward_sandbox.delivery.patterns import Pattern
from ecr_steward_sandbox.delivery.wiring import (
    HEARS_READS,
    FunctionConfig,
    PutEvent,
    QueueMapping,
    RetryPolicy,
    Rule,
    Schedule,
    Target,
    Wiring,
)
from ecr_steward_sandbox.deploy import Deployment, Resource
from ecr_steward_sandbox.deploy.services.events import bus_statement
from ecr_steward_sandbox.identity import iam
from local_ecr.iam import Document, UnsupportedPolicyError, check

DEFAULT_MAPPING_CONCURRENCY = 5  # Lambda begins with five pollers


class UnsupportedWiringError(ValueError):
    """The template connects things in a way that the sandbox does not deliver."""


def read_wiring(*deployments: Deployment) -> Wiring:
    """The wiring of all stacks together. Raises UnsupportedWiringError or InvalidPatternError."""
    functions: dict[str, FunctionConfig] = {}
    rules: list[Rule] = []
    mappings: list[QueueMapping] = []
    schedules: list[Schedule] = []
    policies: defaultdict[str, list[Document]] = defaultdict(list)
    buses: set[str] = set()
    for deployment in deployments:
        reader = _Reader(deployment)
        functions |= {config.arn: config for config in reader.functions()}
        rules += reader.rules()
        mappings += reader.mappings()
        schedules += reader.schedules()
        buses |= set(reader.buses())
        for arn, document in reader.resource_policies():
            policies[arn].append(document)
    roles = {role.arn: role for role in iam.all_roles()}
    of_roles = ((role.arn, [one.document for one in (role.trust, *role.policies)]) for role in roles.values())
    for arn, documents in [*policies.items(), *of_roles]:
        for document in documents:
            _check(arn, document)
    return Wiring(
        tuple(rules),
        functions,
        tuple(mappings),
        tuple(schedules),
        roles,
        {arn: tuple(documents) for arn, documents in policies.items()},
        frozenset(buses),
    )


def _check(arn: str, document: Document) -> None:
    try:
        check(document)
    except UnsupportedPolicyError as cause:
        raise UnsupportedWiringError(f"a policy of {arn}: {cause}") from cause


class _Reader:
    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._arns = {
            resource.physical_id: resource.arn for resource in deployment.resources.values() if resource.arn is not None
        }

    def functions(self) -> Iterator[FunctionConfig]:
        """Every function with its layers, environment and failure exits."""
        invoke_configs = {
            self._arn(resource.properties["FunctionName"]): resource.properties
            for resource in self._deployment.of_type("AWS::Lambda::EventInvokeConfig")
        }
        for resource in self._deployment.of_type("AWS::Lambda::Function"):
            properties = resource.properties
            arn = _arn_of(resource)
            invoke = invoke_configs.get(arn, {})
            destinations = invoke.get("DestinationConfig", {})
            yield FunctionConfig(
                logical_id=resource.logical_id,
                name=resource.physical_id,
                arn=arn,
                role_arn=properties["Role"],
                handler=properties["Handler"],
                code=self._deployment.code[resource.logical_id],
                layers=tuple(self._deployment.code[layer] for layer in properties.get("Layers", [])),
                environment={
                    name: str(value) for name, value in properties.get("Environment", {}).get("Variables", {}).items()
                },
                timeout=float(properties.get("Timeout", 3)),
                memory=int(properties.get("MemorySize", 128)),
                log_group=properties.get("LoggingConfig", {}).get("LogGroup"),
                retries=int(invoke.get("MaximumRetryAttempts", 2)),
                on_failure_arn=destinations.get("OnFailure", {}).get("Destination"),
                on_success_arn=destinations.get("OnSuccess", {}).get("Destination"),
            )

    def buses(self) -> Iterator[str]:
        """The default bus, which every account has, and those of the template."""
        yield self._bus_arn("default")
        yield from (_arn_of(resource) for resource in self._deployment.of_type("AWS::Events::EventBus"))

    def rules(self) -> Iterator[Rule]:
        """Rules with an event pattern."""
        for resource in self._deployment.of_type("AWS::Events::Rule"):
            pattern = resource.properties.get("EventPattern")
            if pattern is None:
                continue
            yield Rule(
                arn=_arn_of(resource),
                bus_arn=self._bus_arn(resource.properties.get("EventBusName", "default")),
                pattern=Pattern.parse(json.loads(pattern) if isinstance(pattern, str) else pattern),
                targets=tuple(target_of(target) for target in resource.properties.get("Targets", [])),
                is_enabled=_is_enabled(resource),
                hears_reads=resource.properties.get("State") == HEARS_READS,
            )

    def mappings(self) -> Iterator[QueueMapping]:
        """Queues that start a function."""
        for resource in self._deployment.of_type("AWS::Lambda::EventSourceMapping"):
            properties = resource.properties
            queue_arn = properties["EventSourceArn"]
            if ":sqs:" not in queue_arn:
                raise UnsupportedWiringError(f"{resource.logical_id}: the sandbox polls SQS only, not {queue_arn}")
            filters = properties.get("FilterCriteria", {}).get("Filters", [])
            yield QueueMapping(
                id=resource.logical_id,
                queue_arn=queue_arn,
                function_arn=self._arn(properties["FunctionName"]),
                batch_size=int(properties.get("BatchSize", 10)),
                window=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
                reports_item_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
                max_concurrency=int(
                    properties.get("ScalingConfig", {}).get("MaximumConcurrency", DEFAULT_MAPPING_CONCURRENCY)
                ),
                is_enabled=str(properties.get("Enabled", True)).lower() == "true",
                filters=tuple(Pattern.parse(json.loads(one["Pattern"])) for one in filters),
            )

    def schedules(self) -> Iterator[Schedule]:
        """Schedules of EventBridge Scheduler, and rules that have a schedule expression."""
        for resource in self._deployment.of_type("AWS::Scheduler::Schedule"):
            yield Schedule(
                resource.logical_id,
                resource.physical_id,
                _arn_of(resource),
                resource.properties["ScheduleExpression"],
                target_of({"Id": resource.logical_id, **resource.properties["Target"]}),
                _is_enabled(resource),
                timezone=resource.properties.get("ScheduleExpressionTimezone", "UTC"),
            )
        for resource in self._deployment.of_type("AWS::Events::Rule"):
            for target in resource.properties.get("Targets", []):
                if expression := resource.properties.get("ScheduleExpression"):
                    yield Schedule(
                        resource.logical_id,
                        resource.physical_id,
                        _arn_of(resource),
                        expression,
                        target_of(target),
                        _is_enabled(resource),
                        from_rule=True,
                    )

    def resource_policies(self) -> Iterator[tuple[str, Document]]:
        """Policies of functions, buses, queues and topics, by the ARN that they protect."""
        for resource in self._deployment.of_type("AWS::Lambda::Permission"):
            arn = self._arn(resource.properties["FunctionName"])
            yield arn, _permission(resource, arn)
        for resource in self._deployment.of_type("AWS::Events::EventBusPolicy"):
            bus_arn = self._bus_arn(resource.properties.get("EventBusName", "default"))
            yield bus_arn, {"Version": "2012-10-17", "Statement": [bus_statement(resource.properties)]}
        for type_, key in (("AWS::SQS::QueuePolicy", "Queues"), ("AWS::SNS::TopicPolicy", "Topics")):
            for resource in self._deployment.of_type(type_):
                for name in resource.properties[key]:
                    yield self._arn(name), resource.properties["PolicyDocument"]

    def _arn(self, name: str) -> str:
        """The ARN behind a Ref, which for functions and queues is a name or address."""
        if name.startswith("arn:"):
            return name
        if name not in self._arns:
            raise UnsupportedWiringError(f"{self._deployment.stack_name} has no resource {name}")
        return self._arns[name]

    def _bus_arn(self, name: str) -> str:
        if name.startswith("arn:"):
            return name
        return f"arn:aws:events:{self._deployment.region}:{self._deployment.account}:event-bus/{name}"


def _arn_of(resource: Resource) -> str:
    if resource.arn is None:
        raise UnsupportedWiringError(f"{resource.logical_id} has no ARN")
    return resource.arn


def _is_enabled(resource: Resource) -> bool:
    return str(resource.properties.get("State", "ENABLED")) != "DISABLED"


TARGET_PROPERTIES = {
    "Id",
    "Arn",
    "RoleArn",
    "DeadLetterConfig",
    "RetryPolicy",
    "Input",
    "InputPath",
    "EventBridgeParameters",
}


def target_of(properties: Mapping[str, Any]) -> Target:
    """A target of a rule or schedule, in the shape that template and API share. Raises UnsupportedWiringError."""
    if unknown := properties.keys() - TARGET_PROPERTIES:
        raise UnsupportedWiringError(f"target {properties.get('Id')}: the sandbox does not deliver with {unknown}")
    retry = properties.get("RetryPolicy", {})
    put = properties.get("EventBridgeParameters")
    return Target(
        id=properties["Id"],
        arn=properties["Arn"],
        role_arn=properties.get("RoleArn"),
        dead_letter_arn=properties.get("DeadLetterConfig", {}).get("Arn"),
        retry=RetryPolicy(
            int(retry.get("MaximumRetryAttempts", RetryPolicy.attempts)),
            int(retry.get("MaximumEventAgeInSeconds", RetryPolicy.max_age)),
        ),
        input=properties.get("Input"),
        input_path=properties.get("InputPath"),
        event=PutEvent(put["Source"], put["DetailType"]) if put else None,
    )


def _permission(resource: Resource, function_arn: str) -> Document:
    """AWS::Lambda::Permission as the statement that Lambda's AddPermission makes of it."""
    properties = resource.properties
    principal = properties["Principal"]
    condition: dict[str, dict[str, str]] = {}
    if "SourceArn" in properties:
        condition["ArnLike"] = {"AWS:SourceArn": properties["SourceArn"]}
    if "SourceAccount" in properties:
        condition["StringEquals"] = {"AWS:SourceAccount": properties["SourceAccount"]}
    kind = "Service" if principal.endswith(".amazonaws.com") else "AWS"
    statement = {
        "Sid": resource.logical_id,
        "Effect": "Allow",
        "Principal": principal if principal == "*" else {kind: principal},
        "Action": properties["Action"],
        "Resource": function_arn,
        "Condition": condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
