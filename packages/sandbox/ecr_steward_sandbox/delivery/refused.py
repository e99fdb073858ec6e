"""Roles that Lambda refuses when a function or a mapping is created."""

from __future__ import annotations

from ecr_steward_sandbox.delivery.wiring import Wiring
from ecr_steward_sandbox.deploy.errors import RefusedError

POLLING_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


def check_roles(wiring: Wiring) -> None:
    """Raise RefusedError for the first role that Lambda could not assume, or not poll a queue with."""
    for config in wiring.functions.values():
        if not wiring.service_may_assume("lambda.amazonaws.com", config.role_arn, config.arn):
            raise RefusedError(
                f"{config.logical_id} (AWS::Lambda::Function): Role: {config.role_arn!r} is refused: Lambda takes a "
                "role whose trust policy lets lambda.amazonaws.com assume it"
            )
    for mapping in wiring.mappings:
        if missing := missing_polling_actions(wiring, mapping.function_arn, mapping.queue_arn):
            raise RefusedError(
                f"{mapping.id} (AWS::Lambda::EventSourceMapping): EventSourceArn: {mapping.queue_arn!r} is refused: "
                f"the role of the function must be allowed {', '.join(missing)} on it"
            )


def missing_polling_actions(wiring: Wiring, function_arn: str, queue_arn: str) -> list[str]:
    """What the function's role lacks to poll the queue."""
    config = wiring.function(function_arn)
    if config is None:
        return list(POLLING_ACTIONS)
    return [action for action in POLLING_ACTIONS if not wiring.role_may(config.role_arn, action, queue_arn)]
