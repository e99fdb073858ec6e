"""Every resource type that the sandbox can create; one module per AWS service."""

from collections.abc import Mapping

from ecr_steward_sandbox.deploy.model import ResourceModel
from ecr_steward_sandbox.deploy.services import (
    awslambda,
    cloudwatch,
    dynamodb,
    ecr,
    events,
    iam,
    logs,
    scheduler,
    sns,
    sqs,
)

MODELS: Mapping[str, type[ResourceModel]] = {
    model.TYPE: model
    for service in (awslambda, cloudwatch, dynamodb, ecr, events, iam, logs, scheduler, sns, sqs)
    for model in service.MODELS
}
"""By CloudFormation type. A type that is not here stops a deployment."""
