"""Amazon SNS: topics, who may use them, and who has subscribed. A mail goes nowhere."""

import json
from typing import Any

from ecr_steward_sandbox.deploy.in_process import Aws
from ecr_steward_sandbox.deploy.model import Created, Properties, ResourceModel, picked, read_policies


class Topic(ResourceModel):
    TYPE = "AWS::SNS::Topic"
    NAME_PROPERTY = "TopicName"
    PROPERTIES = frozenset({"TopicName", "DisplayName", "KmsMasterKeyId", "Tags"})
    ATTRIBUTES = frozenset({"TopicArn", "TopicName"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        attributes = picked(properties, frozenset({"DisplayName", "KmsMasterKeyId"}))
        tags = properties.get("Tags", [])
        arn = aws.client("sns").create_topic(Name=name, Attributes=attributes, Tags=tags)["TopicArn"]
        return Created(arn, arn, {"TopicArn": arn, "TopicName": name})

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        sns = aws.client("sns")
        found = picked(sns.get_topic_attributes(TopicArn=physical_id)["Attributes"], cls.PROPERTIES)
        tags = sns.list_tags_for_resource(ResourceArn=physical_id)["Tags"]
        return {**found, "TopicName": physical_id.rpartition(":")[2], "Tags": tags}


class TopicPolicy(ResourceModel):
    TYPE = "AWS::SNS::TopicPolicy"
    PROPERTIES = frozenset({"Topics", "PolicyDocument"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        policy = json.dumps(properties["PolicyDocument"])
        for arn in properties["Topics"]:
            aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
        return Created(name)

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        policies = {arn: _policy(aws, arn) for arn in properties["Topics"]}
        return read_policies("Topics", policies, properties["PolicyDocument"])


class Subscription(ResourceModel):
    """On AWS a mail address has to confirm; until then the ARN is ``pending confirmation``. Here it never has to."""

    TYPE = "AWS::SNS::Subscription"
    PROPERTIES = frozenset({"TopicArn", "Protocol", "Endpoint"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        arn = aws.client("sns").subscribe(**properties, ReturnSubscriptionArn=True)["SubscriptionArn"]
        return Created(arn, arn)

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = aws.client("sns").get_subscription_attributes(SubscriptionArn=physical_id)["Attributes"]
        return picked(found, cls.PROPERTIES)


def _policy(aws: Aws, arn: str) -> Any:
    return json.loads(aws.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])


MODELS = (Topic, TopicPolicy, Subscription)
