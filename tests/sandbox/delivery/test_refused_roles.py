"""A role that Lambda could not use stops the start."""

from typing import Any

import pytest

from ecr_steward_sandbox.deploy.errors import RefusedError
from ecr_steward_sandbox.sandbox import Sandbox


def test_start_stops_when_lambda_may_not_assume_the_role_of_a_function(template: Any, nothing_left: None) -> None:
    template.role("Role", "ec2.amazonaws.com", "sqs:SendMessage", "*")
    template.function("Job", Role=template.arn("Role"))

    with pytest.raises(RefusedError, match=r"Job \(AWS::Lambda::Function\): Role: .*lets lambda.amazonaws.com assume"):
        Sandbox(template.write()).__enter__()


def test_start_stops_when_the_role_of_a_function_may_not_poll_its_queue(template: Any, nothing_left: None) -> None:
    template.queue("Jobs")
    template.role("Role", "lambda.amazonaws.com", "sqs:ReceiveMessage", "*")
    source = {"Type": "SQS", "Properties": {"Queue": template.arn("Jobs")}}
    template.function("Job", Role=template.arn("Role"), Events={"Source": source})

    with pytest.raises(RefusedError, match=r"must be allowed sqs:DeleteMessage, sqs:GetQueueAttributes on it"):
        Sandbox(template.write()).__enter__()
