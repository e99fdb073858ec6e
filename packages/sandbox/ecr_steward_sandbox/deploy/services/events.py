"""Amazon EventBridge: buses, who may use them, and rules."""

import json
from typing import Any

from ecr_steward_sandbox.deploy.in_process import Aws
from ecr_steward_sandbox.deploy.model import Created, Properties, ResourceModel, picked

DEFAULT_BUS = "default"


class EventBus(ResourceModel):
    TYPE = "AWS::Events::EventBus"
    NAME_PROPERTY = "Name"
    PROPERTIES = frozenset({"Name", "Description", "DeadLetterConfig", "KmsKeyIdentifier"})
    ATTRIBUTES = frozenset({"Arn", "Name"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        arn = aws.client("events").create_event_bus(**{**properties, "Name": name})["EventBusArn"]
        return Created(name, arn, {"Arn": arn, "Name": name})

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        return picked(aws.client("events").describe_event_bus(Name=physical_id), cls.PROPERTIES)


class Rule(ResourceModel):
    TYPE = "AWS::Events::Rule"
    NAME_PROPERTY = "Name"
    NAME_LENGTH = 64
    PROPERTIES = frozenset(
        {
            "Name",
            "Description",
            "EventBusName",
            "EventPattern",
            "RoleArn",
            "ScheduleExpression",
            "State",
            "Tags",
            "Targets",
        }
    )
    ATTRIBUTES = frozenset({"Arn"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        events = aws.client("events")
        rule = {**properties, "Name": name}
        targets = rule.pop("Targets", [])
        if "EventPattern" in rule:
            rule["EventPattern"] = json.dumps(rule["EventPattern"])
        arn = events.put_rule(**rule)["RuleArn"]
        if targets:
            events.put_targets(Rule=name, EventBusName=_bus(properties), Targets=targets)
        return Created(name, arn, {"Arn": arn})

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        events = aws.client("events")
        rule = events.describe_rule(Name=physical_id, EventBusName=_bus(properties))
        pages = events.get_paginator("list_targets_by_rule").paginate(Rule=physical_id, EventBusName=_bus(properties))
        found = picked(rule, cls.PROPERTIES) | {"Targets": [target for page in pages for target in page["Targets"]]}
        found["Tags"] = events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]
        if "EventPattern" in found:
            found["EventPattern"] = json.loads(found["EventPattern"])
        return found


class EventBusPolicy(ResourceModel):
    """One statement of a bus's policy, beside those that the bus has."""

    TYPE = "AWS::Events::EventBusPolicy"
    PROPERTIES = frozenset({"EventBusName", "Statement", "StatementId"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        events = aws.client("events")
        there = json.loads(events.describe_event_bus(Name=_bus(properties)).get("Policy", '{"Statement": []}'))
        # moto forgets statements of the same principal that are not put again
        policy = {"Version": "2012-10-17", "Statement": [*there["Statement"], bus_statement(properties)]}
        events.put_permission(EventBusName=_bus(properties), Policy=json.dumps(policy))
        return Created(f"{_bus(properties)}|{properties['StatementId']}")

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        bus, _, statement_id = physical_id.rpartition("|")
        policy = json.loads(aws.client("events").describe_event_bus(Name=bus).get("Policy", "{}"))
        for statement in policy.get("Statement", []):
            if statement["Sid"] == statement_id:
                if "Sid" not in properties["Statement"]:
                    del statement["Sid"]
                return {"EventBusName": bus, "Statement": statement, "StatementId": statement_id}
        raise LookupError(f"the policy of the bus {bus} has no statement {statement_id}")


def bus_statement(properties: Properties) -> dict[str, Any]:
    """The statement of an EventBusPolicy as the bus holds it: named by its StatementId."""
    return {**properties["Statement"], "Sid": properties["StatementId"]}


def _bus(properties: Properties) -> str:
    return str(properties.get("EventBusName", DEFAULT_BUS))


MODELS = (EventBus, EventBusPolicy, Rule)
